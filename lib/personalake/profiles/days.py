"""Daily roll-ups of events: what profiles and interactions read in place of the events themselves."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.profiles.words import words_of
from personalake.tables.features.rows import DEVICE_CLASSES
from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS

NO_CURRENCY = ""
"""The currency of roll-up rows whose events have none: a key column is never null."""

_DAYPARTS = {"night": 0, "morning": 6, "afternoon": 12, "evening": 18}
_READ = (
    *(
        "person_id",
        "event_date",
        "platform",
        "event_type",
        "currency",
        "event_at",
        "_local",
        "device_class",
        "login_id",
    ),
    *("_order", "amount_minor", "amount_base_minor", "discount_minor", "quantity", "value", "_came"),
)


def build_person_days(person_events: DataFrame, time_zone: str, slow_load_millis: float = 3000.0) -> DataFrame:
    """One row per person, business day, platform, verb and currency. Every column but the key can be merged by day.

    An order counts once a day, in the row of its first line, whatever platforms and currencies its lines have.

    Args:
        person_events: columns of EVENTS and person_id; bots and events without a person are left out.
        time_zone: IANA zone of the local hour, where an event has no utc_offset_minutes of its own.
        slow_load_millis: a load that takes longer is slow [ms].

    Returns:
        Columns of PERSON_DAYS without run_id.

    Cost:
        One shuffle by person, one sort.
    """
    is_buy = F.col("event_type") == "buy"
    came = F.col("campaign_id").isNotNull() | F.col("message_id").isNotNull()
    rows = _of_people(person_events).withColumns(
        {"_local": _local_seconds(time_zone), "_came": came, "_order": F.when(is_buy, F.col("order_id"))}
    )
    lines = Window.partitionBy("person_id", "event_date", "_order").orderBy("event_at", "platform", "currency")
    # By person at once: finding an order's first line would else shuffle by the order and then by the key.
    of_person = rows.select(*_READ).repartition("person_id").withColumn("_line", F.row_number().over(lines))
    sums = of_person.groupBy(*PERSON_DAYS.key).agg(*_sums(), *_day_sums(), *_marked_sums(slow_load_millis))
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
    sums = rows.groupBy(*PERSON_ITEM_DAYS.key).agg(*_sums(), _first_device().alias("_first"))
    first = F.element_at(F.array(*[F.lit(name) for name in DEVICE_CLASSES]), (F.col("_first") % 8 + 1).cast("int"))
    return sums.withColumn("first_device_class", first).select(*[c.name for c in PERSON_ITEM_DAYS.cols])


def build_person_word_days(person_events: DataFrame) -> DataFrame:
    """One row per person, business day and word of the person's searches.

    Args:
        person_events: columns of EVENTS and person_id; bots and events without a person or words are left out.

    Returns:
        Columns of PERSON_WORD_DAYS without run_id.

    Cost:
        One shuffle by the key, of the searches alone.
    """
    searches = _of_people(person_events).where((F.col("event_type") == "search") & F.col("query").isNotNull())
    words = searches.select("person_id", "event_date", F.explode(words_of("query")).alias("word"))
    return words.groupBy(*PERSON_WORD_DAYS.key).agg(F.count(F.lit(1)).alias("event_count"))


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
    named = _count_where(F.col("_order").isNotNull() & (F.col("_line") == 1))
    unnamed = F.max(F.when(is_buy & F.col("_order").isNull(), 1).otherwise(0))
    hour = F.floor(F.pmod("_local", F.lit(86400)) / 3600)
    parts = [
        _count_where(hour.between(first, first + 5)).alias(f"{name}_event_count") for name, first in _DAYPARTS.items()
    ]
    named_classes = DEVICE_CLASSES[:-1]
    devices = [_count_where(F.col("device_class") == name).alias(f"{name}_event_count") for name in named_classes]
    return (
        (named + unnamed).cast("bigint").alias("order_count"),
        _count_where(F.col("value") == 0).alias("zero_value_count"),
        _count_where(F.col("login_id").isNotNull()).alias("login_event_count"),
        *parts,
        *devices,
    )


def _marked_sums(slow_load_millis: float) -> tuple[Column, ...]:
    """Which of the events were on another local day, came from a campaign, had a discount, no rate, or were slow."""
    local_day, day = F.floor(F.col("_local") / 86400), F.unix_date("event_date")
    unrated = F.col("amount_minor").isNotNull() & F.col("amount_base_minor").isNull()
    slow = (F.col("event_type") == "load") & (F.col("value") > slow_load_millis)
    return (
        _count_where(local_day < day).alias("day_before_event_count"),
        _count_where(local_day > day).alias("day_after_event_count"),
        _count_where(F.col("_came")).alias("campaign_event_count"),
        _count_where(F.col("discount_minor") > 0).alias("discounted_count"),
        _count_where(unrated).alias("unrated_count"),
        _count_where(slow).alias("slow_count"),
    )


def _first_device() -> Column:
    """When the first event was and on which class of device, in one number: the earliest is the smallest."""
    code = F.lit(DEVICE_CLASSES.index("other"))
    for number, name in enumerate(DEVICE_CLASSES):
        code = F.when(F.col("device_class") == name, F.lit(number)).otherwise(code)
    return F.min(F.unix_micros("event_at") * 8 + code)


def _count_where(condition: Column) -> Column:
    return F.count(F.when(condition, 1))


def _local_seconds(time_zone: str) -> Column:
    """Seconds since 1970 on the clock where the event happened; whatever the session's own time zone is."""
    here = F.unix_seconds("event_at") + F.col("utc_offset_minutes") * 60
    return F.coalesce(here, F.unix_seconds(F.from_utc_timestamp("event_at", time_zone)))
