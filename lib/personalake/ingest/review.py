"""What of an event only its neighbours tell: values that the visit or the device knows, rates no person reaches."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.ingest.cleaning import Fill
from personalake.ingest.source import Source
from personalake.tables.ingest import EVENTS

TOUCHED = ("source", "device_id", "login_id", "source_session_id", "event_date")
_BOT, _IS_ASKED = "is_bot", "_is_asked"


def needs_review(source: Source) -> bool:
    """Whether a source's events depend on one another."""
    return bool(source.bot_events_per_minute) or any(fill.ways for fill in source.fill.values())


def told_by_neighbours(sources: Iterable[Source]) -> list[str]:
    """Columns of EVENTS that hold more than the records of some sources: what is filled, and which was."""
    fills = {name for source in sources for name, fill in source.fill.items() if fill.ways}
    return [*sorted(fills), _BOT, "filled_fields"]


def reviewed(events: DataFrame, touched: DataFrame, source: Source) -> DataFrame:
    """The events of a source that new ones may have changed, filled and marked anew from all that is known.

    A missing value is the last one before it in the same visit, else the first after it; then so for the same device;
    then the constant. A device (a login where no device is known) with more events in one minute than a person makes is
    a machine for that business day. Either is reckoned from what was sent alone, so the order in which events came
    makes no difference. `filled_fields` names what was filled, `is_bot` too where the rate tells it.

    Args:
        events: all events; columns of EVENTS.
        touched: whose visits, devices and days new events belong to; TOUCHED.
        source: whose events they are.

    Returns:
        Columns of EVENTS without run_id, of events in touched visits and by touched devices those alone that are
        another row now: a MERGE rewrites the days of all rows it is handed.

    Cost:
        Two joins of the source's events with small keys, a shuffle by visit and one by device of what they hold.
    """
    mine = events.where(F.col("source") == source.name).withColumns(_keys())
    seen = touched.where(F.col("source") == source.name).withColumns(_keys())
    # What an event is told hangs on what was sent in its visit and by its actor, and on nothing behind them: so those
    # that share either with what was touched may change, and their own visits and actors are all that must be read.
    # Visits and actors one step further are known in part only: nothing is told of their events.
    asked = _with_neighbours(mine, seen, _IS_ASKED)
    context = _with_neighbours(asked, asked.where(_IS_ASKED), "_is_read").where("_is_read")
    names = told_by_neighbours([source])
    context = context.withColumns({f"_was_{name}": F.col(name) for name in names})
    filled = _with_fills(context, source.fill)
    told = _with_bots(filled, source.bot_events_per_minute) if source.bot_events_per_minute else filled
    differs = reduce(or_, [~F.col(name).eqNullSafe(F.col(f"_was_{name}")) for name in names])
    return told.where(F.col(_IS_ASKED) & differs).select(*[c.name for c in EVENTS.cols])


def _keys() -> dict[str, Column]:
    """Visit and actor, null where there is none."""
    actor = F.coalesce(F.concat(F.lit("d"), "device_id"), F.concat(F.lit("l"), "login_id"))
    return {"_actor": actor, "_visit": F.col("source_session_id")}


def _with_neighbours(events: DataFrame, of: DataFrame, name: str) -> DataFrame:
    """The same events, with a mark on those that share a visit or an actor with some."""
    found = events
    for key in ("_actor", "_visit"):
        keys = of.where(F.col(key).isNotNull()).select(F.col(key), F.lit(True).alias(f"{key}_met")).distinct()
        found = found.join(keys, key, how="left")
    met = F.coalesce("_actor_met", F.lit(False)) | F.coalesce("_visit_met", F.lit(False))
    return found.withColumn(name, met).drop("_actor_met", "_visit_met")


def _with_fills(events: DataFrame, fills: dict[str, Fill]) -> DataFrame:
    names = sorted(name for name, fill in fills.items() if fill.ways)
    if not names:
        return events
    marks = F.coalesce("filled_fields", F.array().cast("array<string>"))
    sent = {f"_sent_{n}": F.when(~F.array_contains(marks, n), F.col(n)) for n in names}
    events = events.withColumns(sent)
    values = {}
    for name in names:
        ways = [_nearest(f"_sent_{name}", way) for way in fills[name].ways]
        values[f"_full_{name}"] = F.coalesce(f"_sent_{name}", *ways, F.lit(fills[name].default))
    events = events.withColumns(values)
    gaps = [F.when(F.col(f"_sent_{n}").isNull() & F.col(f"_full_{n}").isNotNull(), F.lit(n)) for n in names]
    others = F.array_except(marks, F.array(*map(F.lit, names)))
    told = F.array_sort(F.concat(others, F.array_compact(F.array(*gaps))))
    full = {name: F.col(f"_full_{name}") for name in names}
    return events.withColumns(full | {"filled_fields": F.when(F.size(told) > 0, told)})


def _nearest(column: str, way: str) -> Column:
    """The last value before an event in its visit or on its device, else the first after it."""
    key = "_visit" if way == "session" else "device_id"
    # An event without a visit is alone in one of its own, else all of them would be one.
    own = F.coalesce(key, F.concat(F.lit(" "), F.col("event_id")))
    order = Window.partitionBy(own).orderBy("event_at", "event_id")
    before = F.last(column, ignorenulls=True).over(order.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    after = F.first(column, ignorenulls=True).over(order.rowsBetween(Window.currentRow, Window.unboundedFollowing))
    return F.coalesce(before, after)


def _with_bots(events: DataFrame, most: int) -> DataFrame:
    marks = F.coalesce("filled_fields", F.array().cast("array<string>"))
    own = F.coalesce("_actor", F.concat(F.lit(" "), F.col("event_id")))
    in_minute = F.count(F.lit(1)).over(Window.partitionBy(own, F.date_trunc("minute", "event_at")))
    events = events.withColumns({"_in_minute": in_minute, "_told": F.col(_BOT) & ~F.array_contains(marks, _BOT)})
    is_fast = F.max("_in_minute").over(Window.partitionBy(own, "event_date")) > most
    others = F.array_remove(marks, _BOT)
    reckoned = F.col("_is_fast") & ~F.col("_told")
    named = F.when(reckoned, F.array_sort(F.concat(others, F.array(F.lit(_BOT))))).otherwise(others)
    events = events.withColumn("_is_fast", is_fast)
    return events.withColumns(
        {_BOT: F.col("_told") | F.col("_is_fast"), "filled_fields": F.when(F.size(named) > 0, named)}
    )
