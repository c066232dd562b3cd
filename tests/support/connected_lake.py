"""A warehouse that is filled from sources that are no files, by the stage itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from ingest.lake import KEY, TABLES, lake_settings
from ingest.source_text import write_source
from personalake.errors import DataError
from personalake.job import EVERYTHING, Job, Selection
from personalake.past import Last
from personalake.stages.ingest import STAGE
from personalake.store.read import read
from personalake.store.schema import ensure_tables
from personalake.store.versions import versions_of
from personalake.tables.ingest import EVENTS, SOURCE_READS
from personalake.tables.spec import Table

DAY = 86_400


class ConnectedLake:
    """Sources, a raw folder and a warehouse below one folder; each run is a job of its own."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.folder, self.runs = spark, folder, 0
        self.key = KEY
        self.last: Last | None = None
        self.settings = lake_settings(folder)
        (folder / "raw").mkdir()
        ensure_tables(spark, self.settings.warehouse.root, TABLES)

    def source(self, name: str, connect: dict[str, Any] | None, **changes: Any) -> None:
        """Declare an event source: the one of the other tests of ingest, with a connection in place of files."""
        write_source(self.folder / "conf", name, connect=connect, **{"format": None, "path": None} | changes)

    def run(self, force: bool = False, dies_at: Table | None = None, selection: Selection = EVERYTHING) -> Job:
        """Run the stage; with `dies_at` it ends as by a kill just before it writes that table."""
        self.runs += 1
        now, run = datetime.now(UTC), f"run-{self.runs}"
        job = Job(self.spark, self.settings, STAGE, run, now, None, force, self.key, selection, last=self.last)
        if dies_at is not None:
            write = job.merge

            def merge(table: Table, *arguments: Any, **more: Any) -> None:
                if table is dies_at:
                    raise KeyboardInterrupt
                write(table, *arguments, **more)

            job.merge = merge  # type: ignore[method-assign]
        try:
            STAGE.run(job)
            self.last = Last(job.now, self.versions())
        except KeyboardInterrupt:
            assert dies_at is not None
        return job

    def faults(self, force: bool = False) -> list[str]:
        """The faults that the stage ends with; none where it ends well."""
        try:
            self.run(force)
        except DataError as error:
            return [str(fault) for fault in error.faults]
        return []

    def told(self, table: Table, *columns: str) -> list[tuple[Any, ...]]:
        """Some columns of a table's rows, sorted."""
        frame = read(self.spark, self.settings.warehouse.root, table).select(*columns)
        return sorted((tuple(row) for row in frame.collect()), key=str)

    def items(self) -> list[str]:
        """The item of each event, sorted: which records are there, and how often."""
        return [item for (item,) in self.told(EVENTS, "item_id")]

    def reads(self) -> list[tuple[str, int, int]]:
        """What the ledger says was read, with records in and refused."""
        return self.told(SOURCE_READS, "read_key", "rows_in", "rows_rejected")

    def versions(self) -> dict[str, int]:
        """Version of each table."""
        return versions_of(self.settings.warehouse.root, TABLES)
