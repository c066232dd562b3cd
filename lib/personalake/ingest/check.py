"""Every expression of every source, analysed on an empty log before any file is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DataType, StringType, TimestampType

from personalake.errors import ConfigError, Fault, near_miss
from personalake.ingest.connect.jdbc import column_fault
from personalake.ingest.connect.settings import Jdbc
from personalake.ingest.nested import text_paths
from personalake.ingest.raising import Raising
from personalake.ingest.readers import empty_raw
from personalake.ingest.revision import is_revision
from personalake.ingest.source import Source

_FORMATS = ("unix_seconds", "unix_millis", "iso8601", "timestamp")


def check_sources(spark: SparkSession, folder: Path, sources: Sequence[Source]) -> None:
    """Try each source's schema, expressions and time on an empty log.

    Raises:
        ConfigError: with every fault of every source, near misses named.

    Cost:
        Analyses only; time patterns and zones are tried on one made row, which takes no job.
    """
    raising = Raising(spark)
    faults = [fault for source in sources for fault in _faults(spark, folder / f"{source.name}.yaml", source, raising)]
    if faults:
        raise ConfigError(*faults)


def _faults(spark: SparkSession, path: Path, source: Source, raising: Raising) -> list[Fault]:
    try:
        empty = empty_raw(spark, source)
    except PySparkException as error:
        return [Fault(f"{path}: schema", f"is no Spark DDL: {_plain(error)}.")]
    faults = []
    if isinstance(source.connect, Jdbc) and (wrong := column_fault(source, source.connect)):
        faults.append(Fault(f"{path}: connect.{wrong[0]}", *wrong[1:]))
    for place, expression in source.expressions().items():
        where = f"{path}: {place}"
        fault = _expression_fault(empty, where, expression, _wanted_type(source, place))
        faults += [fault] if fault else [Fault(where, *part) for part in raising.faults(empty, expression)]
    if not any(": time." in fault.where for fault in faults):
        faults += _time_faults(spark, empty, f"{path}: time", source)
    texts = [".".join(names) for names in text_paths(empty.schema)]
    for name in source.json_texts:
        if name not in texts:
            faults.append(Fault(f"{path}: json_texts", f"{name} is no text of the schema.", near_miss(name, texts)))
    return faults + _literal_faults(f"{path}: fields.identifier_kind", source)


def _wanted_type(source: Source, place: str) -> DataType | str:
    """What an expression must be castable to."""
    group, _, name = place.partition(".")
    if group == "fields" and name != "event_type":
        return source.table[name].type if name in source.table.names else "string"
    if group in ("only", "refuse"):
        return "boolean"
    return "string"


def _expression_fault(empty: DataFrame, where: str, expression: str, wanted: DataType | str) -> Fault | None:
    names = _all_names(empty)
    try:
        # Beside all columns, so that an aggregate is refused too.
        empty.select("*", F.expr(expression))
        kind = empty.select(F.expr(expression).alias("_")).schema["_"].dataType
        empty.select(F.expr(expression).try_cast(wanted))
    except (AnalysisException, ParseException) as error:
        told = error.getMessageParameters() or {}
        condition = str(error.getCondition() or "")
        if "UNRESOLVED_COLUMN" in condition or condition == "FIELD_NOT_FOUND":
            name = told.get("objectName", told.get("fieldName", "")).replace("`", "")
            inner = told.get("fields", "").replace("`", "").split(", ")
            return Fault(where, f"{name} cannot be resolved.", near_miss(name, list(filter(None, inner)) or names))
        if "DATATYPE_MISMATCH.CAST_WITH" in condition:
            return Fault(where, f"is {told['srcType']}, which cannot become {told['targetType']}.".replace('"', ""))
        return Fault(where, f"is no valid expression: {_plain(error)}.")
    if where.endswith(": revision") and not is_revision(kind):
        todo = "It may be a whole number, a time or a date, or a text of a number or time: try_cast(… as bigint)."
        return Fault(where, f"is {kind.simpleString()}, which does not rise step by step.", todo)
    if wanted == "boolean" and not isinstance(kind, BooleanType):
        return Fault(where, f"is {kind.simpleString()}, no condition.", "Write a comparison, e.g. a column = 'a text'.")
    return None


def _all_names(empty: DataFrame) -> list[str]:
    names = list(empty.columns)
    for field in empty.schema.fields:
        if field.dataType.typeName() == "struct":
            names += [f"{field.name}.{inner}" for inner in field.dataType.fieldNames()]  # type: ignore[attr-defined]
    return names


def _time_faults(spark: SparkSession, empty: DataFrame, where: str, source: Source) -> list[Fault]:
    time = source.time
    if time is None:
        return []
    faults = []
    row = spark.sql("SELECT 1")
    kind = empty.select(F.expr(time.column)).schema[0].dataType
    if time.format == "timestamp" and not isinstance(kind, TimestampType):
        todo = "Format timestamp wants a column of type timestamp; for texts there are iso8601 and patterns."
        faults.append(Fault(f"{where}.column", f"is {kind.simpleString()}.", todo))
    if time.format not in ("timestamp", "unix_seconds", "unix_millis") and not isinstance(kind, StringType):
        todo = f"Format {time.format} wants a text."
        faults.append(Fault(f"{where}.column", f"is {kind.simpleString()}.", todo))
    if time.format not in _FORMATS:
        try:
            row.select(F.try_to_timestamp(F.lit("x"), F.lit(time.format))).collect()
        except PySparkException:
            text = f"{time.format} is no time format or pattern."
            faults.append(
                Fault(f"{where}.format", text, f"Allowed: {', '.join(_FORMATS)}, or a Spark date-time pattern.")
            )
    try:
        row.select(F.to_utc_timestamp(F.lit("2000-01-01 00:00:00").cast("timestamp"), time.zone)).collect()
    except PySparkException:
        faults.append(Fault(f"{where}.zone", f"{time.zone} is no time zone.", "For example Asia/Shanghai."))
    return faults


def _literal_faults(where: str, source: Source) -> list[Fault]:
    kind = source.fields.get("identifier_kind")
    if kind is None or re.fullmatch(r"'[a-z_]+'", kind.strip()):
        return []
    return [Fault(where, f"is {kind}.", "A literal such as 'login': the kind decides how identifiers are hashed.")]


def _plain(error: PySparkException) -> str:
    first = str(error).strip().split("\n", 1)[0]
    return re.sub(r"^\[[A-Z_.]+\]\s*", "", first).split(" SQLSTATE")[0].rstrip(". ")
