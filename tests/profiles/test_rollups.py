"""Visits and roll-ups brought up to date are those made of everything: with late events, lost ones, moved persons."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.config import load_settings
from personalake.identity.sightings import build_identity_sightings
from personalake.identity.whose import person_events
from personalake.job import Job
from personalake.packaged import conf_folder
from personalake.past import Before
from personalake.profiles.days import build_person_days, build_person_item_days, build_person_word_days
from personalake.profiles.sessions import build_sessions
from personalake.stages.profiles import STAGE
from personalake.stages.rollups import roll_up
from personalake.store import write
from personalake.store.read import read
from personalake.store.schema import ensure_tables
from personalake.tables.identity import IDENTITY_MAP, IDENTITY_SIGHTINGS
from personalake.tables.ingest import EVENTS
from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS, SESSIONS
from personalake.tables.spec import Table
from support.rows import frame, quick_queries

pytestmark = pytest.mark.spark

START, DAYS, WORLDS, GAP = datetime(2024, 3, 1, tzinfo=UTC), 3, 16, 1800
# What comes late, goes or changes is of a day so long ago: on the others only persons move.
LATE = 2
ROLLUPS = (SESSIONS, PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS)


class World:
    """Devices and logins that come and go, and who they are said to be."""

    def __init__(self, seed: int) -> None:
        self.random, self.name, self.events = random.Random(seed), f"w{seed}", {}
        self.persons: dict[tuple[str, str], str] = {}

    def live(self, day: int) -> None:
        """One more day: its events, some late ones, one that is gone, one found to be a bot's, and new persons."""
        for _ in range(self.random.randint(2, 8)):
            self._event(day)
        for _ in range(self.random.choice([0, 0, 1, 2])):
            self._event(max(0, day - LATE))
        late = sorted(n for n, e in self.events.items() if e["event_at"].day == 1 + max(0, day - LATE))
        if late and self.random.random() < 0.3:
            del self.events[self.random.choice(late)]
        elif late and self.random.random() < 0.3:
            self.events[self.random.choice(late)]["is_bot"] = True
        for key in sorted(self.persons):
            if self.random.random() < 0.15:
                self.persons[key] = f"{self.name}-p{self.random.randint(1, 4)}"

    def _event(self, day: int) -> None:
        # Around midnight, and a gap apart: visits end, split and join on the days' borders.
        minute = self.random.choice([0, 5, 20, 31, 700, 731, 1410, 1425, 1439])
        at = START + timedelta(days=day, minutes=minute, seconds=self.random.choice([0, 0, 1]))
        device = self.random.choice([None, "d1", "d2", "d3"])
        login = self.random.choice([None, None, "l1", "l2"])
        number = len(self.events) + self.random.randint(1, 10_000)
        event = {"event_id": f"{self.name}-{number}", "event_at": at, "event_date": at.date(), "source": "web",
                 "platform": "web", "device_class": "pc", "event_type": self.random.choice(["view", "buy", "search"]),
                 "query": self.random.choice([None, "tea pot"]),
                 "device_id": device and f"{self.name}-{device}", "login_id": login and f"{self.name}-{login}",
                 "item_id": self.random.choice([None, "i1", "i2"]), "order_id": self.random.choice([None, "o1"]),
                 "amount_minor": 100, "amount_base_minor": 100, "currency": "CNY", "key_id": "k1"}  # fmt: skip
        self.events[event["event_id"]] = event
        for kind in ("device", "login"):
            if event[f"{kind}_id"]:
                self.persons.setdefault((kind, event[f"{kind}_id"]), f"{self.name}-p{self.random.randint(1, 4)}")


