"""Rows of another Delta table: whole at first, then what its change feed says."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from pyspark.sql import functions as F

from personalake.ingest.connect.batch import Asked, Batch, Read
from personalake.ingest.connect.records import columns_fault, typed_records
from personalake.ingest.connect.settings import Delta
from personalake.ingest.source import Source

VERSION = "_commit_version"


def delta_batches(asked: Asked, delta: Delta) -> Iterator[Batch]:
    """The whole table as of its newest version, or what was inserted and updated since the version read last.

    Deletions are not followed: what was read stays.

    Args:
        asked: source, past reads, session.
        delta: its `connect`.

    Raises:
        DataError: no table, columns other than declared, a table that went back to before what was read.

    Cost:
        One pass over the table, later over the files of its change feed.
    """
    newest = asked.newest_version(delta.path)
    if newest is None:
        raise asked.fault(f"there is no Delta table at {delta.path}.", "Check connect.path.")
    last = max((mark["version"] for mark in asked.newest(delta.path)), default=None)
    if last is not None and newest < last:
        text = f"{delta.path} is at version {newest}, but was read up to {last}: it was made anew."
        raise asked.fault(text, "`personalake ingest --force` reads it whole.")
    if newest == last:
        return
    reader = asked.spark.read.format("delta")
    if last is None:
        rows = reader.option("versionAsOf", newest).load(delta.path)
        rows = rows.withColumn(VERSION, F.lit(newest).cast("bigint"))
        modified = F.lit(asked.now)
    else:
        feed = {"readChangeFeed": "true", "startingVersion": str(last + 1), "endingVersion": str(newest)}
        rows = reader.options(**feed).load(delta.path)
        rows = rows.where(F.col("_change_type").isin("insert", "update_postimage"))
        modified = F.col("_commit_timestamp")
    if wrong := columns_fault(asked.source, rows.schema):
        raise asked.fault(f"{delta.path} does not fit the schema: {wrong}", "Mend the schema.")
    path = quote(delta.path, safe="/:")
    key = f"{path}/versions/{'' if last is None else last + 1}-{newest}"
    raw = typed_records(rows, asked.source, F.lit(path), modified)
    yield Batch(raw, (Read(key, {"of": delta.path, "version": newest}, path=path),))


def with_order(source: Source) -> Source:
    """The source, with the version for its revision where it tells none: of two states of a row the later holds."""
    return source if source.revision else source.model_copy(update={"revision": VERSION})
