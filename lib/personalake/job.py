"""What a stage gets to work with: pinned inputs, the write recipes, and a book of what it read and wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession

from personalake.config import Settings
from personalake.past import Before, Last
from personalake.privacy.keys import Key
from personalake.store import write
from personalake.store.changes import changed_partitions
from personalake.store.folders import scratch_path
from personalake.store.read import read
from personalake.store.versions import version_of, versions_of
from personalake.tables.spec import Table


@dataclass(frozen=True)
class Stage:
    """A stage of the flow.

    Args:
        name: its name; the command, the section of settings and the package are called the same.
        title: what it does, for help and docs.
        reads: tables of earlier stages.
        writes: tables it alone writes; it may read its own.
        sections: sections of settings that its rows depend on.
        run: the runner.
        fingerprint: what else decides whether it has anything to do, e.g. the raw files; name to hash.
        needs_as_of: whether its rows are as of a day.
    """

    name: str
    title: str
    reads: tuple[Table, ...]
    writes: tuple[Table, ...]
    sections: tuple[str, ...]
    run: Callable[[Job], None]
    fingerprint: Callable[[Settings], dict[str, str]] | None = None
    needs_as_of: bool = True


@dataclass(frozen=True)
class Selection:
    """Which part of what is there a run is about; as it stands, all of it.

    Args:
        sources: names of sources; none: every one.
        since: files last modified on this day or later [UTC].
        until: files last modified before this day [UTC].
    """

    sources: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    def has(self, moment: datetime) -> bool:
        """Whether a moment lies within the days."""
        day = moment.astimezone(UTC).date()
        return (self.since is None or day >= self.since) and (self.until is None or day < self.until)


EVERYTHING = Selection()


@dataclass
class Job:
    """One stage of one run. `now` is for book-keeping only.

    Args:
        previous_key: the de-identification key before, while it is still held.
        before: the stage's last complete run; None where it cannot be built upon.
        last: what that run left, by whichever code; None where there was none.
    """

    spark: SparkSession
    settings: Settings
    stage: Stage
    run_id: str
    now: datetime
    day: date | None
    force: bool = False
    key: Key | None = None
    selection: Selection = EVERYTHING
    previous_key: Key | None = None
    before: Before | None = None
    last: Last | None = None
    inputs: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    detail: dict[str, str] = field(default_factory=dict)
    rows_in: int | None = None
    rows_out: int = 0
    rows_rejected: int | None = None

    def __post_init__(self) -> None:
        self.inputs = versions_of(self.root, self.stage.reads)

    @property
    def root(self) -> str:
        """warehouse.root."""
        return self.settings.warehouse.root

    @property
    def as_of(self) -> date:
        """Everything before this day."""
        if self.day is None:
            raise ValueError(f"stage {self.stage.name} has no as-of day")
        return self.day

    def read(self, table: Table, version: int | None = None) -> DataFrame:
        """The rows of a table, without run_id: an input at the version it had when the stage began, or an own table.

        Args:
            table: which one.
            version: of an own table: as it was then; None: as it is when it is read.
        """
        if table in self.stage.reads:
            frame = read(self.spark, self.root, table, self.inputs[table.name])
        elif table in self.stage.writes:
            frame = read(self.spark, self.root, table, version)
        else:
            raise ValueError(f"stage {self.stage.name} does not declare that it reads {table.name}")
        return frame.select(*[c.name for c in table.cols])

    def changed_dates(self, source: Table, kept: Table, column: str = "event_date") -> list[str] | None:
        """Days on which an input changed since this stage was last complete: what is kept by day needs only these.

        Args:
            source: an input, partitioned by the column.
            kept: an own table, rows of which are made from the rows of one such day alone.
            column: the day.

        Returns:
            The days as YYYY-MM-DD, sorted: all on which rows may have come, gone or changed. None where everything must
            be made anew: no complete run by this very code, `kept` is no longer what that run left or more, or the
            log of the input cannot tell.
        """
        if self.force or self.before is None:
            return None
        return self.before.changed_dates(self.root, source, self.inputs[source.name], kept, column)

    def read_before(self, table: Table) -> DataFrame | None:
        """The rows of an input as the stage's last complete run read them; None where they can no longer be read."""
        if self.before is None or table.name not in self.before.inputs:
            return None
        try:
            frame = read(self.spark, self.root, table, self.before.inputs[table.name])
        except AnalysisException:  # older than Delta keeps files for
            return None
        return frame.select(*[c.name for c in table.cols])

    def is_as_left(self, table: Table) -> bool:
        """Whether an own table, by one column's folders or none, holds the rows that the last complete run left."""
        return self.before is not None and self.before.is_as_left(self.root, table)

    def was_written(self, table: Table) -> bool:
        """Whether an input was ever written since it was created: where not, no job need ask for its rows."""
        return self.inputs.get(table.name, 0) > 0

    def merge(
        self, table: Table, rows: DataFrame, version_column: str | None = None, gone: Column | None = None
    ) -> None:
        """See `store.write.merge`."""
        self._may_write(table)
        before = version_of(self.root, table.name)
        write.merge(self.spark, self.root, table, rows, self.run_id, version_column, self.force, gone)
        self._written(table, before)

    def replace(self, table: Table, rows: DataFrame) -> None:
        """See `store.write.replace`."""
        self._may_write(table)
        write.replace(self.spark, self.root, table, rows, self.run_id)
        self._written(table)

    def replace_where(self, table: Table, rows: DataFrame, slices: Mapping[str, object], also: str = "") -> None:
        """See `store.write.replace_where`."""
        self._may_write(table)
        write.replace_where(self.spark, self.root, table, rows, self.run_id, slices, also)
        self._written(table)

    def put_down(self, frame: DataFrame, name: str, *sorted_by: str) -> DataFrame:
        """Write rows to scratch and read them back: a long plan ends here, and is computed once.

        Args:
            frame: the rows.
            name: what they are called in this run.
            sorted_by: columns each file is sorted by.
        """
        path = scratch_path(self.root, self.run_id, f"{self.stage.name}-{name}")
        rows = frame.sortWithinPartitions(*sorted_by) if sorted_by else frame
        rows.write.mode("overwrite").parquet(path)
        return self.spark.read.schema(frame.schema).parquet(path)

    def version(self, table: Table) -> int:
        """The version of an own table now; -1 where it is not there."""
        found = version_of(self.root, table.name)
        return -1 if found is None else found

    def dates_written(self, table: Table, after: int, column: str = "event_date") -> frozenset[str]:
        """Days of an own table under which commits after a version put or took rows, as YYYY-MM-DD."""
        if (days := self.dates_since(table, after, column)) is None:
            raise RuntimeError(f"the log of {table.name} lacks commits of this very run")
        return days

    def dates_since(self, table: Table, after: int, column: str = "event_date") -> frozenset[str] | None:
        """The same after a version that another run left; None where the log cannot tell any more."""
        return changed_partitions(self.root, table.name, column, after, self.version(table))

    def note(self, **facts: object) -> None:
        """Tell something of this run, kept in `runs.detail`."""
        self.detail |= {name: str(value) for name, value in facts.items()}

    def _may_write(self, table: Table) -> None:
        if table not in self.stage.writes:
            raise ValueError(f"the flow does not give {table.name} to stage {self.stage.name}")

    def _written(self, table: Table, before: int | None = None) -> None:
        version = version_of(self.root, table.name) or 0
        self.outputs[table.name] = version
        # A merge that changes nothing makes no commit.
        self.rows_out += write.rows_of_last_commit(self.root, table.name, version) if version != before else 0
