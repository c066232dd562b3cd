"""What a source may say under `connect`, and in which words it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.source_text import source_of, write_source
from personalake.errors import ConfigError, DataError
from personalake.ingest.connect.batch import secret
from personalake.ingest.source import load_sources

POSTGRESQL = {"kind": "jdbc", "url": "jdbc:postgresql://db:5432/shop", "table": "orders"}
API = {"kind": "rest", "url": "https://api.example.org/v1/events"}
KAFKA = {"kind": "kafka", "servers": ["broker:9092"], "topics": ["clicks"]}
NO_FILES: dict[str, Any] = {"format": None, "path": None}


def faults(folder, *connects: dict[str, Any], **changes: Any) -> list[str]:
    for number, connect in enumerate(connects):
        write_source(folder, f"s{number}", connect=connect, **NO_FILES | changes)
    with pytest.raises(ConfigError) as refused:
        load_sources(folder)
    return [str(fault).replace(f"{folder}/", "") for fault in refused.value.faults]


@pytest.mark.parametrize(
    "connect",
    [
        POSTGRESQL | {"rising": "ts", "look_back": 3600, "partition_column": "ts", "partitions": 4},
        {"kind": "jdbc", "url": "jdbc:mysql://db/shop", "driver": "com.mysql.cj.jdbc.Driver", "query": "WITH x AS …"},
        API | {"token_env": "TOKEN", "paging": {"kind": "cursor", "next": "next"}},
        {"kind": "rest", "url": "http://127.0.0.1:8080/v1", "token_env": "TOKEN"},
        KAFKA | {"sasl": {"user": "reader", "password_env": "PASSWORD"}},
        {"kind": "delta", "path": "/data/other"},
    ],
)
def test_each_kind_stands_in_place_of_files(tmp_path, connect):
    source = source_of(tmp_path, connect=connect, **NO_FILES)
    assert source.connect is not None
    assert (source.connect.kind, source.format, source.path) == (connect["kind"], "json", "")


def test_every_fault_of_every_connection_comes_at_once_in_the_words_of_the_yaml(tmp_path):
    found = faults(
        tmp_path,
        {"kind": "jdbs"},
        {"url": "jdbc:postgresql://db/shop"},
        POSTGRESQL | {"tabel": "x", "password": "s3cret", "partitions": 100},
        API | {"paging": {"kind": "cursor", "nxt": "x"}},
        API | {"paging": {"kind": "pages"}, "attempts": 0},
        KAFKA | {"sasl": {"user": "me", "password": "s3cret"}, "topics": []},
        {"kind": "delta"},
    )
    assert found == [
        "s0.yaml: connect.kind: names no kind that is known. Allowed: delta, jdbc, kafka, rest.",
        "s1.yaml: connect.kind: names no kind that is known. Allowed: delta, jdbc, kafka, rest.",
        "s2.yaml: connect.partitions: Input should be less than or equal to 64.",
        "s2.yaml: connect.tabel: is no setting. Did you mean table?",
        "s2.yaml: connect.password: is no setting. Did you mean password_env?",
        "s3.yaml: connect.paging.next: Field required.",
        "s3.yaml: connect.paging.nxt: is no setting. Did you mean next?",
        "s4.yaml: connect.paging.kind: names no kind that is known. Allowed: cursor, link, page, single.",
        "s4.yaml: connect.attempts: Input should be greater than or equal to 1.",
        "s5.yaml: connect.topics: Tuple should have at least 1 item after validation, not 0.",
        "s5.yaml: connect.sasl.password_env: Field required.",
        "s5.yaml: connect.sasl.password: is no setting. Did you mean password_env?",
        "s6.yaml: connect.path: Field required.",
    ]


@pytest.mark.parametrize(
    ("connect", "told"),
    [
        (POSTGRESQL | {"query": "SELECT 1"}, "connect.table: name either a table or a query."),
        (POSTGRESQL | {"table": ""}, "connect.table: name either a table or a query."),
        (POSTGRESQL | {"table": "", "query": "DELETE FROM orders"}, "connect.query: is no single SELECT."),
        (POSTGRESQL | {"table": "", "query": "SELECT 1; DROP x"}, "connect.query: is no single SELECT."),
        (
            POSTGRESQL | {"url": "jdbc:postgresql://db/shop?user=me&password=s3cret"},
            "connect.url: holds a user or password. Write `user`, and name the password's environment variable in "
            "`password_env`.",
        ),
        (POSTGRESQL | {"url": "jdbc:mysql://db/shop"}, "connect.driver: is missing. Only PostgreSQL's is known."),
        (POSTGRESQL | {"look_back": 60}, "connect.look_back: needs `rising`."),
        (POSTGRESQL | {"partitions": 2}, "connect.partitions: needs `partition_column`."),
        (
            API | {"url": "https://me:s3cret@api.example.org/v1"},
            "connect.url: holds a user or password. Name the token's environment variable in `token_env`.",
        ),
        (API | {"url": "https://api.example.org/v1?a=b"}, "connect.url: has a query. Write it under `parameters`."),
        (
            API | {"url": "http://api.example.org/v1", "token_env": "TOKEN"},
            "connect.url: would send the token in clear. Use https.",
        ),
        (KAFKA | {"servers": ["broker"]}, "connect.servers: broker is no host:port."),
        (KAFKA | {"topics": ["a b"]}, "connect.topics: a b is no topic. Letters, digits and . _ - only."),
    ],
)
def test_what_does_not_go_together_is_told_and_no_secret_with_it(tmp_path, connect, told):
    assert faults(tmp_path, connect) == [f"s0.yaml: {told}"]


def test_what_is_for_files_is_refused_beside_connect(tmp_path):
    found = faults(tmp_path, API, format="csv", path="web/*.csv", header=False, optional=True)
    assert found == [
        f"s0.yaml: {key}: is for files. A source with connect has none."
        for key in ("format", "path", "header", "optional")
    ]


def test_a_secret_that_is_not_set_names_its_variable(monkeypatch):
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)
    with pytest.raises(DataError) as refused:
        secret("source shop", "SHOP_PASSWORD")
    assert [str(f) for f in refused.value.faults] == [
        "source shop: the environment variable SHOP_PASSWORD is not set. Set it where the command runs."
    ]
    monkeypatch.setenv("SHOP_PASSWORD", "s3cret")
    assert (secret("source shop", "SHOP_PASSWORD"), secret("source shop", "")) == ("s3cret", "")
