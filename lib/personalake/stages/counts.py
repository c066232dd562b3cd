"""What is counted of the reads of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from personalake.ingest.connect.further import further_columns, further_keys, has_keys
from personalake.ingest.entities import counts_by_file, read_key_of
from personalake.ingest.readers import PATH
from personalake.ingest.source import Source


class Counts(NamedTuple):
    """Of one read: its row of `counts_by_file`, and fields nobody declared to how many records have them."""

    row: Row
    further: Mapping[str, int]


def counts_by_read(raw: DataFrame, staged: DataFrame, source: Source, root: str) -> dict[str, Counts]:
    """Path of each read of a batch to what is counted of it.

    Args:
        raw: the batch's records.
        staged: the same from `map_records`, put down.
        source: whose they are.
        root: raw.root.
    """
    rows = counts_by_file(_by_read(staged), root, source.table).collect()
    further = _further(raw, source, root, rows)
    return {row["read_key"]: Counts(row, further.get(row["read_key"], {})) for row in rows}


def _by_read(records: DataFrame) -> DataFrame:
    return records.withColumn(PATH, F.substring_index(PATH, "#", 1))


def _further(raw: DataFrame, source: Source, root: str, rows: Sequence[Row]) -> dict[str, dict[str, int]]:
    # Of a table all rows have a column.
    if columns := further_columns(raw, source):
        return {row["read_key"]: dict.fromkeys(columns, row["rows_in"]) for row in rows}
    found: dict[str, dict[str, int]] = {}
    if has_keys(source):
        for row in further_keys(_by_read(raw), source).withColumn("read_key", read_key_of(root)).collect():
            found.setdefault(row["read_key"], {})[row["_key"]] = row["_count"]
    return found
