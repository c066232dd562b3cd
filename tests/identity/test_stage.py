"""The stage on real tables: days one by one or all at once, late events, cuts, consent, and days of the past."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from identity.lake import Lake, day
from identity.seen import START, Seen
from personalake.stages.identity import STAGE
from personalake.store import write
from personalake.store.read import read
from personalake.tables.identity import (
    IDENTITY_CUTS,
    IDENTITY_LINKS,
    IDENTITY_MAP,
    IDENTITY_MAP_VERSIONS,
    IDENTITY_MOVES,
    IDENTITY_SIGHTINGS,
)
from personalake.tables.ingest import CONSENTS

SEED, DAYS = 5, 4


def visits() -> list[tuple[int, Seen]]:
    """Four days of people, devices and mails; owners change, logins appear late, mails join logins."""
    rng = random.Random(SEED)
    seen = [
        Seen(
            rng.choice([None, *(f"d{n}" for n in range(12))]),
            rng.choice([None, None, *(f"a{n}" for n in range(9))]),
            rng.randrange(DAYS * 1440),
            rng.choice([None, f"s{rng.randrange(6)}"]),
            {"mail": f"m{rng.randrange(7)}"} if rng.random() < 0.15 else None,
        )
        for _ in range(90)
    ]
    # Two persons whom the tests part and join.
    sure = [Seen("kept", "ann", DAYS * 1440 - 9), Seen("lent", "ann", 100), Seen("lent", "ann", 2000)]
    return list(enumerate([*seen, *sure]))


@pytest.fixture(scope="module")
def fed_by_days(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Days 1 and 2 but for some events; then those, late, with days 3 and 4."""
    lake = Lake(spark, tmp_path_factory.mktemp("days"))
    early = [(n, one) for n, one in visits() if one.minute < 2 * 1440 and n % 5]
    lake.put(early)
    lake.first = lake.run(day(2))  # type: ignore[attr-defined]
    lake.published = {table.name: lake.rows(table) for table in (IDENTITY_MAP, IDENTITY_LINKS)}  # type: ignore[attr-defined]
    lake.put([pair for pair in visits() if pair not in early and pair[1].minute >= 1440])
    lake.second = lake.run(day(DAYS))  # type: ignore[attr-defined]
    lake.put([pair for pair in visits() if pair not in early and pair[1].minute < 1440])
    lake.third = lake.run(day(DAYS))  # type: ignore[attr-defined]
    lake.newest = lake.rows(IDENTITY_MAP)  # type: ignore[attr-defined]
    return lake


@pytest.fixture(scope="module")
def at_once(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The same events in another order, and one run."""
    lake = Lake(spark, tmp_path_factory.mktemp("at_once"))
    shuffled = visits()
    random.Random(SEED).shuffle(shuffled)
    lake.put(shuffled)
    lake.run(day(DAYS))
    return lake


def test_only_days_that_changed_are_read(fed_by_days: Any) -> None:
    days = [job.detail["days_read"] for job in (fed_by_days.first, fed_by_days.second, fed_by_days.third)]
    assert days == ["all", "3", "1"]


def test_days_one_by_one_with_late_events_are_all_at_once(fed_by_days: Any, at_once: Lake) -> None:
    for table in (IDENTITY_SIGHTINGS, IDENTITY_LINKS):
        assert at_once.rows(table) == fed_by_days.rows(table), f"seed {SEED}"
    assert at_once.persons() == fed_by_days.persons(), f"seed {SEED}"


class Killed(BaseException):
    """What no code catches."""


@pytest.mark.slow
def test_killed_after_each_write_the_next_run_comes_to_the_same(
    spark: SparkSession, at_once: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(spark, tmp_path)
    lake.put(visits())
    for table in STAGE.writes:

        def kill(point: str, at: str = f"write:{table.name}") -> None:
            if point == at:
                raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(write, "reached", kill)
            with pytest.raises(Killed):
                lake.run(day(DAYS))
    lake.run(day(DAYS))
    for table in STAGE.writes:
        assert lake.rows(table) == at_once.rows(table), table.name


@pytest.mark.slow
def test_a_day_of_the_past_comes_back_as_it_was(fed_by_days: Any) -> None:
    """With what was known then; the events that came late for it are known now, so one run tells of them."""
    lake = fed_by_days
    lake.run(day(2))
    seen = {f"device:{one.device}" for _, one in visits() if one.device and one.minute < 2 * 1440}
    now = lake.map()
    assert seen <= set(now) and "device:kept" not in now
    then = {f"{row[0]}:{row[1]}": row[2] for row in lake.published[IDENTITY_MAP.name]}
    homes = {person for person in then.values() if person in set(now.values())}
    assert len(homes) > 0.7 * len(set(then.values())), "ids are those of then"
    lake.run(day(DAYS))
    assert lake.rows(IDENTITY_MAP) == lake.newest, "and the newest day comes back too"


@pytest.mark.slow
def test_an_operator_and_a_person_split_what_was_linked(fed_by_days: Any) -> None:
    """What was cut stays cut whatever comes later, and the ledger tells why."""
    lake = fed_by_days
    person = lake.map()["login:ann"]
    assert {name for name, p in lake.map().items() if p == person} >= {"login:ann", "device:lent", "device:kept"}
    ends = {"left_kind": "login", "left_identifier": "ann", "right_kind": "device", "right_identifier": "lent"}
    lake.add(IDENTITY_CUTS, {"cut_id": "c1", **ends, "state": "cut", "reason": "lent", "decided_at": START})
    lake.put([(900 + n, Seen("lent", "ann", DAYS * 1440 + n, f"new {n}")) for n in range(5)])
    lake.run(day(DAYS + 1))
    after = lake.map()
    assert after["login:ann"] == after["device:kept"] == person != after["device:lent"]
    said_at = START + timedelta(days=DAYS + 1, hours=1)
    whose = {"consent_id": "x", "identifier_kind": "login", "identifier": "ann", "source": "crm"}
    lake.add(CONSENTS, {**whose, "purpose": "linking", "state": "withdrawn", "effective_at": said_at})
    lake.put([(990, Seen("kept", "ann", (DAYS + 1) * 1440 + 90))])
    lake.run(day(DAYS + 2))
    last = lake.map()
    assert len({last["login:ann"], last["device:kept"], last["device:lent"]}) == 3
    assert lake.states()["ann", "lent"] == "cut_operator" and lake.states()["ann", "kept"] == "cut_no_consent"
    moves = read(lake.spark, lake.root, IDENTITY_MOVES).where(F.col("from_person_id") == person)
    told = {(row.kind, row.moved_at.date(), row.reason.partition(": ")[2]) for row in moves.collect()}
    assert told >= {
        ("split", day(DAYS + 1), "an operator called the link wrong"),
        ("split", day(DAYS + 2), "there is no consent to link them"),
    }
    versions = {row[2] for row in lake.rows(IDENTITY_MAP_VERSIONS) if row[1] == "lent"}
    assert str(day(DAYS + 1)) in versions
