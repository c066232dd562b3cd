"""Cleaning by YAML: one log with every case side by side, mapped once."""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from ingest.lake import KEY
from ingest.source_text import EVENT, source_of
from personalake.ingest.clean import cleaned_text, iso_currency, parsed_number
from personalake.ingest.cleaning import Number
from personalake.ingest.derive import Door
from personalake.ingest.files import list_files
from personalake.ingest.mapping import REASON, map_records
from personalake.ingest.rates import daily_rates
from personalake.ingest.readers import read_raw
from personalake.ingest.settings import Ingest

T = 1_476_619_200
FUTURE = T + 86_400

# case → fields of the line (ts, visitor, uid, act, item, price, note), what is expected: a code, or columns.
CASES: dict[str, tuple[dict[str, str], str | dict[str, object]]] = {
    "as it should be": ({"item": "A-1", "price": "1.234,56 \u20ac"}, {"item_id": "A-1", "amount_minor": 123456}),
    "trimmed and in one case": ({"item": " \u3000a  b "}, {"item_id": "A B"}),
    "nothing but blanks": ({"item": "  "}, "ING-004"),
    "dollars by their sign": ({"price": "US$ 9"}, {"currency": "USD", "amount_minor": 900, "amount_base_minor": 810}),
    "a code": ({"price": "9 usd"}, {"currency": "USD", "amount_minor": 900}),
    "no currency": ({"price": "9"}, {"currency": "EUR", "filled_fields": ["currency"], "amount_base_minor": 900}),
    "a currency without a rate": ({"price": "\u00a39"}, {"currency": "GBP", "amount_base_minor": None}),
    "a number that is none": ({"price": "1e3 \u20ac"}, "ING-010"),
    "a currency nobody knows": ({"price": "9 Taler"}, "ING-010"),
    "neither amount nor currency": ({"price": ""}, {"amount_minor": None, "currency": "EUR"}),
    "another currency is not allowed": ({"price": "CHF 1"}, "ING-005"),
    "a tester by name": ({"uid": "demo"}, "ING-008"),
    "a tester by pattern": ({"uid": "qa-7"}, "ING-008"),
    "nearly a tester": ({"uid": "xqa-7"}, {}),
    "refused by the yaml": ({"note": "broken build"}, "ING-009"),
    "before the platform": ({"ts": "1475000000"}, "ING-002"),
    "as far ahead as is allowed": ({"ts": str(FUTURE + 60)}, {}),
    "the future": ({"ts": str(FUTURE + 61)}, "ING-002"),
    "another source's": ({"act": "consent"}, "absent"),
    "a verb of its own": ({"act": "beat"}, {"event_type": "heartbeat"}),
}


@pytest.fixture(scope="module")
def mapped(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Row]:
    """Case to its mapped row."""
    folder = tmp_path_factory.mktemp("cleaning")
    source = source_of(
        folder / "conf",
        verbs=("heartbeat",),
        header=False,
        delimiter="\t",
        path="log.csv",
        schema=EVENT["schema"] + ", case string",
        event_id="case",
        event_types=EVENT["event_types"] | {"beat": "heartbeat"},
        fields=EVENT["fields"] | {"amount_minor": "price", "currency": "price", "order_id": "case"},
        texts={"item_id": ["trim", "squeeze", "upper"]},
        numbers={"amount_minor": {"decimal": ",", "factor": 100}},
        currencies={"\u20ac": "EUR", "US$": "USD", "\u00a3": "GBP"},
        allowed={"currency": ["EUR", "USD", "GBP"]},
        fill={"currency": {"default": "EUR"}},
        required=["item_id"],
        only="act <> 'consent'",
        refuse={"a build that is broken": "note like 'broken%'"},
        test_accounts={"values": ["demo"], "pattern": "^qa-"},
        time={"column": "ts", "format": "unix_seconds", "earliest": "2016-10-01", "ahead_seconds": 60},
    )
    plain = {"ts": str(T), "visitor": "v", "uid": "u", "act": "pv", "item": "A", "price": "1 \u20ac", "note": "n"}
    log = folder / "raw" / "log.csv"
    log.parent.mkdir()
    lines = ["\t".join([*(plain | fields).values(), case]) for case, (fields, _) in CASES.items()]
    log.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.utime(log, (FUTURE, FUTURE))
    rates = daily_rates(spark, {"USD": {date(2016, 10, 15): Decimal("0.9")}, "GBP": {date(2016, 10, 17): Decimal(2)}})
    door = Door(Ingest(base_currency="EUR"), KEY, "UTC", rates, keeps_all=True)
    rows = map_records(read_raw(spark, source, list_files(str(log.parent), [source])), source, door).collect()
    return {row.order_id: row for row in rows}


