"""Fields of records that come by a connection and that their source does not declare."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.ingest.connect.settings import Delta, Jdbc
from personalake.ingest.looks import MOST_FIELDS, NAME, ODD, SAMPLED
from personalake.ingest.readers import MALFORMED, MODIFIED, PATH, RECORD, raw_columns
from personalake.ingest.source import Source

# What the connector or its change feed says beside the row.
_OF_FEED = {"_change_type", "_commit_version", "_commit_timestamp"}


def further_columns(raw: DataFrame, source: Source) -> list[str]:
    """Columns of another table that the source does not declare, sorted; of other kinds of connection none."""
    if not isinstance(source.connect, Delta | Jdbc) or source.further_fields == "ignore":
        return []
    known = {RECORD, MALFORMED, PATH, MODIFIED, *raw_columns(source).names, *_OF_FEED}
    return sorted({name if NAME.match(name) else ODD for name in set(raw.columns) - known})[:MOST_FIELDS]


def has_keys(source: Source) -> bool:
    """Whether a source's records are JSON, whose keys nobody need have declared."""
    is_typed = isinstance(source.connect, Delta | Jdbc)
    return source.format == "json" and not is_typed and source.further_fields != "ignore"


def further_keys(raw: DataFrame, source: Source) -> DataFrame:
    """Keys of JSON records that the source does not declare.

    Args:
        raw: records as text, parsed; reads `_record`, `_path`.
        source: whose they are.

    Returns:
        `_path`, `_key`, `_count`: how many of the first thousand records have it; fifty rows at most.

    Cost:
        One look at a thousand records.
    """
    declared = raw_columns(source).names
    # What does not look like the name of a field may be a value, so it is not told.
    keys = F.array_except(F.json_object_keys(RECORD), F.array(*map(F.lit, declared)))
    names = F.transform(keys, lambda key: F.when(key.rlike(NAME.pattern), key).otherwise(ODD))
    one = raw.select(PATH, RECORD).limit(SAMPLED).select(PATH, F.explode(F.array_distinct(names)).alias("_key"))
    counted = one.groupBy(PATH, "_key").agg(F.count(F.lit(1)).alias("_count"))
    return counted.orderBy(PATH, "_key").limit(MOST_FIELDS)
