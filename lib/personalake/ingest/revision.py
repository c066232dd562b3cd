"""What rises when a record is corrected, as one whole number, and as a text of fixed width in the same order."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    DataType,
    DateType,
    DecimalType,
    IntegralType,
    NullType,
    StringType,
    TimestampNTZType,
    TimestampType,
)

from personalake.ingest.cleaning import Time
from personalake.ingest.times import moment

_WIDTH = 20
_COMPLEMENT = Decimal(10**19)
_KINDS = (IntegralType, StringType, TimestampType, TimestampNTZType, DateType, NullType)


def is_revision(kind: DataType) -> bool:
    """Whether values of a type have an order that whole numbers tell."""
    return isinstance(kind, _KINDS) or (isinstance(kind, DecimalType) and kind.scale == 0)


def revision_number(raw: DataFrame, expression: str) -> Column:
    """The revision of raw records as decimal(20,0): whole numbers as they are, times in microseconds, dates in days.

    Args:
        raw: has the raw columns.
        expression: of a type that `is_revision`. Of a text a whole number or an ISO 8601 time counts.

    Returns:
        null where there is none, or none that can be read.
    """
    value = F.expr(expression)
    kind = raw.select(value.alias("_")).schema[0].dataType
    if isinstance(kind, (TimestampType, TimestampNTZType)):
        value = F.unix_micros(value.try_cast("timestamp"))
    elif isinstance(kind, DateType):
        value = F.unix_date(value)
    elif isinstance(kind, StringType):
        whole = F.when(value.rlike(r"^\s*[+-]?\d{1,20}\s*$"), value.try_cast("decimal(20,0)"))
        time = F.unix_micros(moment(Time(column=expression, format="iso8601")))
        value = F.coalesce(whole, time.cast("decimal(20,0)"))
    number = value.try_cast("decimal(20,0)")
    # Below that the text would be longer.
    return F.when(number > -_COMPLEMENT, number)


def in_order(number: Column) -> Column:
    """A whole number as text, as long as any other, so that texts sort as the numbers do; none is nought."""
    given = F.coalesce(number, F.lit(0).cast("decimal(20,0)"))
    # A minus sign sorts before every digit; behind it the complement rises as the number does.
    complement = (given + _COMPLEMENT).cast("string")
    below = F.concat(F.lit("-"), F.lpad(complement, _WIDTH - 1, "0"))
    return F.when(given < 0, below).otherwise(F.lpad(given.cast("string"), _WIDTH, "0"))
