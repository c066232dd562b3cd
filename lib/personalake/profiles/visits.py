"""Features from visits."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def visits_by_person(sessions: DataFrame, as_of: date) -> DataFrame:
    """How often, how long and on how many devices a person came.

    Args:
        sessions: what `sessions_as_of` gives for the same day, and person_id.
        as_of: days from this one on are not known.

    Returns:
        person_id, session_count, session_count_30d, mean_session_seconds, events_per_session, bounce_share,
        device_count.

    Cost:
        One shuffle by person.
    """
    rows = sessions.where("person_id IS NOT NULL").repartition("person_id")
    recent = F.col("started_date") >= F.lit(as_of - timedelta(days=30))
    millis = F.unix_millis("ended_at") - F.unix_millis("started_at")
    devices = rows.groupBy("person_id", "device_id").agg(
        F.count(F.lit(1)).alias("_sessions"),
        F.count(F.when(recent, 1)).alias("_recent"),
        F.sum(millis).alias("_millis"),
        F.sum("event_count").alias("_events"),
        F.count(F.when(F.col("is_bounce"), 1)).alias("_bounces"),
    )
    sessions_sum = F.sum("_sessions")
    return devices.groupBy("person_id").agg(
        sessions_sum.alias("session_count"),
        F.sum("_recent").alias("session_count_30d"),
        (F.sum("_millis") / sessions_sum / 1000).alias("mean_session_seconds"),
        (F.sum("_events") / sessions_sum).alias("events_per_session"),
        (F.sum("_bounces") / sessions_sum).alias("bounce_share"),
        F.count("device_id").alias("device_count"),
    )
