"""When a record happened: from the source's spelling of time to UTC, never raising on a bad value."""

from __future__ import annotations

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

from personalake.ingest.cleaning import Time

_LATEST_SECONDS = 253_402_300_799  # 9999-12-31T23:59:59Z, beyond which Spark's timestamps overflow
_ISO = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}"
_ISO_LOCAL = _ISO + r"(:\d{2}([.]\d*)?)?$"
_OFFSET = r"[T ]\d{2}:\d{2}[^+-]*([+-])(\d{2}):?(\d{2})?$"
_QUOTED = re.compile(r"'[^']*'")


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
    parsed = _local(time)
    if time.format == "iso8601":
        return F.when(raw.rlike(_ISO_LOCAL), F.to_utc_timestamp(parsed, time.zone)).otherwise(parsed)
    return parsed if tells_zone(time.format) else F.to_utc_timestamp(parsed, time.zone)


def offset_minutes(time: Time) -> Column:
    """Offset of the source's local time from UTC [min]; null where the source does not tell."""
    raw = F.expr(time.column)
    if time.format in ("unix_seconds", "unix_millis", "timestamp"):
        return F.lit(None).cast("int")
    local = _local(time)
    difference = F.unix_seconds(local) - F.unix_seconds(F.to_utc_timestamp(local, time.zone))
    of_zone = (difference / 60).cast("int")
    if time.format == "iso8601":
        sign, hours, minutes = (F.regexp_extract(raw, _OFFSET, n) for n in (1, 2, 3))
        told = hours.try_cast("int") * 60 + F.coalesce(minutes.try_cast("int"), F.lit(0))
        told = F.when(raw.endswith("Z"), F.lit(0)).otherwise(F.when(sign == "-", -told).otherwise(told))
        return F.when(raw.rlike(_ISO_LOCAL), of_zone).otherwise(told)
    return F.lit(None).cast("int") if tells_zone(time.format) else of_zone


def tells_zone(pattern: str) -> bool:
    """Whether a date-time pattern reads the zone or the offset from the text itself."""
    return re.search(r"[VzOXxZ]", _QUOTED.sub("", pattern)) is not None


def _local(time: Time) -> Column:
    raw = F.expr(time.column)
    if time.format == "iso8601":
        # Spark takes neither an offset without minutes, as PostgreSQL writes it, nor one after a time without seconds.
        full = F.regexp_replace(raw, r"([T ]\d{2}:\d{2})(?!:)(?=[+Z-]|$)", "$1:00")
        full = F.regexp_replace(full, r"([T ].*[+-]\d{2})$", "$1:00")
        return F.when(raw.rlike(_ISO), full.try_cast("timestamp"))
    return F.try_to_timestamp(raw, F.lit(time.format))
