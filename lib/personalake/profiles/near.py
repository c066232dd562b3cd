"""Which visits a change of some days can touch, and the events that such visits are made of anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.profiles.sessions import actor

_DAY_SECONDS = 86_400


def visits_near(sessions: DataFrame, days: Sequence[date], gap_seconds: int) -> DataFrame:
    """The visits that may end, grow, split or be joined when events of some days come, go or change.

    A visit that has no event on these days nor so near to them that no silence could lie between is not touched.

    Args:
        sessions: columns of SESSIONS, made by silences alone.
        days: business days.
        gap_seconds: a longer silence ends a visit [s].

    Returns:
        Rows of sessions.
    """
    reach = 1 + gap_seconds // _DAY_SECONDS
    near = sorted({day + timedelta(days=n) for day in days for n in range(-reach, reach + 1)})
    return sessions.where(F.exists("day_ends", lambda end: end["event_date"].isin(near)))


def events_of_visits(events: DataFrame, visits: DataFrame, days: Sequence[date]) -> DataFrame:
    """All events of some days, and of other days those that lie within some visits.

    Args:
        events: columns of EVENTS.
        visits: what `visits_near` gave for these days.
        days: business days.

    Returns:
        Rows of events; `build_sessions` makes of them just the visits that take the place of `visits`.

    Cost:
        A join by device of the other days' events with the visits.
    """
    is_new = F.col("event_date").isin(list(days))
    spans = visits.select(actor().alias("_actor"), F.col("started_at").alias("_from"), F.col("ended_at").alias("_to"))
    within = F.col("event_at").between(F.col("_from"), F.col("_to"))
    acting = events.where(~is_new).withColumn("_who", actor())
    others = acting.join(spans, (F.col("_who") == F.col("_actor")) & within, how="left_semi").drop("_who")
    return events.where(is_new).unionByName(others)
