"""A raw folder with one source, and a warehouse that the stage fills, in this process."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from ingest.source_text import EVENT, write_source
from personalake.config import Settings, load_settings
from personalake.job import EVERYTHING, Job, Selection, Stage
from personalake.packaged import conf_folder
from personalake.past import Last
from personalake.privacy.keys import Key
from personalake.stages.ingest import STAGE
from personalake.stages.requeue import requeue_stage
from personalake.store.read import read
from personalake.store.schema import ensure_tables
from personalake.store.versions import versions_of
from personalake.tables.ingest import (
    EVENTS,
    IDENTIFIER_ALIASES,
    REJECTED_RECORDS,
    SOURCE_ALARMS,
    SOURCE_DAYS,
    SOURCE_READS,
)
from personalake.tables.spec import Table

KEY = Key(b"a key of tests only, as long as one must be")
TABLES = (EVENTS, IDENTIFIER_ALIASES, REJECTED_RECORDS, SOURCE_DAYS, SOURCE_ALARMS, SOURCE_READS)
HEADER = "ts,visitor,uid,act,item,price,note"
T = 1_476_619_200
# What tells when or from which file a row came.
ARRIVAL = {"received_at", "run_id"}


def lake_settings(folder: Path, *overrides: str) -> Settings:
    """Settings of a raw folder, sources and a warehouse below one folder."""
    own = [f"raw.root={folder / 'raw'}", f"warehouse.root={folder / 'lake'}", f"sources.folder={folder / 'conf'}"]
    return load_settings([str(conf_folder() / "base.yaml")], [*own, *overrides])


class Lake:
    """A raw folder, its sources and a warehouse."""

    def __init__(self, spark: SparkSession, folder: Path, *overrides: str) -> None:
        self.spark, self.folder, self.runs = spark, folder, 0
        self.last: Last | None = None
        self.source()
        self.settings = lake_settings(folder, *overrides)
        ensure_tables(spark, self.settings.warehouse.root, TABLES)

    def source(self, name: str = "web", **changes: Any) -> None:
        fields = EVENT["fields"] | {"value": "try_cast(price as double)"}
        content = {"fields": fields, "event_id": ["visitor", "item"], "revision": "note", **changes}
        write_source(self.folder / "conf", name, **content)

    def put(self, name: str, lines: list[str], modified: int = T) -> None:
        path = self.folder / "raw" / "web" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([HEADER, *lines]) + "\n")
        os.utime(path, (modified, modified))

    def job(
        self, force: bool = False, key: Key | None = KEY, selection: Selection = EVERYTHING, stage: Stage = STAGE
    ) -> Job:
        self.runs += 1
        now, run = datetime.now(UTC), f"run-{self.runs}"
        return Job(self.spark, self.settings, stage, run, now, None, force, key, selection, last=self.last)

    def done(self, job: Job) -> Job:
        """Run a job to its end."""
        job.stage.run(job)
        self.last = Last(job.now, self.versions())
        return job

    def run(self, force: bool = False, key: Key | None = KEY, selection: Selection = EVERYTHING) -> Job:
        return self.done(self.job(force, key, selection))

    def requeue(self, source: str, reason: str = "", key: Key = KEY, previous: Key | None = None) -> Job:
        job = self.job(key=key, stage=requeue_stage(self.settings, source, reason))
        job.previous_key = previous
        return self.done(job)

    def rows(self, table: Table, without: set[str] = ARRIVAL) -> list[tuple[object, ...]]:
        names = [name for name in table.names if name not in without]
        frame = read(self.spark, self.settings.warehouse.root, table).select(*names)
        return sorted((tuple(map(str, row)) for row in frame.collect()), key=str)

    def versions(self) -> dict[str, int]:
        return versions_of(self.settings.warehouse.root, TABLES)
