"""Sources against their own past: counts by day, and alarms."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from pyspark.errors import AnalysisException
from pyspark.sql import Row
from pyspark.sql import functions as F

from personalake.ingest.source import Source
from personalake.ingest.watch import DAY_KINDS, AlarmRow, Read, day_alarms, field_alarms, source_days
from personalake.job import Job
from personalake.tables.ingest import EVENTS, SOURCE_ALARMS, SOURCE_DAYS, SOURCE_READS

_SHOWN = 5
_KEY = len(SOURCE_ALARMS.key)


def count_days(job: Job, days: Collection[date] | None) -> None:
    """Count the events of each source anew.

    Args:
        job: the stage.
        days: business days; None: all.
    """
    if days is not None and not days:
        return
    counted = F.lit(True) if days is None else F.col("event_date").isin(sorted(days))
    gone = F.lit(True) if days is None else F.col("t.event_date").isin(sorted(days))
    events = job.read(EVENTS).where(counted)
    job.merge(SOURCE_DAYS, source_days(events, job.settings.ingest.late_hours), gone=gone)


def note_alarms(job: Job, sources: Sequence[Source]) -> None:
    """Compare all sources with their past, keep what is unlike it, and name what is new.

    Args:
        job: the stage; what it read is in the ledger.
        sources: all that are configured, whichever this run is about: what one of them sends tells that another one is
            silent.
    """
    before = {tuple(row) for row in job.read(SOURCE_ALARMS).collect()}
    names = [source.name for source in sources]
    days = job.read(SOURCE_DAYS).select("source", "event_date", "event_count", "late_count").collect()
    found = day_alarms(map(tuple, days), names, job.settings.ingest)
    rows = [*found, *_of_fields(job, sources, before)]
    days_before = {row for row in before if row[1] in DAY_KINDS and row[0] in names}
    if set(rows) - before or days_before - set(rows):
        frame = job.spark.createDataFrame(rows, SOURCE_ALARMS.row_schema)
        gone = F.col("t.alarm_kind").isin(*DAY_KINDS) & F.col("t.source").isin(names)
        job.merge(SOURCE_ALARMS, frame, gone=gone)
    known = {row[:_KEY] for row in before}
    new = sorted((row for row in rows if row[:_KEY] not in known), key=lambda row: (row[3], row[:3]), reverse=True)
    if new:
        told = "; ".join(f"{row[0]} {row[1].replace('_', ' ')} on {row[3]}: {row[6]}" for row in new[:_SHOWN])
        job.note(alarms=len(new), newest_alarms=told)


def _of_fields(job: Job, sources: Sequence[Source], before: Collection[tuple[object, ...]]) -> list[AlarmRow]:
    """Of what was read since the stage was last complete, which is more than this run read where one before it died."""
    past, fresh = _ledgers(job)
    found: list[AlarmRow] = []
    for source in sources:
        its = [row for row in fresh if row["source"] == source.name]
        if its:
            old = [_read_of(row) for row in past if row["source"] == source.name]
            rows = field_alarms(source, list(map(_read_of, its)), old, job.settings.ingest.watch_min_events)
            earlier = [_read_of(row).modified_on for row in its if not row["_is_of_this_run"]]
            found += [row for row in rows if not _is_told(row, before, min(earlier, default=None))]
    return found


def _is_told(row: AlarmRow, before: Collection[tuple[object, ...]], since: date | None) -> bool:
    """Whether a run that was not completed has raised the same alarm, for an earlier file."""
    return since is not None and any(row[:3] == old[:3] and since <= old[3] < row[3] for old in before)  # type: ignore[operator]


def _ledgers(job: Job) -> tuple[list[Row], list[Row]]:
    """Rows of source_reads that the last complete run left, and those that are there since."""
    left = job.last.outputs.get(SOURCE_READS.name) if job.last else None
    if left == job.version(SOURCE_READS):
        return [], []
    is_own = F.col("read_at") == F.lit(job.now)
    rows = job.read(SOURCE_READS).where("filled_counts IS NOT NULL").withColumn("_is_of_this_run", is_own).collect()
    if left is None:
        return [], rows
    try:
        past = job.read(SOURCE_READS, left).where("filled_counts IS NOT NULL").collect()
    except AnalysisException:  # older than Delta keeps files for
        return [row for row in rows if not row["_is_of_this_run"]], [row for row in rows if row["_is_of_this_run"]]
    known = {(row["source"], row["read_key"], row["read_at"]) for row in past}
    return past, [row for row in rows if (row["source"], row["read_key"], row["read_at"]) not in known]


def _read_of(row: Row) -> Read:
    taken = row["rows_in"] - row["rows_rejected"]
    filled, undeclared = row["filled_counts"] or {}, row["undeclared_counts"] or {}
    return Read(row["source"], taken, row["modified_at"].date(), filled, undeclared)
