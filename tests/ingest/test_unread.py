"""What is sent and cannot be read is refused, never a silent null; what rises orders records, whatever its type."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from ingest.source_text import source_of
from personalake.ingest.derive import Door
from personalake.ingest.files import list_files
from personalake.ingest.mapping import REASON, map_records
from personalake.ingest.readers import read_raw
from personalake.ingest.revision import in_order, revision_number
from personalake.ingest.settings import Ingest
from personalake.ingest.unread import attempts
from personalake.privacy.keys import Key

KEY = Key(b"a key of tests only, as long as one must be")
SETTINGS = Ingest(earliest_date=date(2016, 1, 1), latest_date=date(2017, 1, 1))
RECORD = {"id": "x", "ts": "1476619200", "visitor": "v", "act": "pv"}

# case → what the record says besides; what becomes of it: "" for taken, else the reason.
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing more": ({}, ""),
    "all as declared": ({"price": "12.90", "slot": 3, "worth": "1", "cur": "EUR", "rev": "7"}, ""),
    "a word for a number": ({"price": "free"}, "ING-010 amount_minor is no number that its column holds."),
    "a number of letters": ({"worth": "1,5"}, "ING-010 quantity is no number that its column holds."),
    "blank": ({"price": " ", "worth": "\t"}, ""),
    "a word that means nothing": ({"price": "-", "worth": "-"}, ""),
    "no number": ({"worth": "NaN"}, ""),
    "too large for cents": ({"price": "9" * 18}, "ING-010 amount_minor is no number that its column holds."),
    "too large for a place": ({"slot": 2**31}, "ING-010 position is no number that its column holds."),
    "one of two parts is not there": ({"off": "3"}, ""),
    "one of two parts is no number": ({"off": "half"}, "ING-010 discount_minor is no number that its column holds."),
    "a product": ({"off": "3", "many": "2"}, ""),
    "a product that is too large": (
        {"off": "9" * 18, "many": "99"},
        "ING-010 discount_minor is no number that its column holds.",
    ),
    "an unknown currency": ({"cur": "Taler"}, "ING-010 currency is none of those that are known."),
    "whatever it is": ({"mood": "??"}, ""),
    "chosen to be nothing": ({"act": "back", "slot": 2**40}, ""),
    "an object for a text": ({"note": {"a": 1}}, "ING-001"),
    "a list for a text": ({"note": ["a"]}, "ING-001"),
    "an object within": ({"user": {"name": {"first": "a"}}}, "ING-001"),
    "a text that looks like one": ({"note": '{"a": 1}', "user": {"name": "[a]"}}, ""),
    "an object that was asked for": ({"payload": {"a": 1}}, ""),
    "an object nobody looks at": ({"unused": {"a": 1}}, ""),
    "a time as revision": ({"rev": "2016-10-16T12:00:00.5Z"}, ""),
    "a fraction as revision": ({"rev": "1.5"}, "ING-010 revision is no whole number and no time."),
    "a word as revision": ({"rev": "new"}, "ING-010 revision is no whole number and no time."),
}


@pytest.fixture(scope="module")
def mapped(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    folder = tmp_path_factory.mktemp("unread")
    source = source_of(
        folder / "conf",
        format="json",
        path="log.json",
        schema="id string, ts string, visitor string, act string, price string, slot bigint, worth string, cur string, "
        "mood string, off string, many string, note string, user struct<name: string>, payload string, "
        "unused string, rev string",
        null_values=["", "-"],
        json_texts=["payload"],
        event_id="id",
        revision="rev",
        fields={
            "device_id": "visitor",
            "event_type": "act",
            "order_id": "id",
            "amount_minor": "try_cast(try_cast(price as decimal(20,2)) * 100 as bigint)",
            "position": "if(act = 'back', null, slot)",
            "value": "mood",
            "discount_minor": "try_multiply(try_cast(off as bigint), try_cast(many as int))",
            "quantity": "worth",
            "currency": "cur",
        },
        currencies={"€": "EUR"},
        unreadable_as_null=["value"],
        properties={"note": "note", "name": "`user`.name", "payload": "payload"},
    )
    lines = [json.dumps(RECORD | said | {"id": case}) for case, (said, _) in CASES.items()]
    (folder / "raw").mkdir()
    (folder / "raw" / "log.json").write_text("\n".join(lines) + "\n")
    raw = read_raw(spark, source, list_files(str(folder / "raw"), [source]))
    rows = map_records(raw, source, Door(SETTINGS, KEY, "UTC")).collect()
    return {row.order_id: row for row in rows}


@pytest.mark.parametrize("case", list(CASES))
def test_what_is_sent_is_read_or_refused(mapped, case):
    reason = mapped[case][REASON]
    told = "" if reason is None else f"{reason.code} {reason.reason}" if reason.code == "ING-010" else reason.code
    assert told == CASES[case][1]


def test_an_object_that_was_asked_for_is_its_text(mapped):
    assert mapped["an object that was asked for"].properties["payload"] == '{"a":1}'
    assert mapped["all as declared"].amount_minor == 1290


def test_what_an_expression_tries():
    cents = "try_cast(try_cast(price as decimal(20,2)) * 100 as bigint)"
    assert attempts("price") == []
    assert attempts(cents) == [
        (["try_cast(price as decimal(20,2)) * 100"], cents),
        (["price"], "try_cast(price as decimal(20,2))"),
    ]
    assert attempts("coalesce(try_cast(a as int), TRY_CAST(b AS int))") == [
        (["a"], "try_cast(a as int)"),
        (["b"], "TRY_CAST(b AS int)"),
    ]
    day = "try_to_timestamp(day, 'yyyy, as')"
    assert attempts(f"to_utc_timestamp({day}, 'UTC')") == [(["day"], day)]
    odd = "try_cast(replace(`a b`, ') as ', '(') as int)"
    assert attempts(odd) == [(["replace(`a b`, ') as ', '(')"], odd)]
    product = "try_multiply(price, greatest(many, 1))"
    assert attempts(product) == [(["price", "greatest(many, 1)"], product)]
    assert attempts("if(a = 1, try_cast(b as int), null)") == []
    assert attempts("try_divide(a, b)") == []


# Each line rises: an expression, and what it gives in order.
RISING = {
    "a number": ("try_cast(raw as bigint)", ["-9223372036854775808", "-11", "-2", "-1", "0", "1", "9", "10"]),
    "a text": ("raw", ["-10", "-9", "3", "2016-10-16T12:00:00Z", "2016-10-16T12:00:00.000001Z", "9" * 20]),
    "a time": ("try_to_timestamp(raw)", ["1969-12-31 23:59:59", "2016-10-16 12:00:00.000001", "2016-10-16 12:00:01"]),
    "a date": ("try_to_date(raw)", ["1969-12-31", "2016-10-16", "2016-10-17"]),
}  # fmt: skip


@pytest.mark.parametrize("case", list(RISING))
def test_a_revision_rises_as_text_too(spark: SparkSession, case):
    expression, texts = RISING[case]
    raw = spark.createDataFrame([(text,) for text in texts], "raw string")
    rows = raw.select("raw", in_order(revision_number(raw, expression)).alias("order")).orderBy("order").collect()
    assert [row.raw for row in rows] == texts
    assert {len(row.order) for row in rows} == {20} and len({row.order for row in rows}) == len(texts)


def test_no_revision_is_nought(spark: SparkSession):
    raw = spark.createDataFrame([(None,), ("1.5",), ("x",), ("9" * 21,)], "raw string")
    found = raw.select(F.coalesce(revision_number(raw, "raw"), F.lit(-1)).alias("n")).distinct().collect()
    assert [int(row.n) for row in found] == [-1]
