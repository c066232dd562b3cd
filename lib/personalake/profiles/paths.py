"""The ways to orders: on which platform they begin, and on which they end."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

PATH_DAYS = 7
"""A way to an order is no longer than this [days], the day of the order among them."""


def paths_by_person(person_days: DataFrame, as_of: date) -> DataFrame:
    """How often a person's way to an order began on another platform than it ended on.

    The way begins with the person's first event in the days up to the order, on whichever platform, but not before or
    on the last earlier day with an order: what led to that one is not told twice.

    Args:
        person_days: columns of PERSON_DAYS.
        as_of: days from this one on are not read.

    Returns:
        person_id, cross_platform_order_count, top_platform_path (`web → ios`; ties: first name).

    Cost:
        The days of buyers alone are shuffled by person, and sorted there twice.
    """
    known = person_days.where(F.col("event_date") < F.lit(as_of))
    buyers = known.where("event_type = 'buy' AND order_count > 0").select("person_id").distinct()
    theirs = known.join(buyers, on="person_id", how="left_semi").repartition("person_id")
    days = theirs.groupBy("person_id", "event_date", "platform").agg(
        F.min(F.struct("first_at", "platform")).alias("_first"), F.sum("order_count").alias("_orders")
    )
    by_day = Window.partitionBy("person_id").orderBy(F.unix_date("event_date"))
    earlier = F.max(F.when(F.col("_orders") > 0, F.col("event_date"))).over(
        by_day.rangeBetween(Window.unboundedPreceding, -1)
    )
    marked = days.withColumn("_last_order", earlier)
    way = Window.partitionBy("person_id", "_last_order").orderBy(F.unix_date("event_date"))
    began = F.min("_first").over(way.rangeBetween(1 - PATH_DAYS, 0))["platform"]
    ways = marked.withColumn("_began", began).where((F.col("_orders") > 0) & (F.col("_began") != F.col("platform")))
    path = F.concat_ws(" → ", "_began", "platform").alias("_path")
    counted = ways.groupBy("person_id", path).agg(F.sum("_orders").alias("_orders"))
    return counted.groupBy("person_id").agg(
        F.sum("_orders").alias("cross_platform_order_count"),
        F.min_by("_path", F.struct(-F.col("_orders"), "_path")).alias("top_platform_path"),
    )
