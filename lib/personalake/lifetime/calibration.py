"""Whether expectations hold: fitted on the days before, held against what came after."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.lifetime.model import FittedLifetime, with_lifetime
from personalake.lifetime.settings import Lifetime

MOST_REPEATS = 7
"""Buyers with so many repeat purchases or more are one group, as in the paper's figure."""


def calibration_by_frequency(
    before: DataFrame, after: DataFrame, fitted: FittedLifetime, border: date, days: int
) -> DataFrame:
    """Expected and actual days with an order after a day, by the number of repeat purchases before it.

    Args:
        before: what `order_histories` gives for the border.
        after: what it gives for a later day, border + days.
        fitted: what `fit_lifetime` found as of the border.
        border: the first day that the fit did not know.
        days: how many days came after [days].

    Returns:
        repeat_count (0 … 7; 7 is 7 or more), person_count, expected_orders, actual_orders: means per person; one row a
        group. Persons who first bought after the border are in none.

    Cost:
        A join by person, and one aggregate.
    """
    told = with_lifetime(before, fitted, border, Lifetime(horizon_days=days))
    then = after.select("person_id", F.col("order_day_count").alias("_then"))
    both = told.join(then, on="person_id", how="inner")
    group = F.least(F.col("order_day_count") - 1, F.lit(MOST_REPEATS))
    return both.groupBy(group.cast("int").alias("repeat_count")).agg(
        F.count(F.lit(1)).alias("person_count"),
        F.round(F.avg("expected_orders"), 6).alias("expected_orders"),
        F.round(F.avg(F.col("_then") - F.col("order_day_count")), 6).alias("actual_orders"),
    )
