"""One bad value stops no run: what may fail on it is refused before, what slips through is told."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from ingest.lake import HEADER, Lake, T
from ingest.source_text import EVENT, write_source
from personalake.errors import ConfigError, DataError
from personalake.ingest.check import check_sources
from personalake.ingest.source import load_sources
from personalake.stages import ingest as stage
from personalake.store.read import read
from personalake.tables.ingest import EVENTS, REJECTED_RECORDS

SCHEMA = (
    "ts string, visitor string, uid string, act string, item string, price string, n bigint, i int, d double, "
    "fee decimal(18,2), big decimal(38,2), at timestamp, parts array<int>, names map<string,string>"
)

# An expression → what the fault begins with, and what is to be written instead; None: it cannot fail.
EXPRESSIONS: dict[str, tuple[str, str] | None] = {
    "price * 100": ("price is taken for bigint", "try_cast(price as bigint)"),
    "d + price": ("price is taken for double", "try_cast(price as double)"),
    "price > 5": ("price is taken for bigint", "try_cast(price as bigint)"),
    "if(price = 1, 'a', 'b')": ("price is taken for bigint", "try_cast(price as bigint)"),
    "hour(price)": ("price is taken for timestamp", "try_cast(price as timestamp)"),
    "date_format(price, 'yyyy')": ("price is taken for timestamp", "try_cast(price as timestamp)"),
    "try_multiply(price, 100)": None,
    "substring(price, n, 2)": ("n is taken for int", "try_cast(n as int)"),
    "unix_timestamp(price)": ("unix_timestamp fails on a bad value", "unix_seconds(try_to_timestamp(…))"),
    "100 / length(price)": ("(CAST(100 AS DOUBLE) / CAST(length(price) AS DOUBLE)) fails where it div", "try_divide"),
    "n % i": ("(n % CAST(i AS BIGINT)) fails where it divides by nothing", "try_mod"),
    "n * 100": ("(n * CAST(100 AS BIGINT)) fails where it is too large", "try_multiply"),
    "-n": ("(- n) fails where it is too large", "try_subtract(0, …)"),
    "big + big": ("(big + big) fails where it is too large", "try_add"),
    "parts[n]": ("getarrayitem fails on a bad value", "get"),
    "try_element_at(parts, i)": ("element_at fails on a bad value", "get"),
    "make_date(i, i, i)": ("make_date fails on a bad value", "Write it so that nothing in it can fail"),
    "sequence(1, i)": ("sequence fails on a bad value", "Write it so that nothing in it can fail"),
    "map(price, 1)": ("map fails on a bad value", "Write it so that nothing in it can fail"),
    "price rlike item": ("rlike fails on a bad value", "Write the pattern or zone out"),
    "xpath_string(price, 'a')": ("xpath_string fails on a bad value", "Write it so that nothing in it can fail"),
    "transform(split(price, ','), x -> x + 1)": ("namedlambdavariable() is taken for bigint", "try_cast"),
    "try_multiply(try_cast(price as bigint), 100)": None,
    "try_cast(try_cast(price as decimal(20,2)) * 100 as bigint)": None,
    "fee * 100": None,
    "round(d * 100)": None,
    "n / 100": None,
    "length(price) - 1": None,
    "i * 2L": None,
    "9999999999999 - unix_millis(`at`)": None,
    "coalesce(i, n)": None,
    "try_element_at(split(price, '/'), 3)": None,
    "get(parts, i)": None,
    "names['a']": None,
    "map('a', price)['a']": None,
    "sha2(price, 256)": None,
    "concat(price, n)": None,
    "try_to_timestamp(price) + interval 3 days": None,
    "to_utc_timestamp(try_to_timestamp(price, 'yyyy-MM-dd'), 'Asia/Shanghai')": None,
    "try_parse_url(price, 'QUERY', 'a')": None,
    "date_diff(`at`, date '2024-01-01')": None,
    "try_divide(1, length(price))": None,
}


@pytest.fixture(scope="module")
def faults(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("conf")
    told = {f"e{n}": expression for n, expression in enumerate(EXPRESSIONS)}
    write_source(folder, format="json", schema=SCHEMA, properties=told, only="price")
    with pytest.raises(ConfigError) as refused:
        check_sources(spark, folder, load_sources(folder))
    return str(refused.value).split(".yaml: ")[1:]


@pytest.mark.parametrize("number", range(len(EXPRESSIONS)), ids=list(EXPRESSIONS))
def test_what_fails_on_a_bad_value_is_refused_with_what_to_write(faults, number):
    told = [fault.split(": ", 1)[1].strip() for fault in faults if fault.startswith(f"properties.e{number}: ")]
    expected = list(EXPRESSIONS.values())[number]
    if expected is None:
        assert told == []
    else:
        assert any(text.startswith(expected[0]) and expected[1] in text for text in told), told


def test_a_condition_is_one(faults):
    assert any(fault.startswith("only: is string, no condition. Write a comparison") for fault in faults)


def test_what_slips_through_stops_its_source_alone_and_quotes_nothing(spark: SparkSession, tmp_path, monkeypatch):
    lake = Lake(spark, tmp_path)
    lake.source("app", path="app/*.csv")
    app = tmp_path / "raw" / "app" / "a.csv"
    app.parent.mkdir(parents=True)
    app.write_text(f"{HEADER}\n{T},v,u,pv,good,1,1\n")
    lake.put("a.csv", [f"{T},v,u,pv,good,1,1", f"{T},v,u,pv,bad,SECRET-abc,1"])
    lake.source(fields=EVENT["fields"] | {"amount_minor": "price * 100"})
    with pytest.raises(ConfigError):
        lake.run()
    monkeypatch.setattr(stage, "check_sources", lambda *_: None)
    with pytest.raises(DataError) as told:
        lake.run()
    assert str(told.value) == (
        "The data cannot be used (1 fault):\n"
        "  - source web: a value of a record makes one of its expressions fail (CAST_INVALID_INPUT). Write them so "
        "that such a value gives null, with try_cast and its like."
    )
    root = lake.settings.warehouse.root
    assert [row.source for row in read(spark, root, EVENTS).collect()] == ["app"]
    monkeypatch.undo()
    lake.source(fields=EVENT["fields"] | {"amount_minor": "try_multiply(try_cast(price as bigint), 100)"})
    lake.run()
    taken = {row.source for row in read(spark, root, EVENTS).collect()}
    assert taken == {"app", "web"}
    assert [row.reason_code for row in read(spark, root, REJECTED_RECORDS).collect()] == ["ING-010"]
