"""Daily roll-ups of events: what profiles and interactions read in place of the events themselves."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS

NO_CURRENCY = ""
"""The currency of roll-up rows whose events have none: a key column is never null."""

_DAYPARTS = {"night": 0, "morning": 6, "afternoon": 12, "evening": 18}
_DEVICE_CLASSES = ("pc", "phone", "tablet", "tv")
_READ = (
    *("person_id", "event_date", "platform", "event_type", "currency", "event_at", "_hour", "device_class", "login_id"),
    *("order_id", "amount_minor", "amount_base_minor", "discount_minor", "quantity", "value"),
)


def build_person_days(person_events: DataFrame, time_zone: str) -> DataFrame:
    """One row per person, business day, platform, verb and currency. Every column but the key can be merged by day.

    Args:
        person_events: columns of EVENTS and person_id; bots and events without a person are left out.
        time_zone: IANA zone of the local hour, where an event has no utc_offset_minutes of its own.

    Returns:
        Columns of PERSON_DAYS without run_id.

    Cost:
        One shuffle by person.
    """
    rows = _of_people(person_events).withColumn("_hour", _local_hour(time_zone))
    # By person at once: counting orders would else shuffle by the order and then by the key.
    days = rows.select(*_READ).repartition("person_id").groupBy(*PERSON_DAYS.key)
    sums = days.agg(*_sums(), *_day_sums())
    return sums.select(*[c.name for c in PERSON_DAYS.cols])


def build_person_item_days(person_events: DataFrame) -> DataFrame:
    """One row per person, business day, platform, verb, currency and item.

    Args:
        person_events: columns of EVENTS and person_id; bots and events without a person or an item are left out.

    Returns:
        Columns of PERSON_ITEM_DAYS without run_id.

    Cost:
        One shuffle by the key.
    """
    rows = _of_people(person_events).where("item_id IS NOT NULL")
    return rows.groupBy(*PERSON_ITEM_DAYS.key).agg(*_sums()).select(*[c.name for c in PERSON_ITEM_DAYS.cols])


def _of_people(person_events: DataFrame) -> DataFrame:
    known = person_events.where(~F.col("is_bot")).where("person_id IS NOT NULL")
    return known.withColumn("currency", F.coalesce("currency", F.lit(NO_CURRENCY)))


def _sums() -> tuple[Column, ...]:
    """The columns that both roll-ups have. Float sums are rounded: their order could change the last digits."""
    return (
        F.count(F.lit(1)).alias("event_count"),
        F.coalesce(F.sum("amount_minor"), F.lit(0)).alias("amount_minor"),
        F.coalesce(F.sum("amount_base_minor"), F.lit(0)).alias("amount_base_minor"),
        F.coalesce(F.sum("discount_minor"), F.lit(0)).alias("discount_minor"),
        F.round(F.sum(F.coalesce("quantity", F.lit(1.0))), 9).alias("quantity"),
        F.round(F.coalesce(F.sum("value"), F.lit(0.0)), 9).alias("value_sum"),
        F.count("value").alias("value_count"),
        F.min("event_at").alias("first_at"),
        F.max("event_at").alias("last_at"),
    )


def _day_sums() -> tuple[Column, ...]:
    """The columns that person_days alone has."""
    is_buy = F.col("event_type") == "buy"
    named = F.count_distinct(F.when(is_buy, F.col("order_id")))
    unnamed = F.max(F.when(is_buy & F.col("order_id").isNull(), 1).otherwise(0))
    parts = [
        _count_where(F.col("_hour").between(hour, hour + 5)).alias(f"{name}_event_count")
        for name, hour in _DAYPARTS.items()
    ]
    devices = [_count_where(F.col("device_class") == name).alias(f"{name}_event_count") for name in _DEVICE_CLASSES]
    return (
        (named + unnamed).cast("bigint").alias("order_count"),
        _count_where(F.col("value") == 0).alias("zero_value_count"),
        _count_where(F.col("login_id").isNotNull()).alias("login_event_count"),
        *parts,
        *devices,
    )


def _count_where(condition: Column) -> Column:
    return F.count(F.when(condition, 1))


def _local_hour(time_zone: str) -> Column:
    """Hour of the day where the event happened, 0 to 23; whatever the session's own time zone is."""
    here = F.unix_seconds("event_at") + F.col("utc_offset_minutes") * 60
    zone = F.unix_seconds(F.from_utc_timestamp("event_at", time_zone))
    return F.floor(F.pmod(F.coalesce(here, zone), F.lit(86400)) / 3600)
