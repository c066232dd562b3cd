"""Sources against their own past: counts by day, and alarms."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from pyspark.sql import Row
from pyspark.sql import functions as F

from personalake.ingest.source import Source
from personalake.ingest.watch import DAY_KINDS, AlarmRow, Read, day_alarms, field_alarms, source_days
from personalake.job import Job
from personalake.tables.ingest import EVENTS, SOURCE_ALARMS, SOURCE_DAYS

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


def note_alarms(job: Job, sources: Sequence[Source], now: Sequence[Row], ledger: Sequence[Row]) -> None:
    """Compare the sources with their past, keep what is unlike it, and name what is new.

    Args:
        job: the stage.
        sources: those that are configured.
        now: this run's rows of source_reads; the table does not have them yet.
        ledger: those it has.
    """
    before = {tuple(row) for row in job.read(SOURCE_ALARMS).collect()}
    names = [source.name for source in sources]
    days = job.read(SOURCE_DAYS).select("source", "event_date", "event_count", "late_count").collect()
    found = day_alarms(map(tuple, days), names, job.settings.ingest)
    rows = [*found, *_of_fields(job, sources, now, ledger)]
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


def _of_fields(job: Job, sources: Sequence[Source], now: Sequence[Row], ledger: Sequence[Row]) -> list[AlarmRow]:
    fresh = [row for row in now if row["filled_counts"] is not None]
    keys = {(row["source"], row["read_key"]) for row in fresh}
    known = [row for row in ledger if row["filled_counts"] is not None]
    past = [_read_of(row) for row in known if (row["source"], row["read_key"]) not in keys]
    reads = [_read_of(row) for row in fresh]
    least = job.settings.ingest.watch_min_events
    found: list[AlarmRow] = []
    for source in sources:
        its = [read for read in reads if read.source == source.name]
        if its:
            found += field_alarms(source, its, [read for read in past if read.source == source.name], least)
    return found


def _read_of(row: Row) -> Read:
    taken = row["rows_in"] - row["rows_rejected"]
    filled, undeclared = row["filled_counts"] or {}, row["undeclared_counts"] or {}
    return Read(row["source"], taken, row["modified_at"].date(), filled, undeclared)