class Lake:
    """A warehouse that worlds are put into, and the runs of `roll_up` on it."""

    def __init__(self, spark: SparkSession, root: Path, *settings: str) -> None:
        self.spark, self.root, self.runs = spark, str(root), 0
        self.settings = load_settings([str(conf_folder() / "base.yaml")], [f"warehouse.root={root}", *settings])
        self.before: Before | None = None
        ensure_tables(spark, self.root, [*STAGE.reads, *STAGE.writes])

    def put(self, worlds: list[World]) -> None:
        """What the worlds are now: only the days that changed are written."""
        wanted = frame(self.spark, EVENTS, *(event for world in worlds for event in world.events.values()))
        wanted, there = wanted.drop("run_id"), read(self.spark, self.root, EVENTS).drop("run_id")
        comparable = ["event_id", "event_date", "is_bot"]
        left, right = (set(map(tuple, f.select(*comparable).collect())) for f in (wanted, there))
        days = sorted({row[1].isoformat() for row in left ^ right})
        if days:
            rows = wanted.where(F.col("event_date").cast("string").isin(days)).coalesce(1)
            write.replace_where(self.spark, self.root, EVENTS, rows, "test", {"event_date": days})
        self._replace(IDENTITY_SIGHTINGS, build_identity_sightings(wanted))
        persons = [
            {"identifier_kind": kind, "identifier": identifier, "person_id": person}
            for world in worlds for (kind, identifier), person in world.persons.items()
        ]  # fmt: skip
        self._replace(IDENTITY_MAP, frame(self.spark, IDENTITY_MAP, *persons).drop("run_id"))

    def _replace(self, table: Table, rows: DataFrame) -> None:
        write.replace(self.spark, self.root, table, rows.coalesce(1), "test")

    def run(self, force: bool = False) -> Job:
        """Roll up; the next run builds upon this one."""
        self.runs += 1
        day = date(2024, 4, 1)
        job = Job(self.spark, self.settings, STAGE, f"run-{self.runs}", START, day, force, before=self.before)
        roll_up(job)
        outputs = {table.name: job.version(table) for table in ROLLUPS}
        self.before = Before(dict(job.inputs), outputs)
        return job

    def found(self, table: Table) -> Counter[str]:
        """The rows of a table."""
        return rows_of(read(self.spark, self.root, table).drop("run_id"))

    def expected(self) -> dict[Table, Counter[str]]:
        """What all events give at once."""
        events = read(self.spark, self.root, EVENTS).drop("run_id")
        whose = person_events(events, read(self.spark, self.root, IDENTITY_MAP))
        made = {
            SESSIONS: build_sessions(events, GAP),
            PERSON_DAYS: build_person_days(whose, "UTC"),
            PERSON_ITEM_DAYS: build_person_item_days(whose),
            PERSON_WORD_DAYS: build_person_word_days(whose),
        }
        return {table: rows_of(rows) for table, rows in made.items()}


def rows_of(rows: DataFrame) -> Counter[str]:
    return Counter(str(sorted(row.asDict(recursive=True).items())) for row in rows.collect())


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with quick_queries(spark):
        yield Lake(spark, tmp_path_factory.mktemp("lake"))


def test_days_one_by_one_give_what_all_at_once_gives(lake: Lake) -> None:
    worlds = [World(seed) for seed in range(WORLDS)]
    told: list[dict[str, Any]] = []
    for day in range(DAYS):
        for world in worlds:
            world.live(day)
        lake.put(worlds)
        told.append(lake.run().detail)
        for table, expected in lake.expected().items():
            assert lake.found(table) == expected, f"{table.name} after day {day}"
    assert told[0] == {"days_rolled_up": "all"}
    assert [detail["days_rolled_up"] for detail in told[1:]] == ["2"] * (DAYS - 1)
    assert sum(int(detail["days_with_moved_persons"]) for detail in told[1:]) > 0


def test_only_what_changed_is_written(lake: Lake) -> None:
    world = World(99)
    for day in range(3):
        world.live(day)
    lake.put([world])
    left = lake.run().outputs
    quiet = lake.run()
    assert quiet.detail == {"days_rolled_up": "0", "days_with_moved_persons": "0"} and not quiet.outputs
    world.events = {number: event for number, event in world.events.items() if event["event_at"].day != 2}
    lake.put([world])
    last = lake.run()
    assert last.detail == {"days_rolled_up": "1", "days_with_moved_persons": "0"}
    assert last.dates_written(PERSON_DAYS, left[PERSON_DAYS.name]) == {"2024-03-02"}


def test_everything_is_made_anew_where_the_last_run_cannot_be_built_upon(lake: Lake) -> None:
    world = World(7)
    world.live(0)
    lake.put([world])
    lake.run()
    good = lake.before
    assert good is not None
    cases = {"no run before": None, "other settings": Before(good.inputs, good.outputs, had_same_settings=False)}
    for before in cases.values():
        lake.before = before
        assert lake.run().detail == {"days_rolled_up": "all"}
    assert lake.run(force=True).detail == {"days_rolled_up": "all"}
    # A run that died after it had written one of the tables.
    write.replace(
        lake.spark, lake.root, PERSON_DAYS, read(lake.spark, lake.root, PERSON_DAYS).limit(0).drop("run_id"), "x"
    )
    assert lake.run().detail == {"days_rolled_up": "all"}
    assert lake.found(PERSON_DAYS) == lake.expected()[PERSON_DAYS]
