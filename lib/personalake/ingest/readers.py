"""Raw records as they stand in the files: declared columns, and the whole record for quarantine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from personalake.ingest.connect.kinds import ADDED
from personalake.ingest.files import RawFile
from personalake.ingest.source import Source

RECORD, MALFORMED, PATH, MODIFIED = "_record", "_is_malformed", "_path", "_modified_at"
_CORRUPT = "_corrupt_record"
_GLOB = re.compile(r"([\\\[\]{}*?])")


def raw_columns(source: Source) -> StructType:
    """The declared raw columns of a source."""
    return cast(StructType, StructType.fromDDL(source.columns))


def empty_raw(spark: SparkSession, source: Source) -> DataFrame:
    """An empty log of the source: what expressions are tried on before any file is read."""
    added = ADDED.get(source.connect.kind, "") if source.connect else ""
    more = cast(StructType, StructType.fromDDL(added)).fields if added else []
    return spark.createDataFrame([], StructType([*raw_columns(source).fields, *more]))


def read_raw(spark: SparkSession, source: Source, files: Sequence[RawFile]) -> DataFrame:
    """The records of some files of one source.

    Returns:
        The declared raw columns (those that could not be read are null), and `_record` (the whole record as text),
        `_is_malformed`, `_path`, `_modified_at` [UTC].

    Cost:
        One pass over the files, no shuffle. A gzip file is one task.
    """
    # Spark takes a path for a glob pattern, so what means something in one is escaped.
    paths = [_GLOB.sub(r"\\\1", f.path) for f in files]
    if source.format == "parquet":
        rows = spark.read.schema(raw_columns(source)).parquet(*paths)
        names = raw_columns(source).names
        frame = rows.select(
            *map(named, names),
            F.to_json(F.struct(*map(named, names))).alias(RECORD),
            F.lit(False).alias(MALFORMED),
            *_metadata(),
        )
    else:
        # A line cut inside a character would stop whatever reads it as text.
        value = F.make_valid_utf8("value").alias("value")
        frame = _from_text(spark.read.text(paths).select(value, *_metadata()), source)
    return with_nulls(frame, source)


def text_records(lines: DataFrame, source: Source) -> DataFrame:
    """Records that came as texts, not in files.

    Args:
        lines: `value`, `_path`, `_modified_at`; what else there is stays.
        source: how a text is read.

    Returns:
        What `read_raw` gives.
    """
    value = F.make_valid_utf8("value")
    return with_nulls(_from_text(lines.withColumn("value", value), source), source)


def _metadata() -> list[Column]:
    return [
        F.col("_metadata.file_path").alias(PATH),
        F.col("_metadata.file_modification_time").cast("timestamp").alias(MODIFIED),
    ]


def _from_text(lines: DataFrame, source: Source) -> DataFrame:
    # Spark's text reader has already taken a byte-order mark and carriage returns away.
    lines = lines.where(F.col("value") != "")
    schema = raw_columns(source)
    if source.format == "csv" and source.header:
        names = re.sub('[" ]', "", source.delimiter.join(schema.names))
        lines = lines.where(F.regexp_replace("value", '[" ]', "") != names)
    with_corrupt = StructType([*schema.fields, StructField(_CORRUPT, StringType())])
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": _CORRUPT}
    if source.format == "csv":
        parsed = F.from_csv("value", with_corrupt.toDDL(), {**options, "sep": source.delimiter, "escape": '"'})
    else:
        parsed = F.from_json("value", with_corrupt, options)
    lines = lines.withColumn("_parsed", parsed)
    corrupt = F.col("_parsed").isNull() | F.col("_parsed").getField(_CORRUPT).isNotNull()
    if source.format == "csv":
        corrupt = corrupt | _is_cut_in_quotes(source.delimiter)
    return lines.select(
        *[F.col("_parsed").getField(name).alias(name) for name in schema.names],
        F.col("value").alias(RECORD),
        corrupt.alias(MALFORMED),
        *[name for name in lines.columns if name not in ("value", "_parsed")],
    )


def _is_cut_in_quotes(delimiter: str) -> Column:
    """Whether a line ends inside a quoted value, which Spark's parser lets pass in the last column."""
    quotes = F.length("value") - F.length(F.regexp_replace("value", '"', ""))
    opened = rf'(^|{re.escape(delimiter)})"([^"]|"")*$'
    return (quotes % 2 == 1) & F.col("value").rlike(opened)


def with_nulls(frame: DataFrame, source: Source) -> DataFrame:
    """Raw text columns with null in place of the texts that mean nothing was sent."""
    texts = [f.name for f in raw_columns(source).fields if isinstance(f.dataType, StringType)]
    if not source.null_values or not texts:
        return frame
    return frame.withColumns({n: F.when(~named(n).isin(*source.null_values), named(n)) for n in texts})


def named(name: str) -> Column:
    """A raw column, whose name may hold a dot."""
    return F.col("`" + name.replace("`", "``") + "`")
