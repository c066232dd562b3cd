"""Every expression of every source, analysed on an empty log before any file is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault, near_miss
from personalake.ingest.readers import empty_raw
from personalake.ingest.source import Source

_FORMATS = ("unix_seconds", "unix_millis", "iso8601", "timestamp")


def check_sources(spark: SparkSession, folder: Path, sources: Sequence[Source]) -> None:
    """Try each source's schema, expressions and time on an empty log.

    Raises:
        ConfigError: with every fault of every source, near misses named.

    Cost:
        Analyses only; no job runs but one over a single made row a time pattern.
    """
    faults = [fault for source in sources for fault in _faults(spark, folder / f"{source.name}.yaml", source)]
    if faults:
        raise ConfigError(*faults)


def _faults(spark: SparkSession, path: Path, source: Source) -> list[Fault]:
    try:
        empty = empty_raw(spark, source)
    except PySparkException as error:
        return [Fault(f"{path}: schema", f"is no Spark DDL: {_plain(error)}.")]
    faults = []
    for place, expression in source.expressions().items():
        fault = _expression_fault(empty, f"{path}: {place}", expression)
        faults += [fault] if fault else []
    faults += _time_faults(spark, f"{path}: time", source)
    return faults + _literal_faults(f"{path}: fields.identifier_kind", source)


def _expression_fault(empty: DataFrame, where: str, expression: str) -> Fault | None:
    try:
        empty.select(F.expr(expression))
    except (AnalysisException, ParseException) as error:
        name = (error.getMessageParameters() or {}).get("objectName", "").replace("`", "")
        if error.getCondition() and "UNRESOLVED_COLUMN" in str(error.getCondition()):
            return Fault(where, f"{name} cannot be resolved.", near_miss(name, _all_names(empty)))
        return Fault(where, f"is no valid expression: {_plain(error)}.")
    return None


def _all_names(empty: DataFrame) -> list[str]:
    names = list(empty.columns)
    for field in empty.schema.fields:
        if field.dataType.typeName() == "struct":
            names += [f"{field.name}.{inner}" for inner in field.dataType.fieldNames()]  # type: ignore[attr-defined]
    return names


def _time_faults(spark: SparkSession, where: str, source: Source) -> list[Fault]:
    time = source.time
    if time is None:
        return []
    faults = []
    row = spark.range(1)
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
