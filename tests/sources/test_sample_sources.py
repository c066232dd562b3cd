"""The sample logs through the packaged sources: every source's events and refusals are exactly those of the truth."""

from __future__ import annotations

from datetime import date
from functools import reduce
from pathlib import Path

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.ingest.check import check_sources
from personalake.ingest.derive import Door
from personalake.ingest.entities import only_one_per_key
from personalake.ingest.files import list_files
from personalake.ingest.inspect import inspect_files
from personalake.ingest.mapping import REASON, SOURCE, map_records
from personalake.ingest.readers import read_raw
from personalake.ingest.settings import Ingest
from personalake.ingest.source import load_sources
from personalake.privacy.keys import Key
from personalake.sample import write_sample
from personalake.tables.ingest import CONSENTS, CUSTOMER_VERSIONS, EVENTS, ITEM_VERSIONS

CONF = Path(__file__).resolve().parents[2] / "conf" / "sources"
PLATFORMS = ("web", "ios", "android", "tablet", "tv", "mini_program")
ENTITIES = {"event": PLATFORMS, "item": ("catalogue",), "customer": ("customers",), "consent": ("consents",)}
CODES = {
    "cut_line": "ING-001",
    "bad_time": "ING-002",
    "unknown_action": "ING-003",
    "missing_item": "ING-004",
    "missing_id": "ING-004",
    "bad_price": "ING-005",
}


@pytest.fixture(scope="module")
def sample(spark, tmp_path_factory):
    root = tmp_path_factory.mktemp("sample") / "logs"
    arguments = {"persons": 260, "items": 80, "days": 50, "start": date(2026, 3, 2), "seed": 11}
    return root, write_sample(spark, str(root), **arguments)["sources"]


@pytest.fixture(scope="module")
def staged(spark, sample, tmp_path_factory):
    """Mapped records by entity, written down once; files are inspected first, as the stage does."""
    root, _ = sample
    sources = load_sources(CONF)
    check_sources(spark, CONF, sources)
    files, faults = inspect_files(spark, str(root), list_files(str(root), sources), sources)
    assert faults == []
    door = Door(Ingest(base_currency="CNY"), Key(b"0" * 32), "Asia/Shanghai")
    parts = {}
    for source in sources:
        own = [file for file in files if file.source == source.name]
        parts.setdefault(source.entity, []).append(map_records(read_raw(spark, source, own), source, door))
    folder = tmp_path_factory.mktemp("staged")
    for entity, frames in parts.items():
        reduce(DataFrame.unionByName, frames).write.parquet(str(folder / entity))
    return {entity: spark.read.parquet(str(folder / entity)) for entity in parts}


@pytest.mark.parametrize("entity", ENTITIES)
def test_refusals_are_those_of_the_truth(staged, sample, entity):
    expected = {}
    for name in ENTITIES[entity]:
        for kind, count in sample[1][name]["refused"].items():
            expected[name, CODES[kind]] = expected.get((name, CODES[kind]), 0) + count
        expected[name, None] = sample[1][name]["good"] + sample[1][name]["redelivered"]
    counted = staged[entity].groupBy(SOURCE, F.col(f"{REASON}.code").alias("code")).count().collect()
    assert {(row[SOURCE], row["code"]): row["count"] for row in counted} == expected


def test_every_event_is_there_once_with_its_type_and_money(staged, sample):
    rows = only_one_per_key(staged["event"], EVENTS).groupBy("source", "event_type")
    found = rows.agg(F.count("*").alias("n"), F.sum("amount_minor").alias("minor")).collect()
    truth = {(name, kind): n for name in PLATFORMS for kind, n in sample[1][name]["events_by_type"].items()}
    assert {(row["source"], row["event_type"]): row["n"] for row in found} == truth
    money = {(row["source"], row["event_type"]): row["minor"] for row in found}
    for name in PLATFORMS:
        assert money[name, "buy"] == sample[1][name]["buy_amount_minor"], name
        assert money.get((name, "refund"), -1) < 0, name


def test_registers_keep_one_row_per_key(staged, sample):
    for entity, table in (("item", ITEM_VERSIONS), ("customer", CUSTOMER_VERSIONS), ("consent", CONSENTS)):
        kept = only_one_per_key(staged[entity], table).count()
        assert kept == sample[1][ENTITIES[entity][0]]["good"], entity


def test_what_platforms_tell_in_their_own_words_ends_in_the_same_columns(staged):
    kind, lacks = F.col("event_type"), {name: F.col(name).isNull() for name in EVENTS.names}
    bare = lacks["order_id"] | lacks["currency"] | lacks["discount_minor"] | lacks["quantity"]
    told = {
        "a search without words or number of results": (kind == "search") & (lacks["query"] | lacks["value"]),
        "a buy without order, money or quantity": (kind == "buy") & (bare | lacks["amount_base_minor"]),
        "a measurement without value": kind.isin("load", "rate", "survey") & lacks["value"],
        "an event without device or place": lacks["device_id"] | lacks["region"],
        "an error without code": (kind == "error") & F.col("properties.error").isNull(),
        "nothing found": (kind == "search") & (F.col("value") == 0),
        "an account": F.col("identifiers.account").isNotNull(),
        "a campaign": F.size("acquisition") == 3,
    }
    times = [F.min("event_at").cast("string").alias("first"), F.max("event_at").cast("string").alias("last")]
    counts = [F.count_if(condition).alias(words) for words, condition in told.items()]
    good = staged["event"].where(F.col(REASON).isNull())
    rows = {row["source"]: row for row in good.groupBy("source").agg(*times, *counts).collect()}
    assert set(rows) == set(PLATFORMS)
    for name, row in rows.items():
        assert "2026-03-01 16:00:00" <= row["first"] < row["last"] < "2026-04-20 16:00:00", name
        assert [words for words in list(told)[:5] if row[words] > 0] == [], name
        assert [words for words in list(told)[5:7] if row[words] == 0] == [], name
        assert (row["a campaign"] > 0) == (name not in ("tablet", "tv")), name


def test_a_login_is_the_same_person_on_every_platform_and_in_every_register(staged):
    customers = staged["customer"].select(F.lit("customers").alias("source"), "login_id")
    logins = staged["event"].select("source", "login_id").unionByName(customers).where("login_id is not null")
    consents = staged["consent"].select(F.lit("consents"), "identifier")
    accounts = staged["event"].selectExpr("concat(source, ' account')", "identifiers.account").dropna()
    seen = {}
    for source, identifier in logins.union(consents).union(accounts).distinct().collect():
        seen.setdefault(source, set()).add(identifier)
    for name in ("web", "ios", "android", "tablet", "mini_program", "consents"):
        # a few customers' lines are refused
        assert len(seen[name] & seen["customers"]) > 0.9 * len(seen[name]) > 0, name
    assert "tv" not in seen
    others = seen["web account"] | seen["ios account"] | seen["android account"]
    assert len(seen["tv account"] & others) > 0.5 * len(seen["tv account"])
