"""Alarms of all sources together: which of them a run is about, and whether its records lie in files, makes no odds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from ingest.lake import HEADER, T
from personalake.job import Selection
from personalake.tables.ingest import SOURCE_ALARMS, SOURCE_READS
from support.connected_lake import DAY, ConnectedLake
from support.http_api import Api, Reply, http_api

SCHEMA = "ts string, visitor string, uid string, act string, item string"
FIELDS = {"device_id": "visitor", "login_id": "uid", "event_type": "act", "item_id": "item"}
MANY = 25


class World:
    """A file source, another team's Delta table and an HTTP API, of which a test says what is there."""

    def __init__(self, lake: ConnectedLake, api: Api) -> None:
        self.lake, self.table = lake, str(lake.folder / "team")
        self.records: list[dict[str, str]] = []
        api.answer = lambda asked: Reply(self.records)
        declared = {"schema": SCHEMA, "fields": FIELDS, "event_id": ["ts", "item"]}
        lake.source("web", None, format="csv", path="*.csv")
        lake.source("team", {"kind": "delta", "path": self.table}, **declared)
        lake.source("shop", {"kind": "rest", "url": api.url}, **declared)

    def put_file(self, name: str, days: range) -> None:
        lines = [f"{T + n * DAY},v1,u,pv,{n},1,1" for n in days]
        (self.lake.folder / "raw" / name).write_text("\n".join([HEADER, *lines]) + "\n")

    def append(self, days: range, uid: str | None, *more: str) -> None:
        """So many rows a day to the Delta table, each with a text in further columns."""
        rows = [(str(T + n * DAY), "v", uid, "pv", f"{n}/{m}", *more) for n in days for m in range(MANY)]
        schema = ", ".join([SCHEMA, *(f"{name} string" for name in more)])
        writer = self.lake.spark.createDataFrame(rows, schema).coalesce(1).write.format("delta").mode("append")
        writer.options(mergeSchema="true", **{"delta.enableChangeDataFeed": "true"}).save(self.table)

    def answer(self, first: int, uid: str, **more: str) -> None:
        """So many records of the API, three of them with further fields."""
        told = {"ts": str(T), "visitor": "v", "act": "pv"} | ({"uid": uid} if uid else {})
        self.records = [told | {"item": f"{first + n}"} | (more if n < 3 else {}) for n in range(MANY)]

    def alarms(self) -> set[tuple[str, str, str, float]]:
        return set(self.lake.told(SOURCE_ALARMS, "source", "alarm_kind", "subject", "value"))


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with http_api(lambda asked: Reply([])) as api:
        yield World(ConnectedLake(spark, tmp_path_factory.mktemp("alarms")), api)


# The tests below happen in the order they stand here.
def test_a_source_that_is_silent_is_told_by_a_run_about_another_one(world: World) -> None:
    world.put_file("1.csv", range(8))
    world.append(range(8), "u")
    world.answer(0, "u")
    world.lake.run()
    assert world.alarms() == set()
    world.put_file("2.csv", range(8, 12))
    world.lake.run(selection=Selection(("web",)))
    days = {day.day for (day,) in world.lake.told(SOURCE_ALARMS, "alarm_date")}
    assert world.alarms() == {("team", "quiet", "events", 0.0)}
    # Its first silent day is unlike all days before it, the next ones are not.
    assert days == {24}


def test_fields_that_come_and_go_are_told_of_sources_that_are_no_files(world: World) -> None:
    before = world.alarms()
    world.append(range(8, 12), None, "extra")
    world.answer(100, "", colour="red", **{"ann@example.org": "no name of a field"})
    # It dies when all is read: the next run finds nothing new, and tells it all the same.
    world.lake.run(dies_at=SOURCE_ALARMS)
    assert world.alarms() == before
    world.lake.run()
    assert world.alarms() == {
        ("team", "vanished_field", "login_id", 0.0),
        ("team", "undeclared_field", "extra", float(4 * MANY)),
        ("shop", "vanished_field", "login_id", 0.0),
        ("shop", "undeclared_field", "colour", 3.0),
        ("shop", "undeclared_field", "(other)", 3.0),
    }
    counts = world.lake.told(SOURCE_READS, "source", "filled_counts", "undeclared_counts")
    filled = {"device_id": MANY, "event_type": MANY, "item_id": MANY}
    assert ("shop", filled, {"(other)": 3, "colour": 3}) in counts
