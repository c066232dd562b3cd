"""Raw records as they stand in the files: declared columns, and the whole record for quarantine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from typing import cast

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from personalake.ingest.connect.kinds import ADDED
from personalake.ingest.files import RawFile
from personalake.ingest.nested import is_nested
from personalake.ingest.records import unpacked_records
from personalake.ingest.source import Source
from personalake.ingest.unpack import ZSTD

RECORD, MALFORMED, PATH, MODIFIED, VALUE = "_record", "_is_malformed", "_path", "_modified_at", "value"
_CORRUPT = "_corrupt_record"
_MOST_VALUES = 20_000
# What is kept of a time must give back that very time; Spark writes thousandths of a second if it is not told.
_WHOLE_TIMES = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}
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
        One pass over the files, no shuffle. A packed file is one task; so is a file that Spark cannot cut into lines
        (Avro, Zstandard, an encoding other than UTF-8, quoted line breaks, one document, columns in another order).
    """
    if source.format in ("parquet", "orc"):
        return with_nulls(_from_columns(spark, source, files), source)
    by_python = [f for f in files if _needs_python(source, f)]
    by_spark = [f for f in files if f not in by_python]
    parts = [_lines_of(spark, by_spark)] if by_spark else []
    if by_python:
        root = by_python[0].path
        parts.append(unpacked_records(spark, root, source, raw_columns(source).names, by_python))
    return text_records(reduce(DataFrame.unionByName, parts), source)


def _needs_python(source: Source, file: RawFile) -> bool:
    is_plain = source.encoding == "utf-8" and not source.is_document and not source.quoted_newlines
    return source.format == "avro" or not is_plain or bool(file.header) or file.path.endswith(ZSTD)


def _from_columns(spark: SparkSession, source: Source, files: Sequence[RawFile]) -> DataFrame:
    reader = spark.read.schema(raw_columns(source))
    paths = _escaped(files)
    rows = reader.parquet(*paths) if source.format == "parquet" else reader.orc(paths)
    names = raw_columns(source).names
    return rows.select(*map(named, names), typed_record(source), F.lit(False).alias(MALFORMED), *_metadata())


def typed_record(source: Source) -> Column:
    """The whole record of typed columns as JSON text, from which `text_records` gets the very same values."""
    return F.to_json(F.struct(*map(named, raw_columns(source).names)), _WHOLE_TIMES).alias(RECORD)


def _lines_of(spark: SparkSession, files: Sequence[RawFile]) -> DataFrame:
    # Told what ends a line, Spark leaves carriage returns: the last one goes, as it does where Python cuts the lines.
    # By bytes, since a line that was cut inside a character is no text yet.
    lines = spark.read.text(_escaped(files), lineSep="\n")
    line = F.col("value")
    shorter = F.left(line.cast("binary"), F.octet_length(line) - 1).cast("string")
    return lines.select(F.when(line.endswith("\r"), shorter).otherwise(line).alias(VALUE), *_metadata())


def _escaped(files: Sequence[RawFile]) -> list[str]:
    """Spark takes a path for a glob pattern, so what means something in one is escaped."""
    return [_GLOB.sub(r"\\\1", f.path) for f in files]


def _metadata() -> list[Column]:
    return [
        F.col("_metadata.file_path").alias(PATH),
        F.col("_metadata.file_modification_time").cast("timestamp").alias(MODIFIED),
    ]


def text_records(lines: DataFrame, source: Source) -> DataFrame:
    """Records as text, parsed.

    Args:
        lines: one row per record; reads `value`, `_path`, `_modified_at`.
        source: whose records they are. Those of a columnar file are JSON objects.

    Returns:
        As `read_raw`.
    """
    # A line cut inside a character would stop whatever reads it as text. Spark's text reader has already taken a
    # byte-order mark away.
    lines = lines.withColumn(VALUE, F.make_valid_utf8(VALUE)).where(F.col(VALUE) != "")
    schema = raw_columns(source)
    if source.format == "csv" and source.header:
        names = re.sub('[" ]', "", source.delimiter.join(schema.names))
        lines = lines.where(F.regexp_replace(VALUE, '[" ]', "") != names)
    with_corrupt = StructType([*schema.fields, StructField(_CORRUPT, StringType())])
    options = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": _CORRUPT}
    others = f"[^{re.escape(source.delimiter)}]"
    if source.format == "csv":
        # A line of more values than the parser can hold would stop it.
        fits = (F.length(VALUE) < _MOST_VALUES) | (F.length(F.regexp_replace(VALUE, others, "")) < _MOST_VALUES)
        value = F.when(fits, F.col(VALUE))
        parsed = F.from_csv(value, with_corrupt.toDDL(), {**options, "sep": source.delimiter, "escape": '"'})
    else:
        parsed = F.from_json(VALUE, with_corrupt, options)
    lines = lines.withColumn("_parsed", parsed)
    corrupt = F.col("_parsed").isNull() | F.col("_parsed").getField(_CORRUPT).isNotNull()
    corrupt = corrupt | is_nested(source, schema, F.col(VALUE), F.col("_parsed"))
    if source.format == "csv":
        corrupt = corrupt | _is_cut_in_quotes(source.delimiter)
    frame = lines.select(
        *[F.col("_parsed").getField(name).alias(name) for name in schema.names],
        F.col(VALUE).alias(RECORD),
        corrupt.alias(MALFORMED),
        *[name for name in lines.columns if name not in (VALUE, "_parsed")],
    )
    return with_nulls(frame, source)


def _is_cut_in_quotes(delimiter: str) -> Column:
    """Whether a line ends inside a quoted value, which Spark's parser lets pass in the last column."""
    quotes = F.length(VALUE) - F.length(F.regexp_replace(VALUE, '"', ""))
    # Without whatever stands between two quotes: no pattern that repeats a group, which overflows on a long line.
    left = F.regexp_replace(VALUE, '"[^"]*+"', "")
    return (quotes % 2 == 1) & left.rlike(rf'(^|{re.escape(delimiter)})"')


def with_nulls(frame: DataFrame, source: Source) -> DataFrame:
    """Raw text columns with null in place of the texts that mean nothing was sent."""
    texts = [f.name for f in raw_columns(source).fields if isinstance(f.dataType, StringType)]
    if not source.null_values or not texts:
        return frame
    return frame.withColumns({n: F.when(~named(n).isin(*source.null_values), named(n)) for n in texts})


def named(name: str) -> Column:
    """A raw column, whose name may hold a dot."""
    return F.col("`" + name.replace("`", "``") + "`")
