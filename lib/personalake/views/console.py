"""A query over tables and views, printed as a table, CSV or JSON lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException, ParseException, PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    MapType,
    StructType,
    TimestampType,
    VariantType,
)

from personalake.errors import ConfigError, DataError, Fault, near_miss
from personalake.tables.catalog import ALL, COMMANDS
from personalake.views.layout import csv_lines, table_lines
from personalake.views.register import Registered, all_names, mentioned_in, register

Format = Literal["table", "csv", "json"]
FORMATS: tuple[Format, ...] = ("table", "csv", "json")
WHERE = "sql"
_KEEPING = {"audience": "audience --save NAME"}
"""How a command is given so that it writes, where it need not."""

_READING = ("select", "with", "from", "values", "table", "show", "describe", "desc", "explain")
_WRITING = re.compile(r"^(Insert|Merge|Delete|Update|Overwrite|Append|Create|Replace|Drop|Alter|Truncate)")
_ERROR_CLASS = re.compile(r"\[[A-Z][A-Z0-9_]+(\.[A-Z0-9_]+)*\] .*")
_COMMENTS = re.compile(r"\A(\s|\(|--[^\n]*(\n|\Z)|/\*.*?\*/)+", re.DOTALL)


def run_sql(spark: SparkSession, root: str, query: str, output: str = "table") -> Iterator[str]:
    """The lines a query prints. Only what the query mentions is registered; nothing is written.

    Rows are streamed partition by partition, so memory does not grow with the result (for `table` the widths come from
    the first rows). Dates are ISO, timestamps ISO in UTC with a Z, maps, arrays and structs JSON; null is NULL in a
    table, empty in CSV, null in JSON.

    Args:
        spark: a session in UTC.
        root: warehouse.root.
        query: one statement that reads: SELECT, WITH, VALUES, SHOW, DESCRIBE, EXPLAIN, …
        output: table, csv or json (one object a line).

    Yields:
        Lines without their line end.

    Raises:
        ConfigError: the format or the query is wrong, with the near miss of an unknown name.
        DataError: the query is right but a value is not what an expression needs.
    """
    if output not in FORMATS:
        raise ConfigError(Fault("--format", f"is {output}.", near_miss(output, FORMATS)))
    _check_reads_only(spark, query)
    known = register(spark, root, mentioned_in(query))
    try:
        yield from _lines(spark.sql(query), output)
    except (AnalysisException, ParseException) as error:
        raise ConfigError(_fault(error, known)) from None
    except (PySparkException, Py4JJavaError) as error:
        # Streaming hands Java's error over as it is, wrapped.
        raise DataError(Fault(WHERE, _without_values(_first_line(error)))) from None


def _lines(frame: DataFrame, output: str) -> Iterator[str]:
    if output == "json":
        yield from _json_lines(frame)
        return
    texts = frame.toDF(*[f"_{n}" for n in range(len(frame.columns))])
    texts = texts.select(*[_printable(texts, name).alias(name) for name in texts.columns])
    values = (tuple(row) for row in texts.toLocalIterator(prefetchPartitions=True))
    yield from (csv_lines if output == "csv" else table_lines)(frame.columns, values)


def _json_lines(frame: DataFrame) -> Iterator[str]:
    double = sorted({name for name in frame.columns if frame.columns.count(name) > 1})
    if double:
        found = f"has more than one column called {', '.join(double)}."
        raise ConfigError(Fault(WHERE, found, "Give each its own name with AS; JSON needs it."))
    columns = [_printable(frame, f"`{name.replace('`', '``')}`", nested=False).alias(name) for name in frame.columns]
    line = F.to_json(F.struct(*columns), {"ignoreNullFields": "false", "timestampFormat": "yyyy-MM-dd'T'HH:mm:ssXXX"})
    for row in frame.select(line).toLocalIterator(prefetchPartitions=True):
        yield row[0]


def _printable(frame: DataFrame, name: str, nested: bool = True) -> Column:
    """The column as something that prints the same wherever Python runs."""
    column = F.col(name)
    kind = frame.select(column).schema[0].dataType
    if isinstance(kind, TimestampType):
        return F.concat(F.replace(column.cast("string"), F.lit(" "), F.lit("T")), F.lit("Z"))
    if isinstance(kind, BinaryType):
        return F.base64(column)
    if nested and isinstance(kind, ArrayType | MapType | StructType | VariantType):
        return F.to_json(column, {"ignoreNullFields": "false", "timestampFormat": "yyyy-MM-dd'T'HH:mm:ssXXX"})
    return column


def _check_reads_only(spark: SparkSession, query: str) -> None:
    """No lock is held, so nothing may be written: Spark's own parser says what the statement is."""
    first = re.match(r"\w*", _COMMENTS.sub("", query))
    word = first[0].lower() if first else ""
    session: Any = spark._jsparkSession
    try:
        plan = session.sessionState().sqlParser().parsePlan(query)
    except Exception as error:
        raise ConfigError(_fault(_as_pyspark(error), Registered())) from None
    if word not in _READING or any(_WRITING.match(name) for name in _node_names(plan)):
        raise ConfigError(Fault(WHERE, f"does not read: {word.upper() or 'nothing'}.", "Write a SELECT."))


def _node_names(plan: Any) -> Iterator[str]:
    yield str(plan.nodeName())
    children = plan.children()
    for place in range(children.size()):
        yield from _node_names(children.apply(place))


def _as_pyspark(error: Exception) -> Exception:
    """PySpark turns Java's errors into its own already; what is left is told by its text."""
    return error if isinstance(error, PySparkException) else ParseException(str(error))


def _fault(error: Exception, known: Registered) -> Fault:
    if isinstance(error, PySparkException) and error.getCondition() == "TABLE_OR_VIEW_NOT_FOUND":
        relation = (error.getMessageParameters() or {}).get("relationName", "")
        name = relation.replace("`", "").rsplit(".", 1)[-1].lower()
        if name in known.missing:
            waits = ", ".join(known.missing[name])
            todo = f"`personalake {_writer_of(known.missing[name])}` writes it."
            return Fault(WHERE, f"{name} has no data yet: not written so far: {waits}.", todo)
        return Fault(WHERE, f"{name} is no table or view.", near_miss(name, all_names()))
    return Fault(WHERE, _first_line(error))


def _writer_of(tables: Sequence[str]) -> str:
    """The command after which tables are there: one that writes a table of its own, else the run of all stages."""
    stages = {ALL[name].stage for name in tables}
    own = stages & COMMANDS
    return _KEEPING.get(min(own), min(own)) if own == stages else "run"


def _first_line(error: Exception) -> str:
    """The sentence of Spark's message that has its error class, without the SQLSTATE and the plan below it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [found[0] for line in lines if (found := _ERROR_CLASS.search(line))]
    text = (told or lines or ["failed without a word."])[0]
    return re.sub(r"\s*SQLSTATE:?\s*\w+;?", "", text)


def _without_values(text: str) -> str:
    """Spark quotes the value that did not fit; it may be somebody's."""
    return re.sub(r"'[^']*'", "'…'", text)
