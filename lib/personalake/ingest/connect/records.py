"""Raw records that come typed, as rows of another table."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from personalake.ingest.readers import MALFORMED, MODIFIED, PATH, named, raw_columns, typed_record, with_nulls
from personalake.ingest.source import Source


def typed_records(rows: DataFrame, source: Source, path: Column, modified: Column) -> DataFrame:
    """Typed rows as raw records: the declared columns, and the whole record as JSON for quarantine.

    Args:
        rows: has the declared columns (see `columns_fault`); what else there is stays.
        source: which are declared.
        path: what names the read.
        modified: when the record came or was changed [UTC].
    """
    raw = rows.select(
        *map(named, rows.columns),
        typed_record(source),
        F.lit(False).alias(MALFORMED),
        path.alias(PATH),
        modified.cast("timestamp").alias(MODIFIED),
    )
    return with_nulls(raw, source)


def columns_fault(source: Source, found: StructType) -> str | None:
    """Which declared columns a table lacks or has with another type; None where it fits."""
    there = {field.name: field.dataType.simpleString() for field in found.fields}
    wrong = [
        f"column {field.name} is {there.get(field.name, 'missing')}, declared as {field.dataType.simpleString()}"
        for field in raw_columns(source).fields
        if there.get(field.name) != field.dataType.simpleString()
    ]
    return "; ".join(wrong) + "." if wrong else None
