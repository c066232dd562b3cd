"""Person ids that last: merges, splits, reruns, and days fed one by one."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import pytest
from pyspark.sql import DataFrame, SparkSession

from identity.seen import MAP_SCHEMA, MOVES_SCHEMA, START, Seen, computed, events_of, labels_of, renamed, resolved
from personalake.identity.persons import build_identity_map, identifiers_by_person
from personalake.identity.settings import Identity
from personalake.tables.identity import IDENTITY_MAP, IDENTITY_MOVES
from support.partitions import groups

AS_OF = date(2026, 4, 1)
COMPONENTS_SCHEMA = "identifier_kind string, identifier string, component string, first_at timestamp, key_id string"


class Case(NamedTuple):
    """What was published, what hangs together now, what must come of it.

    old: identifier → (person, minute of linked_at); now: component → identifiers, the minute of an identifier's first
    event is its place in the alphabet; persons: identifier → person ("new …" for an id never seen before, the same
    word for the same person); moves: (kind, from, to) with an identifier's "new …" words too.
    """

    old: dict[str, tuple[str, int]]
    now: dict[str, str]
    persons: dict[str, str]
    moves: set[tuple[str, str, str]]


CASES = {
    "all new": Case({}, {"1": "ab", "2": "c"}, {"a": "new1", "b": "new1", "c": "new2"}, set()),
    "nothing changed": Case({"a": ("P", 0), "b": ("P", 1)}, {"1": "ab"}, {"a": "P", "b": "P"}, set()),
    "a newcomer joins": Case({"a": ("P", 0)}, {"1": "ab"}, {"a": "P", "b": "P"}, set()),
    "an older one joins, the published id stays": Case({"b": ("P", 1)}, {"1": "ab"}, {"a": "P", "b": "P"}, set()),
    "merge keeps the older id": Case(
        {"a": ("Q", 5), "b": ("P", 3)}, {"1": "ab"}, {"a": "P", "b": "P"}, {("merge", "Q", "P")}
    ),
    "as old: the smaller id": Case(
        {"a": ("Q", 3), "b": ("P", 3)}, {"1": "ab"}, {"a": "P", "b": "P"}, {("merge", "Q", "P")}
    ),
    "three into one": Case(
        {"a": ("R", 9), "b": ("Q", 5), "c": ("P", 3)},
        {"1": "abc"},
        dict.fromkeys("abc", "P"),
        {("merge", "Q", "P"), ("merge", "R", "P")},
    ),
    "split keeps it with the larger side": Case(
        {"a": ("P", 0), "b": ("P", 1), "c": ("P", 2)},
        {"1": "a", "2": "bc"},
        {"a": "new", "b": "P", "c": "P"},
        {("split", "P", "new")},
    ),
    "halves: it stays with the earlier side": Case(
        {"a": ("P", 0), "b": ("P", 1)}, {"1": "b", "2": "a"}, {"a": "P", "b": "new"}, {("split", "P", "new")}
    ),
    "a device changes hands": Case(
        {"a": ("P", 0), "b": ("P", 0), "c": ("P", 0), "d": ("Q", 0)},
        {"1": "ab", "2": "cd"},
        {"a": "P", "b": "P", "c": "Q", "d": "Q"},
        {("split", "P", "Q")},
    ),
    "the larger side goes to an older person, the rest is new": Case(
        {"a": ("P", 5), "b": ("P", 5), "c": ("P", 5), "d": ("Q", 1)},
        {"1": "abd", "2": "c"},
        {"a": "Q", "b": "Q", "d": "Q", "c": "new"},
        {("merge", "P", "Q"), ("split", "P", "new")},
    ),
    "identifiers that are gone leave no trace": Case(
        {"a": ("P", 0), "z": ("P", 0), "y": ("Q", 0)}, {"1": "a"}, {"a": "P"}, set()
    ),
}


@pytest.fixture(scope="module")
def frames(spark: SparkSession) -> tuple[DataFrame, DataFrame]:
    """All cases side by side: components, and the map published before."""
    components, old = [], []
    for case, (before, now, _, _) in CASES.items():
        old += [("device", f"{case}|{one}", f"{case}|{p}", _minute(m), "k") for one, (p, m) in before.items()]
        for component, members in now.items():
            rows = [("device", f"{case}|{one}", f"{case}|{component}", _minute(ord(one)), "k") for one in members]
            components += rows
    return spark.createDataFrame(components, COMPONENTS_SCHEMA), spark.createDataFrame(old, MAP_SCHEMA)


def _minute(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def no_moves(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([], MOVES_SCHEMA)


def no_map(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([], MAP_SCHEMA)


@pytest.fixture(scope="module")
def updated(spark: SparkSession, frames: tuple[DataFrame, DataFrame]) -> tuple[DataFrame, DataFrame]:
    components, old = frames
    return computed(*build_identity_map(components, old, no_moves(spark), AS_OF))


@pytest.fixture(scope="module")
def persons(updated: tuple[DataFrame, DataFrame]) -> dict[str, str]:
    return {row.identifier: row.person_id for row in updated[0].collect()}


@pytest.mark.parametrize("case", list(CASES))
def test_who_is_who_after_a_run(case: str, persons: dict[str, str]) -> None:
    expected = CASES[case].persons
    found = {one: persons.get(f"{case}|{one}", "") for one in expected}
    by_word = {word: found[one] for one, word in expected.items()}
    assert {one: by_word[word] for one, word in expected.items()} == found, "those of one person have one id"
    assert len(set(by_word.values())) == len(by_word)
    for word, person in by_word.items():
        assert person.startswith("p_") if word.startswith("new") else person == f"{case}|{word}"
    assert {key for key in persons if key.startswith(f"{case}|")} == {f"{case}|{one}" for one in expected}


@pytest.mark.parametrize("case", list(CASES))
def test_the_ledger_tells_every_change(
    case: str, persons: dict[str, str], updated: tuple[DataFrame, DataFrame]
) -> None:
    words = {
        person: CASES[case].persons[key.split("|")[1]] for key, person in persons.items() if key.startswith(f"{case}|")
    }
    moves = updated[1].where(updated[1].from_person_id.startswith(f"{case}|")).collect()
    assert {(m.kind, m.from_person_id.split("|")[1], words[m.to_person_id]) for m in moves} == CASES[case].moves
    assert all(m.moved_at.date() == AS_OF and m.reason for m in moves)


def test_twice_is_once(
    spark: SparkSession, frames: tuple[DataFrame, DataFrame], updated: tuple[DataFrame, DataFrame]
) -> None:
    tomorrow = AS_OF + timedelta(days=1)
    again, moves = computed(*build_identity_map(frames[0], updated[0], updated[1], tomorrow))
    assert sorted(again.collect()) == sorted(updated[0].collect())
    assert moves.isEmpty()


def test_a_run_repeated_after_its_moves_were_written_gives_the_same(
    frames: tuple[DataFrame, DataFrame], updated: tuple[DataFrame, DataFrame]
) -> None:
    components, old = frames[0].repartition(5), frames[1].repartition(3)
    again, moves = computed(*build_identity_map(components, old, updated[1], AS_OF))
    assert sorted(again.collect()) == sorted(updated[0].collect())
    assert sorted(moves.collect()) == sorted(updated[1].collect())


def test_both_tables_are_built_as_declared(updated: tuple[DataFrame, DataFrame]) -> None:
    for frame, table in zip(updated, (IDENTITY_MAP, IDENTITY_MOVES), strict=True):
        assert [(f.name, f.dataType) for f in frame.schema] == [(c.name, c.type) for c in table.cols]


def test_an_id_that_was_anothers_is_not_given_again(spark: SparkSession) -> None:
    first = {one: "p_" + _hashed(f"device:{one}")[:24] for one in "abc"}
    alone = spark.createDataFrame([("device", one, one, _minute(0), "k") for one in "abc"], COMPONENTS_SCHEMA)
    living = spark.createDataFrame([("device", "z", first["a"], _minute(0), "k")], MAP_SCHEMA)
    merged = spark.createDataFrame([("m", _minute(0), "merge", first["b"], "p_x", "")], MOVES_SCHEMA)
    found = {row.identifier: row.person_id for row in build_identity_map(alone, living, merged, AS_OF)[0].collect()}
    assert all(person.startswith("p_") and len(person) == 26 for person in found.values())
    assert [found[one] == first[one] for one in "abc"] == [False, False, True]


SEEDS = range(12)


def random_days(seed: int) -> list[list[Seen]]:
    """Four days of people, devices and mails: owners change, logins appear late, mails join logins."""
    rng = random.Random(seed)
    days = []
    for day in range(4):
        minutes = rng.sample(range(1440), rng.randint(0, 12))
        rows = [
            Seen(
                rng.choice(["d1", "d2", "d3", "d4", None]),
                rng.choice(["a", "b", "c", "e", None, None]),
                day * 1440 + minute,
                rng.choice([None, f"s{minute % 7}"]),
                {"mail": f"m{rng.randint(0, 2)}"} if rng.random() < 0.15 else None,
            )
            for minute in minutes
        ]
        days.append(renamed(rows, f"seed{seed}|".__add__))
    return days


def test_days_one_by_one_give_the_partition_of_all_at_once(spark: SparkSession) -> None:
    by_day = [[one for seed in SEEDS for one in random_days(seed)[day]] for day in range(4)]
    settings = Identity(logins_per_device=2, logins_per_identifier=2)
    published, moves = no_map(spark), no_moves(spark)
    moved = 0
    for day in (2, 4):
        seen = [one for rows in by_day[:day] for one in rows]
        components = resolved(events_of(spark, seen), settings).localCheckpoint()
        update = build_identity_map(components, published, moves, AS_OF + timedelta(days=day))
        published, new_moves = computed(*update)
        moves, moved = moves.unionByName(new_moves), moved + new_moves.count()
    everything = [one for rows in by_day for one in rows]
    random.Random(1).shuffle(everything)
    at_once = resolved(events_of(spark, everything).repartition(6), settings)
    found, expected = groups(labels_of(published, "person_id")), groups(labels_of(at_once))
    assert found == expected, f"seeds {SEEDS}: {sorted(map(sorted, found ^ expected))}"
    assert moved > 0
    assert moves.select("move_id").distinct().count() == moved


def test_renaming_identifiers_only_renames(spark: SparkSession) -> None:
    seen = [one for seed in SEEDS for rows in random_days(seed) for one in rows]
    other = resolved(events_of(spark, renamed(seen, _hashed)))
    names = {
        _hashed(name): name for one in seen for name in (one.device, one.login, *(one.others or {}).values()) if name
    }
    back = [(f"{kind}:{names[name]}", label) for (kind, name), label in _split(labels_of(other))]
    assert groups(back) == groups(labels_of(resolved(events_of(spark, seen)))), f"seeds {SEEDS}"


def _hashed(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def _split(labels: list[tuple[str, str]]) -> list[tuple[list[str], str]]:
    return [(key.split(":", 1), label) for key, label in labels]


def test_identifiers_by_person(spark: SparkSession) -> None:
    rows = [
        ("login", "a", "P", 3),
        ("device", "d", "P", 1),
        ("device", "e", "P", 2),
        ("mail", "m", "P", 9),
        ("device", "f", "Q", 4),
    ]
    frame = spark.createDataFrame([(k, i, p, _minute(m), "k") for k, i, p, m in rows], MAP_SCHEMA)
    found = {row.person_id: tuple(row)[1:] for row in identifiers_by_person(frame).collect()}
    assert {p: row[:4] for p, row in found.items()} == {"P": (4, 1, 2, 1), "Q": (1, 0, 1, 0)}
    assert found["P"][4].replace(tzinfo=UTC) == _minute(1)
