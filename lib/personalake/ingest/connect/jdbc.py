"""Rows of a database over JDBC: what rose above the mark of the last run, with a look-back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote

from pyspark.sql import Column, DataFrameReader, Row
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType, IntegralType, TimestampType

from personalake.errors import near_miss
from personalake.ingest.connect.batch import Asked, Batch, Read, secret
from personalake.ingest.connect.records import columns_fault, typed_records
from personalake.ingest.connect.settings import Jdbc
from personalake.ingest.readers import raw_columns
from personalake.ingest.source import Source

POSTGRESQL = "org.postgresql.Driver"


def jdbc_batches(asked: Asked, jdbc: Jdbc) -> Iterator[Batch]:
    """The rows above the last mark less the look-back, up to the highest there is; without `rising`, all rows.

    What is committed while it is read lies above the mark and comes with the next run. Rows at the mark itself are
    read again each time: which of them were there before nobody knows, and MERGE makes them one.

    Args:
        asked: source, past reads, session.
        jdbc: its `connect`.

    Raises:
        DataError: columns other than declared, a null in the rising column.

    Cost:
        One query for the bounds, one per connection for the rows.
    """
    rows = _reader(asked, jdbc, dbtable=_from(jdbc)).load()
    if wrong := columns_fault(asked.source, rows.schema):
        raise asked.fault(f"{_name(jdbc)} does not fit the schema: {wrong}", "Mend the schema, or cast in a query.")
    low = _low(asked, jdbc)
    bounds = _bounds(asked, jdbc, low)
    if bounds is None or bounds["row_count"] == "0":
        return
    if jdbc.partitions > 1 and bounds["least"] is not None:
        rows = _reader(asked, jdbc, dbtable=_from(jdbc), **_split(jdbc, bounds)).load()
    path = quote(_name(jdbc), safe="")
    key, mark = path, ""
    if jdbc.rising:
        _check_filled(asked, jdbc, bounds)
        rising, kind = F.col(jdbc.rising), rows.schema[jdbc.rising].dataType
        mark = _mark(str(bounds["high"]), kind, asked.now)
        key = f"{path}/{jdbc.rising} {f'{low} ' if low else 'up '}to {mark}"
        # Above a mark that is now lie infinity and whatever else is yet to come: it is read each time.
        rows = rows.where(rising <= F.lit(mark).cast(kind)) if mark == bounds["high"] else rows
        rows = rows.where(rising >= F.lit(low).cast(kind)) if low else rows
    raw = typed_records(rows, asked.source, F.lit(path), _modified(asked, jdbc))
    yield Batch(raw, (Read(key, {"of": _stream(jdbc), "high": mark}, path=path),))


def with_order(source: Source, jdbc: Jdbc) -> Source:
    """The source, its revision the rising column where it tells none: of two states of a row the later one holds."""
    if source.revision or not jdbc.rising:
        return source
    kind = raw_columns(source)[jdbc.rising].dataType
    name = f"`{jdbc.rising}`"
    revision = f"unix_micros({name})" if isinstance(kind, TimestampType) else name
    return source.model_copy(update={"revision": f"unix_date({name})" if isinstance(kind, DateType) else revision})


def column_fault(source: Source, jdbc: Jdbc) -> tuple[str, str, str] | None:
    """What is wrong with the columns that `connect` names: which, what it is, and what to do; None if nothing is."""
    columns = {field.name: field.dataType for field in raw_columns(source).fields}
    for setting in ("rising", "partition_column"):
        name = getattr(jdbc, setting)
        if name and name not in columns:
            return setting, f"{name} is not in the schema.", near_miss(name, columns)
        if name and not isinstance(columns[name], (IntegralType, DateType, TimestampType)):
            kind = columns[name].simpleString()
            return setting, f"{name} is {kind}.", "A whole number, a date or a timestamp can rise and be split."
    return None


def _reader(asked: Asked, jdbc: Jdbc, **more: str) -> DataFrameReader:
    options = {
        "url": jdbc.url,
        "driver": jdbc.driver or POSTGRESQL,
        "fetchsize": str(jdbc.fetch_size),
        "queryTimeout": str(jdbc.timeout_seconds),
    }
    if jdbc.user:
        options["user"] = jdbc.user
    if jdbc.password_env:
        options["password"] = secret(asked.where, jdbc.password_env)
    if jdbc.extra == "postgresql":
        # Times without a zone are compared in that of the connection.
        options["sessionInitStatement"] = "SET TIME ZONE 'UTC'"
    return asked.spark.read.format("jdbc").options(**options, **more)


def _from(jdbc: Jdbc) -> str:
    return f"({jdbc.query or 'SELECT * FROM ' + jdbc.table}) source_rows"  # noqa: S608 - the operator's own SQL


def _bounds(asked: Asked, jdbc: Jdbc, low: str) -> Row | None:
    """Counts and bounds as texts, told by the database itself."""
    quote_mark = "`" if jdbc.url.startswith(("jdbc:mysql:", "jdbc:mariadb:")) else '"'
    rising, split = (f"{quote_mark}{name}{quote_mark}" for name in (jdbc.rising, jdbc.partition_column))
    words = ["count(*) AS row_count"]
    words += [f"max({rising}) AS high", f"count(*) - count({rising}) AS null_count"] if jdbc.rising else []
    words += [f"min({split}) AS least", f"max({split}) AS most"] if jdbc.partition_column else []
    where = f" WHERE {rising} >= '{low}' OR {rising} IS NULL" if low else ""
    query = f"SELECT {', '.join(words)} FROM {_from(jdbc)}{where}"  # noqa: S608 - names are checked, the mark is ours
    found = _reader(asked, jdbc, query=query).load()
    return found.select(*[F.col(name).cast("string") for name in found.columns]).first()


def _split(jdbc: Jdbc, bounds: Row) -> dict[str, str]:
    return {
        "partitionColumn": jdbc.partition_column,
        "lowerBound": bounds["least"],
        "upperBound": bounds["most"],
        "numPartitions": str(jdbc.partitions),
    }


def _check_filled(asked: Asked, jdbc: Jdbc, bounds: Row) -> None:
    if bounds["null_count"] != "0":
        text = f"column {jdbc.rising} of {_name(jdbc)} is null in {bounds['null_count']} rows, which would be left out."
        raise asked.fault(text, "Name a column that is never null, or fill it in a query.")


def _mark(high: str, kind: DataType, now: datetime) -> str:
    """Up to where everything was read. A time yet to come is none: what is written till then would lie below it."""
    if not isinstance(kind, (DateType, TimestampType)):
        return high
    latest = now.astimezone(UTC).replace(tzinfo=None)
    with suppress(ValueError):  # infinity, or a year that no clock shows
        if datetime.fromisoformat(high) <= latest:
            return high
    return str(latest.date() if isinstance(kind, DateType) else latest)


def _low(asked: Asked, jdbc: Jdbc) -> str:
    """Where this read begins; empty: at the very first row."""
    kept = asked.newest(_stream(jdbc))
    if not jdbc.rising or not kept:
        return ""
    return _below(kept[0]["high"], raw_columns(asked.source)[jdbc.rising].dataType, jdbc.look_back)


def _below(mark: str, kind: DataType, look_back: float) -> str:
    """A mark less a look-back."""
    if isinstance(kind, TimestampType):
        return str(datetime.fromisoformat(mark) - timedelta(seconds=look_back))
    if isinstance(kind, DateType):
        return str(date.fromisoformat(mark) - timedelta(days=look_back))
    return str(int(mark) - int(look_back))


def _modified(asked: Asked, jdbc: Jdbc) -> Column:
    is_moment = jdbc.rising and isinstance(raw_columns(asked.source)[jdbc.rising].dataType, TimestampType)
    return F.col(jdbc.rising) if is_moment else F.lit(asked.now)


def _name(jdbc: Jdbc) -> str:
    """How the ledger and faults call what is read."""
    return jdbc.table or "query " + hashlib.sha256(jdbc.query.encode()).hexdigest()[:8]


def _stream(jdbc: Jdbc) -> str:
    """Whose mark it is: another table, query or column begins at its own beginning."""
    return f"{_name(jdbc)} by {jdbc.rising}"
