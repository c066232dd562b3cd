"""What the models know of a buyer: on how many days there were orders, the first, the last, and the money."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def order_histories(person_days: DataFrame, as_of: date) -> DataFrame:
    """One row per person with an order before the day.

    Args:
        person_days: columns of PERSON_DAYS.
        as_of: days from this one on are not read.

    Returns:
        person_id, order_day_count, first_order_date, last_order_date, money_minor [cents, base currency]: the same as
        the columns of profiles.

    Cost:
        One shuffle by person, of days with a buy alone.
    """
    bought = (F.col("event_type") == "buy") & (F.col("event_date") < F.lit(as_of))
    days = person_days.where(bought).repartition("person_id").groupBy("person_id", "event_date")
    per_day = days.agg(F.sum("order_count").alias("_orders"), F.sum("amount_base_minor").alias("_money"))
    ordered = per_day.where(F.col("_orders") > 0)
    return ordered.groupBy("person_id").agg(
        F.count(F.lit(1)).alias("order_day_count"),
        F.min("event_date").alias("first_order_date"),
        F.max("event_date").alias("last_order_date"),
        F.sum("_money").alias("money_minor"),
    )


def purchase_histories(histories: DataFrame, as_of: date, period_days: int) -> DataFrame:
    """The distinct (frequency, recency, age) of buyers, and how many have each: what BG/NBD is fitted on.

    Args:
        histories: what `order_histories` gives for the day.
        as_of: the day; the last day known is the one before.
        period_days: unit of time [days].

    Returns:
        frequency (days with an order after the first), recency and age [periods] (from the first order to the last, and
        to the day before as_of), person_count; all double.

    Cost:
        One shuffle of rows pre-aggregated; at most as many rows as (days of history)² × orders.
    """
    facts = histories.select(*[column.alias(name) for name, column in history_columns(as_of, period_days).items()])
    return _counted(facts.select("frequency", "recency", "age"))


def spend_histories(histories: DataFrame) -> DataFrame:
    """The distinct (days with an order, mean money of one) of who ever paid: what Gamma-Gamma is fitted on.

    Args:
        histories: what `order_histories` gives.

    Returns:
        order_days, mean [base currency, > 0], person_count; all double.

    Cost:
        One shuffle of rows pre-aggregated.
    """
    paid = histories.where(F.col("money_minor") > 0)
    order_days = F.col("order_day_count").cast("double")
    return _counted(
        paid.select(order_days.alias("order_days"), (F.col("money_minor") / 100 / order_days).alias("mean"))
    )


def history_columns(as_of: date, period_days: int) -> dict[str, Column]:
    """frequency, recency and age of a row that has order_day_count, first_order_date and last_order_date."""
    return {
        "frequency": (F.col("order_day_count") - 1).cast("double"),
        "recency": F.date_diff("last_order_date", "first_order_date") / F.lit(float(period_days)),
        "age": (F.date_diff(F.lit(as_of), "first_order_date") - 1) / F.lit(float(period_days)),
    }


def _counted(rows: DataFrame) -> DataFrame:
    return rows.groupBy(*rows.columns).agg(F.count(F.lit(1)).cast("double").alias("person_count"))
