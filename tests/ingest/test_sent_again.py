"""Old records that come again beside a new day's: only the new day is written."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from ingest.lake import Lake, T
from ingest.test_review import SETTINGS
from personalake.tables.ingest import EVENTS

DAY = 86_400
OLD = [f"{T},a,u,pv,one,N,x", f"{T + 1},a,u,pv,two,,x", f"{T + DAY},a,u,pv,three,,y"]


def test_records_that_come_again_and_neighbours_that_stay_as_they_are_touch_no_day(spark: SparkSession, tmp_path: Path):
    lake = Lake(spark, tmp_path)
    lake.source(**SETTINGS)
    lake.put("1.csv", OLD)
    lake.run()
    before, rows = lake.versions()["events"], lake.rows(EVENTS)
    lake.put("2.csv", [*OLD[1:], f"{T + 2 * DAY},a,u,pv,four,,z"], T + DAY)
    job = lake.run()
    assert job.dates_written(EVENTS, before) == {"2016-10-18"}
    # By force all files are read once more.
    before = lake.versions()["events"]
    job = lake.run(force=True)
    assert job.dates_written(EVENTS, before) == frozenset()
    assert [row for row in lake.rows(EVENTS) if "2016-10-18" not in row] == rows
