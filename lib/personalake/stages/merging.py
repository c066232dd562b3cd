"""From mapped records to the tables of ingest: what is refused, what stands, and how things are now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.ingest.entities import (
    doubtful_keys,
    identifier_aliases,
    latest_by_key,
    only_news,
    only_one_per_key,
    rejected_records,
)
from personalake.ingest.mapping import ALIASES
from personalake.ingest.source import Source
from personalake.job import Job
from personalake.stages.arrivals import Tally
from personalake.stages.review import look_again
from personalake.stages.watch import count_days
from personalake.tables.ingest import (
    CUSTOMER_VERSIONS,
    CUSTOMERS,
    EVENTS,
    IDENTIFIER_ALIASES,
    ITEM_VERSIONS,
    ITEMS,
    REJECTED_RECORDS,
)
from personalake.tables.spec import Table

# From so many records on, asking first which keys come twice costs less than sorting all rows to find out.
MANY = 200_000
_NOW = {"item": (ITEM_VERSIONS, ITEMS), "customer": (CUSTOMER_VERSIONS, CUSTOMERS)}


def merge_staged(
    job: Job, staged: DataFrame, sources: Sequence[Source], found: Tally, gone: Column | None = None
) -> None:
    """Merge the staged records of one entity.

    Args:
        job: whose tables.
        staged: rows from `map_records`, put down.
        sources: whose records they are.
        found: what is counted of them.
        gone: which rows of `rejected_records`, as `t`, are taken away unless they are refused again; None: none.
    """
    if found.rejected or gone is not None:
        job.merge(REJECTED_RECORDS, rejected_records(staged, job.settings.raw.root), gone=gone)
    merge_entity(job, staged, sources, found)


def merge_entity(job: Job, staged: DataFrame, sources: Sequence[Source], found: Tally) -> None:
    """Merge the good rows of staged records of one entity, and what hangs on them."""
    rows = _one_per_key(job, staged, sources[0].table, found)
    if sources[0].entity == "event" and job.version(EVENTS) > 0:
        # What comes again as it is would have its whole day written anew, and all that is built on it. Its day is the
        # same too, so no other day need be looked at; a new day holds nothing that need be.
        old = job.read(EVENTS).where(F.col("event_date").isin(sorted(found.days)))
        rows = only_news(rows, old, EVENTS, job.force)
    _merge_good(job, staged, sources, found.days, rows)


def _one_per_key(job: Job, staged: DataFrame, table: Table, found: Tally) -> DataFrame:
    doubtful = job.put_down(doubtful_keys(staged, table), f"doubtful-{table.name}") if found.rows >= MANY else None
    return only_one_per_key(staged, table, doubtful)


@dataclass(frozen=True)
class News:
    """What of some staged records the tables do not have yet; None where that is nothing."""

    refused: DataFrame | None
    taken: DataFrame | None

    @property
    def is_any(self) -> bool:
        """Whether there is anything."""
        return self.refused is not None or self.taken is not None


def find_news(job: Job, staged: DataFrame, source: Source, found: Tally) -> News:
    """What is new in the staged records of one entity, most of which may be there already.

    Args:
        job: whose tables.
        staged: rows from `map_records`, put down.
        source: the source.
        found: what is counted of them.
    """
    refused = rejected_records(staged, job.settings.raw.root)
    return News(
        _news(job, REJECTED_RECORDS, refused, source) if found.rejected else None,
        _news(job, source.table, _one_per_key(job, staged, source.table, found), source),
    )


def merge_news(job: Job, staged: DataFrame, source: Source, days: Collection[date], news: News) -> None:
    """Merge what is new of staged records, and do what hangs on all of them, which a run that died may have left."""
    if news.refused is not None:
        job.merge(REJECTED_RECORDS, news.refused)
    _merge_good(job, staged, [source], days, news.taken)


def _news(job: Job, table: Table, rows: DataFrame, source: Source) -> DataFrame | None:
    news = job.put_down(only_news(rows, job.read(table), table), f"news-of-{source.name}-for-{table.name}")
    return None if news.isEmpty() else news


def _merge_good(
    job: Job, staged: DataFrame, sources: Sequence[Source], days: Collection[date], rows: DataFrame | None
) -> None:
    table, entity = sources[0].table, sources[0].entity
    version = job.version(table)
    then = look_again(job, sources, staged) if entity == "event" else None
    if rows is not None:
        job.merge(table, rows, "record_version")
    if then is not None:
        then()
    if entity == "event":
        # Also the days that a correction took an event from.
        count_days(job, {*days, *map(date.fromisoformat, job.dates_written(EVENTS, version))})
    if entity in _NOW:
        versions, now = _NOW[entity]
        job.replace(now, latest_by_key(job.read(versions), now))
    if ALIASES in staged.columns and job.key and job.previous_key and entity != "item":
        job.merge(IDENTIFIER_ALIASES, identifier_aliases(staged, job.key.key_id, job.previous_key.key_id))
