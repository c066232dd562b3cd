"""Which offsets a run reads, from what the ledger kept and what the broker has; no Spark, no broker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from ingest.source_text import source_of
from personalake.errors import DataError
from personalake.ingest.connect import brokers, kafka
from personalake.ingest.connect.batch import Asked, Read
from personalake.ingest.connect.brokers import Partition, client_options
from personalake.ingest.connect.settings import Kafka

A0, A1, B0 = Partition("a", 0), Partition("a", 1), Partition("b", 0)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = {"kind": "kafka", "servers": ["broker:9092"], "topics": ["a", "b"]}


def kept(partition: Partition, offset: int, days_ago: int = 0) -> Read:
    mark = {"topic": partition.topic, "partition": partition.number, "offset": offset}
    return Read("", mark, NOW - timedelta(days=days_ago))


@pytest.fixture
def asked(tmp_path) -> Asked:
    source = source_of(tmp_path, format=None, path=None, connect=SETTINGS)
    return Asked(cast(Any, None), source, (), NOW, str, str, lambda _: None)


def ahead(asked: Asked, past: list[Read], there: dict[Partition, tuple[int, int]], **changes: Any):
    from dataclasses import replace

    is_forced = changes.pop("is_forced", False)
    settings = Kafka(**{**SETTINGS, **changes})
    spans = kafka._ahead(replace(asked, past=past, is_forced=is_forced), settings, there)
    return {span.partition: (span.start, span.end) for span in spans}


THERE = {A0: (10, 90), A1: (0, 0), B0: (5, 7)}


@pytest.mark.parametrize(
    ("past", "changes", "expected"),
    [
        ([], {}, THERE),
        ([], {"start": "latest"}, {A0: (90, 90), A1: (0, 0), B0: (7, 7)}),
        ([], {"start": "latest", "is_forced": True}, THERE),
        ([kept(A0, 50), kept(B0, 7)], {}, {A0: (50, 90), A1: (0, 0), B0: (7, 7)}),
        # A partition that was added later is read whole, whatever `start` says.
        ([kept(A0, 50)], {"start": "latest"}, {A0: (50, 90), A1: (0, 0), B0: (5, 7)}),
        # Several batches of one run, and an earlier run that was farther before everything was read anew.
        ([kept(A0, 85, 2), kept(A0, 30, 1), kept(A0, 40, 1), kept(B0, 5)], {}, {A0: (40, 90), A1: (0, 0), B0: (5, 7)}),
        # What another topic of this source had before is no matter of this run.
        ([kept(Partition("c", 0), 5), kept(B0, 6)], {}, {A0: (10, 90), A1: (0, 0), B0: (6, 7)}),
    ],
    ids=["first", "latest", "latest by force", "kept", "added", "newest run", "another topic"],
)
def test_a_run_reads_from_what_was_kept_to_the_end_there_is(asked, past, changes, expected):
    assert ahead(asked, past, THERE, **changes) == expected


def test_offsets_that_the_broker_lost_are_named_with_what_to_do(asked):
    past = [kept(A0, 4), kept(A1, 3), kept(B0, 5), kept(Partition("a", 2), 9)]
    with pytest.raises(DataError) as refused:
        ahead(asked, past, THERE)
    assert [str(fault) for fault in refused.value.faults] == [
        "source web: the broker has lost a/0 offsets 4 to 9; a/1 everything: it ends at 0, but was read up to 3; a/2 "
        "everything: the partition is gone. What was not delivered otherwise is gone. `personalake ingest --force` "
        "goes on with what the broker has."
    ]


def test_batches_are_bounded_and_each_tells_its_offsets(asked, monkeypatch):
    monkeypatch.setattr(kafka, "offsets_there", lambda *_: {A0: (0, 25), B0: (5, 7)})
    monkeypatch.setattr(kafka, "_lines", lambda asked, settings, batch: batch)
    monkeypatch.setattr(kafka, "text_records", lambda lines, source: lines)
    found = list(kafka.kafka_batches(asked, Kafka(**SETTINGS, batch_records=20)))
    keys = [[read.read_key for read in batch.reads] for batch in found]
    assert keys == [["a/0/0-9", "b/0/5-6"], ["a/0/10-19"], ["a/0/20-24"]]
    assert [batch.reads[0].numbers for batch in found] == [(0, 9), (10, 19), (20, 24)]
    assert found[-1].reads[0].mark == {"topic": "a", "partition": 0, "offset": 25}


def test_a_first_run_at_the_end_keeps_where_that_was(asked, monkeypatch):
    monkeypatch.setattr(kafka, "offsets_there", lambda *_: {A0: (0, 25)})
    (batch,) = kafka.kafka_batches(asked, Kafka(**SETTINGS, start="latest"))
    assert batch.raw is None
    assert [(read.read_key, read.mark["offset"]) for read in batch.reads] == [("a/0/from 25", 25)]


def test_the_password_is_quoted_as_kafka_wants_it(asked, monkeypatch):
    monkeypatch.setenv("KAFKA_PASSWORD", "it's \"so\\")
    sasl = {"user": "reader", "password_env": "KAFKA_PASSWORD", "mechanism": "PLAIN", "is_encrypted": False}
    options = client_options(asked, Kafka(**SETTINGS, sasl=sasl))
    assert options["security.protocol"] == "SASL_PLAINTEXT"
    assert options["sasl.jaas.config"] == (
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="reader" password="it\'s \\"so\\\\";'
    )
    assert brokers.client_options(asked, Kafka(**SETTINGS))["isolation.level"] == "read_committed"
