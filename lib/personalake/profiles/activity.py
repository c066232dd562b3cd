"""What a person did, how often and when: features from person_days."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from personalake.profiles.days import NO_CURRENCY
from personalake.profiles.totals import Day, row_columns, total_columns


def totals_by_person(person_days: DataFrame, day: Day, names: Collection[str] = ()) -> DataFrame:
    """What the catalogue counts on a person's days: one row per person with an event before the day.

    Args:
        person_days: columns of PERSON_DAYS.
        day: the day of the profile; days from it on are not read.
        names: the features wanted; empty is all.

    Cost:
        One shuffle and one sort by person; the rows of a day become one before the windows are counted.
    """
    known = person_days.where(F.col("event_date") < F.lit(day.as_of))
    # One row per person and day: distinct days need no set afterwards. In order, rows are added up as they come.
    known = known.repartition("person_id").sortWithinPartitions("person_id", "event_date")
    days = known.groupBy("person_id", "event_date").agg(*row_columns("day"))
    dated = days.withColumn("as_of_date", F.lit(day.as_of))
    return dated.groupBy("person_id").agg(*total_columns("day", day, names=names))


def platforms_by_person(person_days: DataFrame, as_of: date) -> DataFrame:
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


def orders_by_person(person_days: DataFrame, as_of: date) -> DataFrame:
    """How evenly a person buys, and in which money: person_id, _squared_gap_days, currency_count.

    Cost:
        One shuffle and one sort by person, of the rows of buys alone.
    """
    buys = person_days.where((F.col("event_date") < F.lit(as_of)) & (F.col("event_type") == "buy"))
    currency = F.when(F.col("currency") != NO_CURRENCY, F.col("currency"))
    rows = buys.repartition("person_id").sortWithinPartitions("person_id", "event_date")
    days = rows.groupBy("person_id", "event_date").agg(F.collect_set(currency).alias("_paid"))
    by_day = Window.partitionBy("person_id").orderBy("event_date")
    gap = F.date_diff("event_date", F.lag("event_date").over(by_day)).cast("bigint")
    return (
        days.withColumn("_gap", gap)
        .groupBy("person_id")
        .agg(
            F.coalesce(F.sum(F.col("_gap") * F.col("_gap")), F.lit(0)).alias("_squared_gap_days"),
            F.size(F.array_distinct(F.flatten(F.collect_list("_paid")))).cast("bigint").alias("currency_count"),
        )
    )
