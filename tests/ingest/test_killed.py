"""Runs that die between the merge of events and what hangs on it: the next one leaves what none that died leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from ingest.lake import Lake, T
from ingest.source_text import EVENT
from personalake.job import Selection
from personalake.runner import Options, Runner
from personalake.stages.ingest import STAGE
from personalake.store import write
from personalake.store.read import read
from personalake.tables.ingest import EVENTS, SOURCE_DAYS

DAY = 86_400
FILLED = {"region": {"from": ["session"], "default": "nowhere"}}
# second, device, revision, verb, item, region, visit
FIRST = [
    f"{T},a,1,pv,corrected,N,V1",
    f"{T + 1},b,1,pv,left alone,,V1",
    f"{T + 2},c,1,pv,stays,,V2",
    f"{T + DAY},d,1,pv,next day,,V3",
]
SECOND = [f"{T + DAY + 1},a,2,pv,corrected,S,V3", f"{T + 3},e,1,pv,late,M,V2"]


class Killed(BaseException):
    """What no code of the stage catches."""


class Warehouse:
    """One source whose events depend on one another and another one that goes on beside it, run as the command does."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.lake, self.spark = Lake(spark, folder), spark
        fields = {**EVENT["fields"], "source_session_id": "note", "region": "price"}
        del fields["login_id"]
        more = {"fields": fields, "event_id": ["item"], "revision": "uid", "null_values": [""]}
        self.lake.source(**more, fill=FILLED)
        self.lake.source("beside", **more, path="beside/*")

    def run(self, *sources: str) -> str:
        runner = Runner(self.spark, self.lake.settings, Options(selection=Selection(sources)))
        return runner.run(runner.checked([STAGE])[0]).state

    def told(self) -> tuple[dict[str, tuple[str, str | None]], dict[tuple[str, str], int]]:
        """Item to day and region; source and day to events."""
        root = self.lake.settings.warehouse.root
        events = read(self.spark, root, EVENTS).where("source = 'web'").collect()
        days = read(self.spark, root, SOURCE_DAYS).collect()
        return (
            {row.item_id: (str(row.event_date), row.region) for row in events},
            {(row.source, str(row.event_date)): row.event_count for row in days},
        )


@pytest.mark.slow
def test_what_a_run_that_died_left_undone_is_done_by_the_next_one(spark, tmp_path, monkeypatch):
    warehouse, reached = Warehouse(spark, tmp_path), write.reached
    warehouse.lake.put("../beside/1.csv", [f"{T},z,1,pv,beside,,"])
    warehouse.lake.put("1.csv", FIRST)
    warehouse.run()
    warehouse.lake.put("2.csv", SECOND, T + DAY)
    warehouse.lake.put("../beside/2.csv", [f"{T + DAY},z,1,pv,beside too,,"], T + DAY)

    def kill(name: str) -> None:
        reached(name)
        if name == "write:events":
            raise Killed

    # Twice it dies as soon as it has written events; then another source's news come alone.
    monkeypatch.setattr(write, "reached", kill)
    for _ in range(2):
        with pytest.raises(Killed):
            warehouse.run("web")
    monkeypatch.setattr(write, "reached", reached)
    assert warehouse.run("beside") == "complete"
    assert warehouse.run() == "complete"
    one, two = "2016-10-16", "2016-10-17"
    values = {
        "corrected": (two, "S"),
        "left alone": (one, "nowhere"),
        "stays": (one, "M"),
        "late": (one, "M"),
        "next day": (two, "S"),
    }
    counts = {("web", one): 3, ("web", two): 2, ("beside", one): 1, ("beside", two): 1}
    assert warehouse.told() == (values, counts)
