"""The map's past: what was published as of any day can be had again, whatever came later."""

from __future__ import annotations

import itertools
import random
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from identity.seen import MAP_SCHEMA, START
from personalake.identity.history import build_identity_map_versions, map_as_of, versions_with_later
from personalake.tables.identity import IDENTITY_MAP, IDENTITY_MAP_VERSIONS

SEED, DAYS = 17, 5
FIRST = date(2026, 4, 1)
Map = dict[tuple[str, str], tuple[str, datetime, str]]


def random_maps() -> list[Map]:
    """A map a day: identifiers come, change their person, their first event or their key, leave, come back."""
    rng = random.Random(SEED)
    maps: list[Map] = [{}]
    for _ in range(DAYS):
        now = dict(maps[-1])
        for n in rng.sample(range(40), 12):
            key = (rng.choice(["login", "device"]), f"i{n}")
            said = (f"p{rng.randrange(9)}", START + timedelta(minutes=rng.randrange(3)), rng.choice(["k1", "k2"]))
            if rng.random() < 0.25:
                now.pop(key, None)
            else:
                now[key] = said
        maps.append(now)
    return maps[1:]


def frame_of(spark: SparkSession, said: Map) -> DataFrame:
    return spark.createDataFrame([(*key, *row) for key, row in said.items()], MAP_SCHEMA)


def told(frame: DataFrame) -> list[tuple[Any, ...]]:
    return sorted(tuple(map(str, row)) for row in frame.collect())


@pytest.fixture(scope="module")
def versions(spark: SparkSession) -> DataFrame:
    """What five runs wrote, one a day; the third is done twice, first with another map."""
    written = spark.createDataFrame([], IDENTITY_MAP_VERSIONS.row_schema)
    maps = random_maps()
    for n, now in enumerate(maps):
        day = FIRST + timedelta(days=n)
        for attempt in [maps[0], now] if n == 2 else [now]:
            before = map_as_of(written, day, is_before=True)
            changed = build_identity_map_versions(frame_of(spark, attempt), before, day)
            kept = written.where(written.effective_date != day)  # the slice of the day is replaced
            written = kept.unionByName(changed).localCheckpoint()
    return written


def test_the_map_of_each_day_is_as_it_was_published(spark: SparkSession, versions: DataFrame) -> None:
    for n, expected in enumerate(random_maps()):
        day = FIRST + timedelta(days=n)
        assert told(map_as_of(versions, day)) == told(frame_of(spark, expected)), f"seed {SEED}, day {n}"
    assert told(map_as_of(versions, FIRST - timedelta(days=1))) == []
    assert told(map_as_of(versions, FIRST + timedelta(days=99))) == told(frame_of(spark, random_maps()[-1]))


def test_only_what_changed_is_written(spark: SparkSession, versions: DataFrame) -> None:
    maps = [{}, *random_maps()]
    changes = sum(
        len({key for key in {*before, *now} if before.get(key) != now.get(key)})
        for before, now in itertools.pairwise(maps)
    )
    assert versions.count() == changes
    day = FIRST + timedelta(days=DAYS)
    assert build_identity_map_versions(map_as_of(versions, day), map_as_of(versions, day), day).isEmpty()


def test_a_past_day_done_again_leaves_what_later_days_said(spark: SparkSession, versions: DataFrame) -> None:
    maps, last = random_maps(), FIRST + timedelta(days=DAYS - 1)
    written = versions
    # The first day, one in the middle and the last, each with a map of its own; the days after the last one are silent.
    for n, told_now in ((0, maps[3]), (2, maps[0]), (DAYS - 1, maps[1])):
        day = FIRST + timedelta(days=n)
        later = day + timedelta(days=1)
        changed, days = versions_with_later(frame_of(spark, told_now), written, day, later)
        assert days == [day, later]
        written = written.where(~written.effective_date.isin(days)).unionByName(changed).localCheckpoint()
    expected = [maps[3], maps[1], maps[0], maps[3], maps[1], maps[-1]]
    for n, now in enumerate(expected):
        assert told(map_as_of(written, FIRST + timedelta(days=n))) == told(frame_of(spark, now)), f"day {n}"
    assert last + timedelta(days=1) in {row.effective_date for row in written.collect()}


def test_both_are_built_as_declared(versions: DataFrame) -> None:
    for frame, table in ((versions, IDENTITY_MAP_VERSIONS), (map_as_of(versions, FIRST), IDENTITY_MAP)):
        assert [(f.name, f.dataType) for f in frame.schema] == [(c.name, c.type) for c in table.cols]
