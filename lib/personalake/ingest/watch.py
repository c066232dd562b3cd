"""Each source against its own past: volume and lateness by day, fields that vanished, fields nobody declared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median_low

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.ingest.rhythm import Usual, chance_of_at_least, chance_of_at_most, chance_of_share, usual_days
from personalake.ingest.settings import Ingest
from personalake.ingest.source import Source

SourceDay = tuple[str, date, int, int]
AlarmRow = tuple[str, str, str, date, float, float, str]
EVENTS_SUBJECT = "events"
DAY_KINDS = ("quiet", "doubled", "late")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_USUAL_SHARE = 0.05
# Verb and keys are checked record by record.
_ALWAYS = {"event_type", "identifier_kind"}


def source_days(events: DataFrame, late_hours: float) -> DataFrame:
    """Events of each source and business day, and how many of them came late.

    Args:
        events: all events of the days asked for; reads source, event_date, event_at, received_at.
        late_hours: an event received more than this after it happened is late [h].

    Returns:
        source, event_date, event_count, late_count.

    Cost:
        One shuffle of one row per partition, source and day.
    """
    waited = F.unix_seconds("received_at") - F.unix_seconds("event_at")
    late = F.count(F.when(waited > int(late_hours * 3600), 1)).alias("late_count")
    return events.groupBy("source", "event_date").agg(F.count(F.lit(1)).alias("event_count"), late)


def day_alarms(days: Iterable[SourceDay], sources: Collection[str], settings: Ingest) -> list[AlarmRow]:
    """Days on which a source went quiet, doubled, or came late, against its own past of the same weekday.

    Each alarm needs two things: the bound of settings, and that chance alone would hardly do it (`rhythm`). The newest
    day of all sources is still going on, so it is never quiet; a source that sends nothing at all is quiet on each day
    until the newest, or until its past is silent too.

    Args:
        days: all rows of source_days: a few bytes per source and day.
        sources: those that are still configured.
        settings: bounds.

    Returns:
        Rows of SOURCE_ALARMS in the order of its columns, by source and day.
    """
    known: dict[str, dict[date, tuple[int, int]]] = {}
    for source, day, count, late in days:
        if source in sources:
            known.setdefault(source, {})[day] = (count, late)
    newest = max((day for by_day in known.values() for day in by_day), default=None)
    rows: list[AlarmRow] = []
    for source, by_day in sorted(known.items()):
        first = min(by_day)
        spine = [first + timedelta(days=n) for n in range((newest - first).days + 1)] if newest else []
        told = [by_day.get(day, (0, 0)) for day in spine]
        for place, usual in enumerate(usual_days([count for count, _ in told], settings.watch_days)):
            if usual is None:
                continue
            day = spine[place]
            found = [*_volume(told[place][0], usual, day, day == newest, settings)]
            found += _late(told[place], told[max(0, place - settings.watch_days) : place], settings)
            rows += [(source, kind, EVENTS_SUBJECT, day, *words) for kind, words in found]
    return rows


_Day = tuple[int, int]
_Found = tuple[str, tuple[float, float, str]]


def _volume(count: int, usual: Usual, day: date, is_newest: bool, settings: Ingest) -> Iterator[_Found]:
    """Kind, value, expected value and words of a day with too few or too many events."""
    least, low, high = settings.watch_min_events, usual.low, usual.high
    is_few = not is_newest and low >= least and count <= low * settings.quiet_share
    if is_few and chance_of_at_most(count, low, usual.spread) < settings.watch_chance:
        yield "quiet", (float(count), float(low), _words(count, low, usual, day, "the least"))
    is_many = high >= least and count >= high * settings.doubled_ratio
    if is_many and chance_of_at_least(count, high, usual.spread) < settings.watch_chance:
        yield "doubled", (float(count), float(high), _words(count, high, usual, day, "the greatest"))


def _words(count: int, mean: float, usual: Usual, day: date, extreme: str) -> str:
    whose = f"a usual {_WEEKDAYS[day.weekday()]}" if usual.is_weekday else f"{extreme} of the days before"
    return f"{count} events; {whose} has {mean:.10g}."


def _late(day: _Day, before: Sequence[_Day], settings: Ingest) -> Iterator[_Found]:
    """The same of a day with too many late events, against the share of late ones on a usual day with events."""
    count, least = day[0], settings.watch_min_events
    if min(count, sum(events for events, _ in before)) < least:
        return
    share, usual = _share(day), median_low(_share(other) for other in before if other[0])
    if share < settings.late_share or share < 2 * usual:
        return
    if chance_of_share(day[1], count, usual) < settings.watch_chance:
        yield "late", (share, usual, f"{share:.0%} of its events came late; usual: {usual:.0%}.")


def _share(day: _Day) -> float:
    return day[1] / day[0]


@dataclass(frozen=True)
class Read:
    """What the ledger says of a file.

    Args:
        source: the source's name.
        taken: records that were not refused.
        modified_on: day it was last modified.
        filled: target field to records that have it.
        undeclared: field nobody declared to how many of the first records have it.
    """

    source: str
    taken: int
    modified_on: date
    filled: Mapping[str, int] = field(default_factory=dict)
    undeclared: Mapping[str, int] = field(default_factory=dict)


def field_alarms(source: Source, now: Sequence[Read], past: Sequence[Read], least: int) -> list[AlarmRow]:
    """Fields of a source that have vanished, and fields that nobody declared and that were not there before.

    Args:
        source: the source.
        now: the files of this run, one or more.
        past: those of earlier runs.
        least: a run with fewer records than this tells nothing of a field that vanished.

    Returns:
        Rows of SOURCE_ALARMS in the order of its columns, by kind and field.
    """
    day = max(read.modified_on for read in now)
    taken, earlier = sum(read.taken for read in now), sum(read.taken for read in past)
    rows: list[AlarmRow] = []
    for name in sorted({*source.fields} - _ALWAYS):
        had = sum(read.filled.get(name, 0) for read in past)
        usual = had / earlier if earlier else 0.0
        if taken >= least and usual >= _USUAL_SHARE and not any(read.filled.get(name, 0) for read in now):
            text = f"None of {taken} records has {name}; before, {usual:.0%} had it."
            rows.append((source.name, "vanished_field", name, day, 0.0, round(usual * taken, 1), text))
    known = {name for read in past for name in read.undeclared}
    for name in sorted({name for read in now for name in read.undeclared} - known):
        count = sum(read.undeclared.get(name, 0) for read in now)
        rows.append((source.name, "undeclared_field", name, day, float(count), 0.0, f"{name} is declared nowhere."))
    return sorted(rows, key=lambda row: (row[1], row[2]))
