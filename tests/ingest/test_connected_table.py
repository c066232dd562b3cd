"""Another Delta table through the whole stage: whole at first, then its change feed; feeds that are off or gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from ingest.lake import T
from personalake.tables.ingest import EVENTS, REJECTED_RECORDS
from support.connected_lake import ConnectedLake

SCHEMA = "ts string, visitor string, act string, item string"
FIELDS = {"device_id": "visitor", "event_type": "act", "item_id": "item"}


class Other:
    """Another team's table of events."""

    def __init__(self, spark: SparkSession, path: Path) -> None:
        self.spark, self.path = spark, str(path)

    def append(self, *rows: tuple[str, str, str]) -> None:
        """Visitor, act, item."""
        frame = self.spark.createDataFrame([(str(T), *row) for row in rows], SCHEMA).coalesce(1)
        frame.write.format("delta").mode("append").option("delta.enableChangeDataFeed", "true").save(self.path)

    def set_feed(self, is_on: bool) -> None:
        self.spark.sql(
            f"ALTER TABLE delta.`{self.path}` SET TBLPROPERTIES (delta.enableChangeDataFeed = {str(is_on).lower()})"
        )


@pytest.fixture(scope="module")
def other(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Other:
    table = Other(spark, tmp_path_factory.mktemp("other") / "team events")
    table.append(("v1", "pv", "a"), ("v2", "pv", "b"), ("v3", "swipe", "c"))
    return table


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, other: Other) -> ConnectedLake:
    made = ConnectedLake(spark, tmp_path_factory.mktemp("delta"))
    declare(made, other)
    return made


def declare(lake: ConnectedLake, other: Other, schema: str = SCHEMA) -> None:
    lake.source("team", {"kind": "delta", "path": other.path}, schema=schema, fields=FIELDS, event_id=["visitor"])


# The tests below happen in the order they stand here.
def test_columns_other_than_declared_stop_it_before_anything_is_written(lake, other):
    declare(lake, other, SCHEMA.replace("item string", "item int, price double"))
    assert lake.faults() == [
        f"source team: {other.path} does not fit the schema: column item is string, declared as int; column price is "
        "missing, declared as double. Mend the schema."
    ]
    assert (lake.items(), lake.reads()) == ([], [])
    declare(lake, other)


def test_the_first_run_reads_the_table_whole(lake, other):
    lake.run()
    assert lake.items() == ["a", "b"]
    path = other.path.replace(" ", "%20")
    assert lake.reads() == [(f"{path}/versions/-0", 3, 1)]
    assert lake.told(REJECTED_RECORDS, "file", "reason_code") == [(other.path, "ING-003")]


def test_the_next_one_reads_what_was_inserted_and_updated_since_and_of_two_states_the_later_stands(lake, other):
    other.append(("v4", "pv", "d"))
    table = DeltaTable.forPath(lake.spark, other.path)
    for item in ("z", "first", "second"):
        table.update(F.col("visitor") == "v1", {"item": F.lit(item)})
    table.delete(F.col("visitor") == "v2")
    job = lake.run()
    assert job.rows_in == 4
    assert lake.items() == ["b", "d", "second"]
    assert lake.run().rows_in == 0


def test_where_the_feed_was_off_it_says_so_and_force_reads_the_table_whole(lake, other):
    other.set_feed(False)
    other.append(("v5", "pv", "e"))
    before = lake.versions()
    assert lake.faults() == [
        "source team: the table kept no change feed for the versions since the last run. Set "
        "delta.enableChangeDataFeed on it; then `personalake ingest --force` reads the table whole."
    ]
    assert lake.versions() == before
    other.set_feed(True)
    lake.run(force=True)
    assert lake.items() == ["b", "d", "e", "second"]
    assert len(lake.told(EVENTS, "event_id")) == 4


def test_versions_that_were_vacuumed_are_told(lake, other):
    other.append(("v6", "pv", "f"))
    files = set(Path(other.path).glob("*.parquet"))
    other.append(("v7", "pv", "g"))
    newest = max(files, key=lambda path: path.stat().st_mtime_ns)
    newest.unlink()
    before = lake.versions()
    assert lake.faults() == [
        "source team: versions since the last run were vacuumed away. `personalake ingest --force` reads the table "
        "whole."
    ]
    assert lake.versions() == before


def test_a_table_that_is_gone_or_made_anew_is_told(lake, other):
    shutil.rmtree(other.path)
    assert lake.faults() == [f"source team: there is no Delta table at {other.path}. Check connect.path."]
    other.append(("v8", "pv", "h"))
    (told,) = lake.faults()
    assert told.startswith(f"source team: {other.path} is at version 0, but was read up to ")
    assert told.endswith(": it was made anew. `personalake ingest --force` reads it whole.")
    lake.run(force=True)
    assert lake.items() == ["b", "d", "e", "h", "second"]
