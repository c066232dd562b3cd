"""Visits: events of one device with no long silence between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.tables.profiles import SESSIONS

_ACTOR = ("_hash", "_whose")
"""Whose silence counts. The hash, a number, comes first: sorting by it seldom has to look at the texts."""


def build_sessions(
    events: DataFrame,
    gap_seconds: int,
    own_session_sources: Sequence[str] = (),
    own_session_days: int = 0,
    visit_event_types: Sequence[str] = (),
    time_zone: str = "UTC",
) -> DataFrame:
    """One row per visit.

    A visit belongs to a device (to a login where no device is known), goes on over midnight, and ends with a silence
    longer than the gap. For the sources named, a visit is what the source's own session id says, however long the
    silence and whichever devices it names. Its login is the last one seen in it.

    Args:
        events: columns of EVENTS; bots and events without device and login are left out.
        gap_seconds: a silence longer than this starts a new visit [s], > 0.
        own_session_sources: sources whose own session ids are taken.
        own_session_days: events of such a visit later than this after its first are left out [d]; 0: none is.
        visit_event_types: a visit without any of them is none; empty: whatever happened is a visit.
        time_zone: IANA zone of started_hour, where the first event has no utc_offset_minutes of its own.

    Returns:
        Columns of SESSIONS without run_id.

    Cost:
        One shuffle of the events by device, a sort by time, and one by visit that finds them almost in order.
    """
    counts = F.col("event_type").isin(list(visit_event_types)) if visit_event_types else F.lit(True)
    told = events.withColumns({"_counts": counts, "started_hour": _local_hour(time_zone)})
    acting = _with_actor(told, own_session_sources)
    visits = _with_visit(_without_overlong(acting, own_session_days), gap_seconds)
    # In order, a visit is put together as its events come: a hash map would give up on so many visits.
    in_order = visits.sortWithinPartitions(*_ACTOR, "_visit")
    found = in_order.groupBy(*_ACTOR, "_visit").agg(*_of_a_visit(), F.max("_counts").alias("_counts")).where("_counts")
    item = {"entry_item_id": F.col("_entry.item_id"), "exit_item_id": F.col("_exit.item_id")}
    named = found.withColumns(item).select("*", "_first.*")
    rows = named.withColumns({"session_id": _session_id(), "day_ends": _day_ends()})
    rows = rows.withColumn("login_id", F.element_at("day_ends", -1)["login_id"])
    return rows.select(*[c.name for c in SESSIONS.cols])


def sessions_as_of(sessions: DataFrame, as_of: date) -> DataFrame:
    """The visits as they stood when the day began: those begun before it, each cut off at that midnight.

    The same as `build_sessions` gives for the events before that day alone, in the columns returned.

    Args:
        sessions: columns of SESSIONS.
        as_of: the first business day that is not known.

    Returns:
        session_id, source, platform, device_id, login_id, started_at, started_date,
        started_hour, ended_at, event_count, is_bounce.
    """
    known = F.filter("day_ends", lambda day: day["event_date"] < F.lit(as_of))
    # Almost every visit ended before the day and stands as it is; only the few others are taken apart.
    is_whole = F.element_at("day_ends", -1)["event_date"] < F.lit(as_of)
    logins = F.filter(known, lambda day: day["login_id"].isNotNull())
    total = F.aggregate(known, F.lit(0).cast("bigint"), lambda count, day: count + day["event_count"])
    cut = {
        "login_id": F.get(F.reverse(logins), F.lit(0))["login_id"],
        "ended_at": F.element_at(known, -1)["ended_at"],
        "event_count": total,
        "is_bounce": total == 1,
    }
    begun = sessions.where(F.col("started_date") < F.lit(as_of))
    stood = begun.withColumns({name: F.when(is_whole, F.col(name)).otherwise(value) for name, value in cut.items()})
    return stood.select(
        *("session_id", "source", "platform", "device_id", "login_id", "started_at", "started_date"),
        *("started_hour", "ended_at", "event_count", "is_bounce"),
    )


def actor() -> Column:
    """Whose silence counts, of events and visits alike: the device, else the login; null where neither is known."""
    return F.coalesce(F.concat("device_id", F.lit(" device")), F.concat("login_id", F.lit(" login")))


def _with_actor(events: DataFrame, own_session_sources: Sequence[str]) -> DataFrame:
    """The events of people; _whose silence counts, its _hash, _actor, and _own: the source's own visit, or null."""
    own = F.when(F.col("source").isin(list(own_session_sources)), F.concat_ws("\x1f", "source", "source_session_id"))
    known = events.where(~F.col("is_bot")).withColumn("_actor", actor()).where("_actor IS NOT NULL")
    marked = known.withColumn("_own", F.when(F.col("source_session_id").isNotNull(), own))
    marked = marked.withColumn("_actor", F.when(F.col("_own").isNull(), F.col("_actor")).otherwise(F.lit(" session")))
    whose = F.coalesce(F.concat("_own", F.lit(" session")), "_actor")
    return marked.select(
        F.xxhash64(whose).alias("_hash"),
        whose.alias("_whose"),
        *("_actor", "_own"),
        *("event_id", "event_at", "event_date", "source", "platform", "device_id", "login_id", "item_id"),
        F.when(F.size("acquisition") > 0, F.col("acquisition")).alias("acquisition"),
        (F.col("event_type") == "error").alias("has_error"),
        *("_counts", "started_hour"),
    )


