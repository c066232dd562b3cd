"""From mapped records to the tables of ingest: what is refused, what stands, and how things are now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame

from personalake.ingest.entities import latest_by_key, only_one_per_key, rejected_records
from personalake.ingest.source import Source
from personalake.job import Job
from personalake.stages.review import look_again
from personalake.stages.watch import count_days
from personalake.tables.ingest import CUSTOMER_VERSIONS, CUSTOMERS, ITEM_VERSIONS, ITEMS, REJECTED_RECORDS

_NOW = {"item": (ITEM_VERSIONS, ITEMS), "customer": (CUSTOMER_VERSIONS, CUSTOMERS)}


def merge_staged(
    job: Job,
    staged: DataFrame,
    sources: Sequence[Source],
    days: Collection[date],
    has_rejected: bool,
    gone: Column | None = None,
) -> None:
    """Merge the staged records of one entity.

    Args:
        job: whose tables.
        staged: rows from `map_records`, put down.
        sources: whose records they are.
        days: business days of the good ones, of events.
        has_rejected: whether any of the rows is refused.
        gone: which rows of `rejected_records`, as `t`, are taken away unless they are refused again; None: none.
    """
    if has_rejected or gone is not None:
        job.merge(REJECTED_RECORDS, rejected_records(staged, job.settings.raw.root), gone=gone)
    merge_entity(job, staged, sources, days)


def merge_entity(job: Job, staged: DataFrame, sources: Sequence[Source], days: Collection[date]) -> None:
    """Merge the good rows of staged records of one entity, and what hangs on them."""
    table, entity = sources[0].table, sources[0].entity
    version = job.version(table)
    then = look_again(job, sources, staged) if entity == "event" else None
    job.merge(table, only_one_per_key(staged, table), "record_version")
    if then is not None:
        then()
    if entity == "event":
        count_days(job, days, version)
    if entity in _NOW:
        versions, now = _NOW[entity]
        job.replace(now, latest_by_key(job.read(versions), now))
