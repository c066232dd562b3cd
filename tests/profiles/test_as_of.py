"""No leakage: a profile as of a day from everything there ever was, is the profile from what was known before it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from personalake.identity.history import map_as_of
from personalake.identity.whose import person_events
from personalake.ingest.entities import latest_by_key
from personalake.profiles import (
    Known,
    Profiles,
    RollUps,
    build_person_days,
    build_person_item_days,
    build_person_word_days,
    build_profiles,
    build_sessions,
    sessions_as_of,
)
from personalake.tables.identity import IDENTITY_MAP_VERSIONS
from personalake.tables.ingest import CUSTOMER_VERSIONS, CUSTOMERS, EVENTS, ITEM_VERSIONS, ITEMS
from personalake.tables.profile_features import COLUMNS
from personalake.tables.profiles import PROFILES
from personalake.tables.spec import schema_faults
from support.profile_oracle import plain_profiles
from support.profile_rows import table_frame
from support.profile_worlds import AS_OF, World, items_of, kind_of, persons_of, with_map, worlds

SEED, WORLDS = 7, 60
SETTINGS = Profiles()
AGAINST_OTHERS = tuple(
    c.name for c in COLUMNS if c.name.startswith(("rfm_", "favoured_")) or c.name.endswith("_tastes")
)
"""Features that compare a person with everybody."""


def profiles_of(spark: SparkSession, world: World) -> DataFrame:
    """From tables to profiles as the stage does it."""
    events = table_frame(spark, EVENTS, world.events)
    map_versions = table_frame(spark, IDENTITY_MAP_VERSIONS, world.map_versions)
    persons = map_as_of(map_versions, AS_OF).localCheckpoint()
    whose = person_events(events, persons).localCheckpoint()
    sessions = sessions_as_of(build_sessions(events, SETTINGS.session_gap_seconds), AS_OF)
    rolled = RollUps(
        build_person_days(whose, "Europe/Berlin").localCheckpoint(),
        build_person_item_days(whose).localCheckpoint(),
        build_person_word_days(whose).localCheckpoint(),
        person_events(sessions, persons).localCheckpoint(),
    )
    items = latest_by_key(table_frame(spark, ITEM_VERSIONS, world.item_versions), ITEMS, AS_OF)
    customers = latest_by_key(table_frame(spark, CUSTOMER_VERSIONS, world.customer_versions), CUSTOMERS, AS_OF)
    known = Known(items.localCheckpoint(), customers.localCheckpoint(), persons)
    return build_profiles(rolled, known, AS_OF, SETTINGS)


def by_person(profiles: DataFrame) -> dict[str, Row]:
    return {row.person_id: row for row in profiles.collect()}


@pytest.fixture(scope="module")
def everything() -> World:
    return worlds(SEED, WORLDS)


@pytest.fixture(scope="module")
def built(spark: SparkSession, everything: World) -> dict[str, Row]:
    """Profiles from everything, what came later too."""
    profiles = profiles_of(spark, everything)
    assert [f for f in schema_faults(profiles.schema, PROFILES) if "run_id" not in f.where] == []
    return by_person(profiles)


def test_what_came_later_and_in_which_order_rows_lie_change_nothing(
    spark: SparkSession, everything: World, built: dict[str, Row]
) -> None:
    before = everything.known_before(AS_OF)
    assert all(len(b) < len(a) for a, b in zip(*(dataclasses.astuple(w) for w in (everything, before)), strict=True))
    backwards = World(*(list(reversed(rows)) for rows in dataclasses.astuple(before)))
    assert by_person(profiles_of(spark, backwards)) == built, f"seed {SEED}"


def test_equals_plain_loops_over_what_was_known(everything: World, built: dict[str, Row]) -> None:
    before = everything.known_before(AS_OF)
    person = persons_of(before, AS_OF)
    events = [{**e, "person_id": person[e["login_id"] or e["device_id"]]} for e in before.events]
    expected = plain_profiles(events, items_of(before), AS_OF)
    assert built.keys() == expected.keys(), f"seed {SEED}"
    faults = [
        f"{who}.{name}: {built[who][name]} is not {value}"
        for who, features in expected.items()
        for name, value in features.items()
        if not same(built[who][name], value)
    ]
    assert not faults, f"seed {SEED}: {len(faults)}, {faults[:10]}"
    # The worlds hold what they are to hold.
    merged = (
        persons_of(everything, AS_OF),
        persons_of(everything, max(m["effective_date"] for m in everything.map_versions)),
    )
    assert any(merged[1][i] != p for i, p in merged[0].items()), "nobody merges after the day"
    assert any(row.money_minor < 0 for row in built.values())
    assert {row.age_band for row in built.values()} >= {None, "25-34", "55-64"}


def test_a_late_event_and_a_merge_change_only_those_they_are_about(
    spark: SparkSession, everything: World, built: dict[str, Row]
) -> None:
    """In the first world an event comes late, in the second somebody signs in on another's device."""
    changed = [e for e in everything.events if e["event_id"].startswith("w000") and e["event_date"] < AS_OF]
    late = {**changed[0], "event_id": "w000-late", "received_at": changed[0]["event_at"].replace(year=2025)}
    persons = persons_of(everything, AS_OF)
    first, second = (next(i for i in persons if i.startswith("w001") and kind_of(i) == "device" and persons[i] == p)
                     for p in sorted({p for i, p in persons.items() if i.startswith("w001")})[:2])  # fmt: skip
    signed = [{**changed[0], "event_id": f"w001-{d}", "device_id": d, "login_id": "w001-p9"} for d in (first, second)]
    touched = with_map(dataclasses.replace(everything, events=[*everything.events, late, *signed]))
    after = by_person(profiles_of(spark, touched))
    for who, row in built.items():
        if not who.startswith(("w000", "w001")):
            ours, theirs = row.asDict(), after[who].asDict()
            differing = {name for name in ours if name not in AGAINST_OTHERS and ours[name] != theirs[name]}
            assert differing == set(), f"seed {SEED}: {who}"
    owner = persons[late["login_id"] or late["device_id"]]
    assert after[owner].event_count == built[owner].event_count + 1
    assert {w for w in built if w.startswith("w000")} == {w for w in after if w.startswith("w000")}
    both = built[persons[first]].event_count + built[persons[second]].event_count
    assert after[min(persons[first], persons[second])].event_count == both + 2
    assert max(persons[first], persons[second]) not in after


def same(left: Any, right: Any) -> bool:
    if isinstance(right, list):
        return len(left or []) == len(right) and all(same(a, b) for a, b in zip(left or [], right, strict=True))
    if isinstance(right, tuple):
        return all(same(a, b) for a, b in zip(left, right, strict=True))
    if isinstance(right, float) and left is not None:
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=2e-9)
    return bool(left == right)
