"""From mapped records to the tables of ingest: what is refused, what stands, and how things are now."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame

from personalake.ingest.entities import latest_by_key, only_news, only_one_per_key, rejected_records
from personalake.ingest.source import Source
from personalake.job import Job
from personalake.tables.ingest import CUSTOMER_VERSIONS, CUSTOMERS, ITEM_VERSIONS, ITEMS, REJECTED_RECORDS
from personalake.tables.spec import Table

_NOW = {"item": (ITEM_VERSIONS, ITEMS), "customer": (CUSTOMER_VERSIONS, CUSTOMERS)}


def merge_staged(job: Job, staged: DataFrame, source: Source, has_rejected: bool, gone: Column | None = None) -> None:
    """Merge the staged records of one entity.

    Args:
        job: whose tables.
        staged: rows from `map_records`, put down.
        source: any source of the entity.
        has_rejected: whether any of the rows is refused.
        gone: which rows of `rejected_records`, as `t`, are taken away unless they are refused again; None: none.
    """
    if has_rejected or gone is not None:
        job.merge(REJECTED_RECORDS, rejected_records(staged, job.settings.raw.root), gone=gone)
    job.merge(source.table, only_one_per_key(staged, source.table), "record_version")
    _renew(job, source)


def merge_news(job: Job, staged: DataFrame, source: Source, has_rejected: bool) -> bool:
    """Merge the staged records of one entity, most of which may be there already: no table is touched without need.

    Args:
        job: whose tables.
        staged: rows from `map_records`, put down.
        source: the source.
        has_rejected: whether any of the rows is refused.

    Returns:
        Whether anything was new.
    """
    refused = rejected_records(staged, job.settings.raw.root)
    has_refused = has_rejected and _merge_news(job, REJECTED_RECORDS, refused, source, None)
    has_taken = _merge_news(job, source.table, only_one_per_key(staged, source.table), source, "record_version")
    if has_taken:
        _renew(job, source)
    return has_refused or has_taken


def _merge_news(job: Job, table: Table, rows: DataFrame, source: Source, version: str | None) -> bool:
    news = job.put_down(only_news(rows, job.read(table), table), f"news-of-{source.name}-for-{table.name}")
    if news.isEmpty():
        return False
    job.merge(table, news, version)
    return True


def _renew(job: Job, source: Source) -> None:
    if source.entity in _NOW:
        versions, now = _NOW[source.entity]
        job.replace(now, latest_by_key(job.read(versions), now))
