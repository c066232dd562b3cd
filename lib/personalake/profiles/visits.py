"""Features from visits."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.profiles.totals import Day, row_columns, total_columns, totals_of


def visits_by_person(sessions: DataFrame, day: Day) -> DataFrame:
    """How often, how long and on how many devices a person came.

    Args:
        sessions: what `sessions_as_of` gives for the same day, and person_id.
        day: the day of the profile.

    Returns:
        person_id, the features of the catalogue that are counted on visits, device_count.

    Cost:
        One shuffle by person.
    """
    known = sessions.where("person_id IS NOT NULL").repartition("person_id")
    dates = (F.col("started_date").alias("event_date"), F.lit(day.as_of).alias("as_of_date"))
    rows = known.select("person_id", "device_id", *dates, *row_columns("visit"))
    # By device first: devices are counted without a set.
    devices = rows.groupBy("person_id", "device_id").agg(*total_columns("visit", day))
    sums = [F.sum(feature.name).alias(feature.name) for feature in totals_of("visit")]
    return devices.groupBy("person_id").agg(*sums, F.count("device_id").alias("device_count"))
