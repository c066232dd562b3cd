"""What several stages read the same way: some days, and how items and customers were as of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.config import Settings
from personalake.ingest.entities import latest_by_key
from personalake.ingest.source import Source, load_sources
from personalake.job import Job
from personalake.tables.ingest import CUSTOMER_VERSIONS, CUSTOMERS, ITEM_VERSIONS, ITEMS
from personalake.tables.predictions import PREDICTIONS


def sources_of(settings: Settings) -> tuple[Source, ...]:
    """The sources that the settings name a folder of, each checked whole."""
    return load_sources(Path(settings.sources.folder), settings.ingest.event_types)


def predictions_of_day(job: Job) -> DataFrame | None:
    """The predictions of the job's day; None where nothing was ever predicted."""
    if not job.was_written(PREDICTIONS):
        return None
    return job.read(PREDICTIONS).where(F.col("as_of_date") == F.lit(job.as_of))


def day_start(day: date, time_zone: str) -> Column:
    """The moment at which a business day begins, as `event_date` counts days."""
    return F.to_utc_timestamp(F.lit(day).cast("timestamp"), time_zone)


def items_as_of(job: Job, as_of: date) -> DataFrame:
    """Items as they were known at the start of a day."""
    return latest_by_key(job.read(ITEM_VERSIONS), ITEMS, day_start(as_of, job.settings.time_zone))


def catalogue_as_of(job: Job, as_of: date) -> DataFrame | None:
    """The same as lists are made from: None where nothing is known of any item."""
    items = items_as_of(job, as_of)
    return None if items.isEmpty() else items


def customers_as_of(job: Job, as_of: date) -> DataFrame:
    """Customers as they were known at the start of a day."""
    return latest_by_key(job.read(CUSTOMER_VERSIONS), CUSTOMERS, day_start(as_of, job.settings.time_zone))


def on_days(frame: DataFrame, days: Sequence[date], column: str = "event_date") -> DataFrame:
    """The rows of some days; of a table with a folder a day nothing else is read."""
    return frame.where(F.col(column).isin(list(days)))


def by_day(rows: DataFrame, column: str = "event_date") -> DataFrame:
    """One file a day: else each task would write one to each day's folder."""
    return rows.repartition(column)