def _without_overlong(events: DataFrame, own_session_days: int) -> DataFrame:
    """Without events of a source's own visit that come too long after its first: the id was left lying about."""
    if not own_session_days:
        return events
    first = F.min("event_at").over(Window.partitionBy(*_ACTOR))
    dated = events.withColumn("_since", F.unix_micros("event_at") - F.unix_micros(first))
    return dated.where(F.col("_own").isNull() | (F.col("_since") <= own_session_days * 86_400_000_000)).drop("_since")


def _with_visit(events: DataFrame, gap_seconds: int) -> DataFrame:
    """Adds _n (place among the actor's events), _visit (number of the visit), _ends_day, and _login so far."""
    by_time = Window.partitionBy(*_ACTOR).orderBy("event_at", "event_id")
    so_far = by_time.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    silence = F.unix_micros("event_at") - F.unix_micros(F.lag("event_at").over(by_time))
    starts = silence.isNull() | (F.col("_own").isNull() & (silence > gap_seconds * 1_000_000))
    marked = events.withColumns({"_n": F.row_number().over(by_time), "_starts": starts})
    login = F.when(F.col("login_id").isNotNull(), F.struct("_n", "login_id"))
    next_starts = F.lead("_starts").over(by_time)
    next_date = F.lead("event_date").over(by_time)
    return marked.withColumns(
        {
            "_visit": F.count(F.when(F.col("_starts"), 1)).over(so_far),
            "_ends_day": next_starts.isNull() | next_starts | (next_date != F.col("event_date")),
            "_login": F.last(login, ignorenulls=True).over(so_far),
        }
    )


def _of_a_visit() -> tuple[Column, ...]:
    """A visit's columns; _first, _entry, _exit and _day_ends are taken apart afterwards."""
    first = F.struct(
        *("_n", "event_id", "_actor", "_own", "source", "platform", "device_id"),
        F.col("event_at").alias("started_at"),
        F.col("event_date").alias("started_date"),
        "started_hour",
    )
    item = F.when(F.col("item_id").isNotNull(), F.struct("_n", "item_id"))
    day = F.struct("_n", "event_date", "event_at", "_login")
    return (
        F.min(first).alias("_first"),
        F.max("event_at").alias("ended_at"),
        F.count(F.lit(1)).alias("event_count"),
        F.min(item).alias("_entry"),
        F.max(item).alias("_exit"),
        F.min_by("acquisition", F.when(F.col("acquisition").isNotNull(), F.col("_n"))).alias("acquisition"),
        F.max("has_error").alias("has_error"),
        (F.count(F.lit(1)) == 1).alias("is_bounce"),
        F.array_sort(F.collect_list(F.when(F.col("_ends_day"), day))).alias("_day_ends"),
    )


def _day_ends() -> Column:
    """How far the visit had come at the end of each day; a login seen before it began is not its own."""
    first = F.col("_first._n")

    def day_end(day: Column) -> Column:
        return F.struct(
            day["event_date"].alias("event_date"),
            day["event_at"].alias("ended_at"),
            (day["_n"] - first + 1).cast("bigint").alias("event_count"),
            F.when(day["_login"]["_n"] >= first, day["_login"]["login_id"]).alias("login_id"),
        )

    return F.transform("_day_ends", day_end)


def _local_hour(time_zone: str) -> Column:
    """The hour on the clock where an event happened, whatever the session's own time zone is."""
    here = F.unix_seconds("event_at") + F.col("utc_offset_minutes") * 60
    seconds = F.coalesce(here, F.unix_seconds(F.from_utc_timestamp("event_at", time_zone)))
    return F.floor(F.pmod(seconds, F.lit(86400)) / 3600).cast("int")


def _session_id() -> Column:
    """An own visit is told apart by its own id, any other by its first event."""
    mark = F.coalesce("_own", "event_id")
    return F.sha2(F.concat_ws("\x1f", "_actor", mark), 256)
