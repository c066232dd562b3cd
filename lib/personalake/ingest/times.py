"""When a record happened: from the source's spelling of time to UTC, never raising on a bad value."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from personalake.ingest.source import Time

_LATEST_SECONDS = 253_402_300_799  # 9999-12-31T23:59:59Z, beyond which Spark's timestamps overflow
_ISO = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}"
_OFFSET = r"[T ]\d{2}:\d{2}.*([+-])(\d{2}):?(\d{2})$"


def moment(time: Time) -> Column:
    """The moment [UTC], null where the value is no time."""
    raw = F.expr(time.column)
    if time.format in ("unix_seconds", "unix_millis"):
        seconds = raw.try_cast("decimal(20,6)")
        if time.format == "unix_millis":
            seconds = (seconds / F.lit(1000)).try_cast("decimal(20,6)")
        bounded = F.when(seconds.between(0, _LATEST_SECONDS), seconds)
        return F.timestamp_micros((bounded * F.lit(1_000_000)).cast("bigint"))
    if time.format == "timestamp":
        return raw.try_cast("timestamp")
    if time.format == "iso8601":
        return F.when(raw.rlike(_ISO), raw.try_cast("timestamp"))
    return F.to_utc_timestamp(_local(time), time.zone)


def offset_minutes(time: Time) -> Column:
    """Offset of the source's local time from UTC [min]; null where the source does not tell."""
    if time.format == "iso8601":
        raw = F.expr(time.column)
        sign, hours, minutes = (F.regexp_extract(raw, _OFFSET, n) for n in (1, 2, 3))
        value = hours.try_cast("int") * 60 + minutes.try_cast("int")
        return F.when(raw.endswith("Z"), F.lit(0)).otherwise(F.when(sign == "-", -value).otherwise(value))
    if time.format in ("unix_seconds", "unix_millis", "timestamp"):
        return F.lit(None).cast("int")
    difference = F.unix_seconds(_local(time)) - F.unix_seconds(F.to_utc_timestamp(_local(time), time.zone))
    return (difference / 60).cast("int")


def _local(time: Time) -> Column:
    return F.try_to_timestamp(F.expr(time.column), F.lit(time.format))