@pytest.mark.parametrize("case", list(CASES))
def test_what_becomes_of_a_record(mapped, case):
    expected = CASES[case][1]
    if expected == "absent":
        assert case not in mapped
        return
    row = mapped[case]
    code = row[REASON] and row[REASON].code
    if isinstance(expected, str):
        assert code == expected
        return
    assert code is None
    assert {name: row[name] for name in expected} == expected


def test_a_reason_tells_the_words_of_the_yaml_and_no_value(mapped):
    told = {row[REASON].reason for row in mapped.values() if row[REASON] and row[REASON].code in ("ING-005", "ING-009")}
    assert told == {"currency is none of its allowed values.", "a build that is broken."}


# text → its value where the point, and where the comma, divides; None: it is no such number.
NUMBERS: dict[str, tuple[str | None, str | None]] = {
    "12": ("12", "12"),
    "1,234.5": ("1234.5", None),
    "1.234,5": (None, "1234.5"),
    "1.234": ("1.234", "1234"),
    "12,90 \u20ac": (None, "12.9"),
    "\u20ac 12,90": (None, "12.9"),
    "US$12.90": ("12.9", None),
    "CHF 1'234'567.05": ("1234567.05", None),
    "1 234 567": ("1234567", "1234567"),
    "1\u00a0234": ("1234", "1234"),
    "-3": ("-3", "-3"),
    "\u22123": ("-3", "-3"),
    "(3)": ("-3", "-3"),
    "3-": ("-3", "-3"),
    "- 3 EUR": ("-3", "-3"),
    "\u00a5100\u5143": ("100", "100"),
    "5.": ("5", None),
    "1e3": (None, None),
    "1,23,456": (None, None),
    "12 34": (None, None),
    "free": (None, None),
    "": (None, None),
    "0x10": (None, None),
    "9" * 40: (None, None),
    "9" * 22: ("9" * 22, "9" * 22),
}


def test_numbers_as_people_write_them(spark: SparkSession):
    frame = spark.createDataFrame([(text,) for text in NUMBERS], "text string")
    point, comma = (parsed_number(F.col("text"), Number(decimal=d), False) for d in (".", ","))
    cents = parsed_number(F.col("text"), Number(decimal=",", factor=100), True).try_cast("bigint")
    rows = frame.select("text", point.alias("point"), comma.alias("comma"), cents.alias("cents")).collect()
    as_float = {t: tuple(None if v is None else float(v) for v in pair) for t, pair in NUMBERS.items()}
    assert {row.text: (row.point, row.comma) for row in rows} == as_float
    assert {row.text: row.cents for row in rows}["12,90 \u20ac"] == 1290


def test_texts_and_currencies(spark: SparkSession):
    texts = {" a\u00a0 b\t": "a b", "\u3000": None, "": None, "\u00c9T\u00c9": "\u00e9t\u00e9"}
    frame = spark.createDataFrame([(t,) for t in texts], "text string")
    cleaned = frame.select("text", cleaned_text(F.col("text"), ("trim", "squeeze", "lower")).alias("to")).collect()
    assert {row.text: row.to for row in cleaned} == texts
    codes = {"12,90 \u20ac": "EUR", "eur": "EUR", "USD 5": "USD", "\u5143": "CNY", "5": None, "Taler": None, "": None}
    frame = spark.createDataFrame([(t,) for t in codes], "text string")
    told = frame.select("text", iso_currency(F.col("text"), {"\u20ac": "EUR", "\u5143": "CNY"}).alias("to")).collect()
    assert {row.text: row.to for row in told} == codes
