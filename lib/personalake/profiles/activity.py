"""What a person did, how often, on what and when: features from person_days."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_DAYPARTS = ("night", "morning", "afternoon", "evening")
_DEVICE_CLASSES = ("pc", "phone", "tablet", "tv")
_VERBS = ("view", "cart", "buy", "search")


def activity_by_person(person_days: DataFrame, as_of: date, new_days: int) -> DataFrame:
    """Recency, frequency, money, device mix, hours and experience as of a day.

    Args:
        person_days: columns of PERSON_DAYS.
        as_of: days from this one on are not read.
        new_days: a person is new for so many days [days].

    Returns:
        person_id and the features of RECENCY, FREQUENCY, MONEY, EXPERIENCE, the counts of FUNNEL, the shares of
        DEVICES and HABITS, and has_login; one row per person with an event before as_of.

    Cost:
        One shuffle by person, of rows pre-aggregated by person and day.
    """
    days = _by_day(person_days.where(F.col("event_date") < F.lit(as_of)))
    persons = days.groupBy("person_id").agg(*_sums(as_of))
    return persons.select("person_id", *_recency(as_of, new_days), *_money(), *_counts(), *_shares(), *_means())


def top_platform_by_person(person_days: DataFrame, as_of: date) -> DataFrame:
    """The platforms of a person: person_id, platform_count, top_platform, top_platform_share; ties by name.

    Cost:
        One shuffle by person.
    """
    known = person_days.where(F.col("event_date") < F.lit(as_of)).repartition("person_id")
    platforms = known.groupBy("person_id", "platform").agg(F.sum("event_count").alias("_events"))
    return platforms.groupBy("person_id").agg(
        F.count(F.lit(1)).alias("platform_count"),
        F.min_by("platform", F.struct(-F.col("_events"), "platform")).alias("top_platform"),
        (F.max("_events") / F.sum("_events")).alias("top_platform_share"),
    )


def _by_day(person_days: DataFrame) -> DataFrame:
    """One row per person and day, wide: distinct days need no set afterwards."""
    days = person_days.repartition("person_id").groupBy("person_id", "event_date")
    verbs = [_sum_of("event_count", verb).alias(verb) for verb in _VERBS]
    parts = [F.sum(f"{name}_event_count").alias(name) for name in (*_DAYPARTS, *_DEVICE_CLASSES, "login")]
    # The discount in the base currency, at the rate of the day's own lines; 1 where nothing was paid.
    rate = F.coalesce(F.try_divide(F.col("amount_base_minor"), F.col("amount_minor")), F.lit(1.0))
    discount = F.round(F.col("discount_minor") * rate).cast("bigint")
    return days.agg(
        F.sum("event_count").alias("event"),
        *verbs,
        _sum_of("event_count", "favourite", "bookmark").alias("favourite"),
        _sum_of("event_count", "error").alias("error"),
        _sum_of("zero_value_count", "search").alias("zero_result"),
        F.sum("order_count").alias("order"),
        _sum_of("amount_base_minor", "buy").alias("money"),
        (-_sum_of("amount_base_minor", "refund")).alias("refund"),
        F.coalesce(F.sum(F.when(F.col("event_type") == "buy", discount)), F.lit(0)).alias("discount"),
        _sum_of("quantity", "buy").alias("bought"),
        *[_sum_of("value_sum", verb).alias(f"{verb}_sum") for verb in ("load", "survey", "rate")],
        *[_sum_of("value_count", verb).alias(f"{verb}_n") for verb in ("load", "survey", "rate")],
        *parts,
    )


def _sum_of(column: str, *verbs: str) -> Column:
    return F.coalesce(F.sum(F.when(F.col("event_type").isin(*verbs), F.col(column))), F.lit(0))


def _sums(as_of: date) -> tuple[Column, ...]:
    """One row per person: life, and the last so many days."""

    def since(days: int, column: Column) -> Column:
        return F.coalesce(F.sum(F.when(F.col("event_date") >= F.lit(as_of - timedelta(days=days)), column)), F.lit(0))

    ordered = F.when(F.col("order") > 0, F.col("event_date"))
    life = (
        "event",
        "view",
        "cart",
        "buy",
        "search",
        "favourite",
        "zero_result",
        "order",
        "money",
        "refund",
        "discount",
    )
    means = ("bought", "load_sum", "load_n", "survey_sum", "survey_n", "rate_sum", "rate_n", "login")
    recent = ("event", "view", "cart", "buy", "search", "favourite", "error", "order", "money")
    weekend = F.when(F.dayofweek("event_date").isin(1, 7), F.col("event")).otherwise(0)
    return (
        F.min("event_date").alias("first_event_date"),
        F.max("event_date").alias("last_event_date"),
        F.min(ordered).alias("first_order_date"),
        F.max(ordered).alias("last_order_date"),
        F.count(ordered).alias("order_days"),
        F.count(F.lit(1)).alias("active_day"),
        *[since(d, F.lit(1)).alias(f"active_day_{d}d") for d in (7, 30, 90)],
        *[F.sum(name).alias(name) for name in (*life, *means, *_DAYPARTS, *_DEVICE_CLASSES)],
        *[since(30, F.col(name)).alias(f"{name}_30d") for name in recent],
        *[since(90, F.col(name)).alias(f"{name}_90d") for name in ("order", "money")],
        F.sum(weekend).alias("weekend"),
    )


def _recency(as_of: date, new_days: int) -> tuple[Column, ...]:
    day = F.lit(as_of)
    recency = F.date_diff(day, "last_event_date")
    tenure = F.date_diff(day, "first_event_date")
    span = F.date_diff("last_order_date", "first_order_date")
    return (
        recency.alias("recency_days"),
        F.date_diff(day, "last_order_date").alias("order_recency_days"),
        *[F.col(f"{which}_{what}_date") for what in ("event", "order") for which in ("first", "last")],
        tenure.alias("tenure_days"),
        (tenure <= new_days).alias("is_new"),
        ((tenure > new_days) & (recency <= new_days)).alias("is_returning"),
        F.col("order_days").alias("order_day_count"),
        _ratio(span, F.col("order_days") - 1).alias("mean_days_between_orders"),
    )


def _money() -> tuple[Column, ...]:
    money, refund, order, discount = (F.col(name) for name in ("money", "refund", "order", "discount"))
    return (
        *[F.col(name).alias(f"{name}_minor") for name in ("money", "refund")],
        *[F.col(f"money_{d}d").alias(f"money_minor_{d}d") for d in (30, 90)],
        (money - refund).alias("net_money_minor"),
        _ratio(F.least(refund, money), money).alias("refund_share"),
        F.round(_ratio(money, order)).cast("bigint").alias("mean_order_minor"),
        _ratio(discount, discount + money).alias("discount_share"),
        F.round("bought", 9).alias("bought_quantity"),
        F.round(_ratio(F.col("bought"), order), 9).alias("quantity_per_order"),
    )


def _counts() -> tuple[Column, ...]:
    names = ("event", "view", "cart", "buy", "search", "favourite", "order")
    return (
        *[F.col(name).alias(f"{name}_count") for name in names],
        *[F.col(f"{name}_30d").alias(f"{name}_count_30d") for name in (*names, "error")],
        F.col("order_90d").alias("order_count_90d"),
        F.col("active_day").alias("active_day_count"),
        *[F.col(f"active_day_{d}d").alias(f"active_day_count_{d}d") for d in (7, 30, 90)],
        F.col("zero_result").alias("zero_result_search_count"),
        (F.col("login") > 0).alias("has_login"),
    )


def _shares() -> tuple[Column, ...]:
    """Shares of events, and the part of the day with the most; a tie goes to the earlier part."""
    most = F.greatest(*_DAYPARTS)
    parts = [F.when(F.col(part) == most, F.lit(part)) for part in _DAYPARTS]
    shares = (*_DEVICE_CLASSES, "night", "weekend")
    return (
        *[_ratio(F.col(n), F.col("event")).alias(f"{n}_share") for n in shares],
        F.coalesce(*parts).alias("top_daypart"),
    )


def _means() -> tuple[Column, ...]:
    names = {"load": "mean_load_value", "survey": "mean_satisfaction_value", "rate": "mean_rating_value"}
    return tuple(F.round(_ratio(F.col(f"{v}_sum"), F.col(f"{v}_n")), 9).alias(name) for v, name in names.items())


def _ratio(above: Column, below: Column) -> Column:
    """A ratio as double; null where there is nothing to divide by."""
    return F.when(below > 0, above.cast("double") / below)
