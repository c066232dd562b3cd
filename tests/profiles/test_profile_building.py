"""Profiles: equal to plain loops, exact as of any day, whatever the order and the partitions."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from personalake.profiles import (
    Profiles,
    build_person_days,
    build_person_item_days,
    build_profiles,
    build_sessions,
    sessions_as_of,
)
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.profile_features import FEATURES
from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS, PROFILES
from personalake.tables.spec import schema_faults
from support.profile_oracle import plain_profiles
from support.profile_rows import (
    START,
    event,
    event_frame,
    item_rows,
    random_events,
    table_frame,
    tables,
)

SETTINGS = Profiles()
AS_OF = START.date() + timedelta(days=100)
SEED = 11
DAY = START + timedelta(days=10)
NAMED = [
    event(900_001, DAY, device_id="d060-a", person_id="p060"),
    event(900_002, DAY, device_id="d063-a", person_id="p063", platform="tv"),
    event(900_003, DAY + timedelta(seconds=90), device_id="d063-a", person_id="p063", platform="tv"),
    event(900_004, DAY + timedelta(days=1), device_id="d063-b", login_id="p063", person_id="p063"),
    event(900_005, DAY, device_id="d066-a", person_id="p066"),
    event(900_006, DAY, device_id="d061-a", person_id="p061"),
]


def profiles_of(spark: SparkSession, events: DataFrame, as_of: date) -> DataFrame:
    """From events to profiles, as the stage does it; a device belongs to the person its name says."""
    items, customers = tables(spark)
    logins = [{"identifier_kind": "login", "identifier": f"p{n:03d}", "person_id": f"p{n:03d}"} for n in range(70)]
    sessions = sessions_as_of(build_sessions(events, SETTINGS.session_gap_seconds), as_of)
    whose = F.coalesce(F.col("login_id"), F.concat(F.lit("p"), F.substring("device_id", 2, 3)))
    return build_profiles(
        build_person_days(events, "Europe/Berlin").localCheckpoint(),
        build_person_item_days(events).localCheckpoint(),
        sessions.withColumn("person_id", whose).localCheckpoint(),
        items,
        customers,
        table_frame(spark, IDENTITY_MAP, logins),
        as_of,
        SETTINGS,
    )


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    """Random histories and the named persons, in one log."""
    return [{**e, "utc_offset_minutes": e.get("utc_offset_minutes") or 60} for e in random_events(SEED) + NAMED]


@pytest.fixture(scope="module")
def profiles(spark: SparkSession, events: list[dict[str, Any]]) -> DataFrame:
    return profiles_of(spark, event_frame(spark, events), AS_OF).localCheckpoint()


def by_person(profiles: DataFrame) -> dict[str, Row]:
    return {row.person_id: row for row in profiles.collect()}


def test_equals_plain_loops(profiles: DataFrame, events: list[dict[str, Any]]) -> None:
    assert [f for f in schema_faults(profiles.schema, PROFILES) if "run_id" not in f.where] == []
    found = by_person(profiles)
    expected = plain_profiles(events, {row["item_id"]: row for row in item_rows()}, AS_OF)
    assert found.keys() == expected.keys(), f"seed {SEED}"
    faults = [
        f"{person}.{name}: {found[person][name]} is not {value}"
        for person, features in expected.items()
        for name, value in features.items()
        if not same(found[person][name], value)
    ]
    assert not faults, f"seed {SEED}: {faults[:10]}"


def test_as_of_a_day_equals_the_events_before_it_in_any_order(
    spark: SparkSession, profiles: DataFrame, events: list[dict[str, Any]]
) -> None:
    before = event_frame(spark, [e for e in reversed(events) if e["event_date"] < AS_OF]).repartition(3)
    assert by_person(profiles_of(spark, before, AS_OF)) == by_person(profiles), f"seed {SEED}"


def same(left: Any, right: Any) -> bool:
    if isinstance(right, float) and left is not None:
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return bool(left == right)


def test_visits_and_demography_of_named_persons(profiles: DataFrame) -> None:
    """One event; a person of two devices; a birth year of 1800; a person who is no customer."""
    found = by_person(profiles)
    one, two = found["p060"], found["p063"]
    assert (one.session_count, one.bounce_share, one.device_count, one.mean_session_seconds) == (1, 1.0, 1, 0.0)
    assert (two.session_count, two.bounce_share, two.device_count, two.mean_session_seconds) == (2, 0.5, 2, 45.0)
    assert (two.events_per_session, two.platform_count, two.has_login, one.has_login) == (1.5, 2, True, False)
    # Birth years of p060 and p066 are 1990 and 1800; p063 says a band itself; p061 is no customer.
    assert [found[p].age_band for p in ("p060", "p063", "p066", "p061")] == ["25-34", "young", None, None]
    assert [found[p].gender for p in ("p060", "p063", "p061")] == ["m", "f", None]
    assert (one.order_count, one.rfm_cell, one.cart_to_buy_share, one.mean_order_minor) == (0, None, None, None)


def test_a_day_before_the_first_event_has_no_profiles(spark: SparkSession) -> None:
    first = event_frame(spark, [event(1, START, device_id="d000-a", person_id="p000")])
    assert profiles_of(spark, first, START.date()).collect() == []


def test_roll_ups_are_as_declared_and_count_everything_once(spark: SparkSession, events: list[dict[str, Any]]) -> None:
    frame = event_frame(spark, events)
    people = [e for e in events if not e["is_bot"]]
    days, item_days = build_person_days(frame, "UTC"), build_person_item_days(frame)
    for built, table in ((days, PERSON_DAYS), (item_days, PERSON_ITEM_DAYS)):
        assert [f for f in schema_faults(built.schema, table) if "run_id" not in f.where] == []
    rows, item_rows_ = days.collect(), item_days.collect()
    assert len({tuple(r[k] for k in PERSON_DAYS.key) for r in rows}) == len(rows)
    assert sum(r.event_count for r in rows) == len(people)
    assert sum(r.event_count for r in item_rows_) == sum(e.get("item_id") is not None for e in people)
    assert sum(r.amount_minor for r in rows) == sum(e.get("amount_minor") or 0 for e in people)
    parts = ("night", "morning", "afternoon", "evening")
    assert all(sum(r[f"{p}_event_count"] for p in parts) == r.event_count for r in rows)


def test_columns_are_the_catalogue() -> None:
    assert [c.name for c in PROFILES.cols] == ["person_id", "as_of_date", *[f.name for f in FEATURES]]
    assert all(f.meaning and f.window for f in FEATURES)
