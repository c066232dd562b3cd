"""Each source against its own past: volume and lateness by day, fields that vanished, fields nobody declared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median_low

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.ingest.settings import Ingest
from personalake.ingest.source import Source

SourceDay = tuple[str, date, int, int]
AlarmRow = tuple[str, str, str, date, float, float, str]
EVENTS_SUBJECT = "events"
DAY_KINDS = ("quiet", "doubled", "late")
_LEAST_DAYS = 7
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
    """Days on which a source went quiet, doubled, or came late, against the days before and the same weekday's.

    A day is quiet or doubled only where it is so against both. The newest day of all sources is still going on, so it
    is never quiet; a source that sends nothing at all is quiet on each day until the newest. The usual is the lower
    median, days without events among them.

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
        counts = [by_day.get(day, (0, 0)) for day in spine]
        for place, day in enumerate(spine):
            before = counts[max(0, place - settings.watch_days) : place]
            same = counts[place - 7 :: -7][: settings.watch_days // 7] if place >= 7 else []
            found = _alarms(counts[place], before, same, day == newest, settings)
            rows += [(source, kind, EVENTS_SUBJECT, day, *told) for kind, told in found]
    return rows


_Day = tuple[int, int]


def _alarms(
    day: _Day, before: Sequence[_Day], same: Sequence[_Day], is_newest: bool, settings: Ingest
) -> Iterator[tuple[str, tuple[float, float, str]]]:
    """Kind, value, expected value and words of what a day is unlike."""
    if len(before) < _LEAST_DAYS:
        return
    usual = median_low(count for count, _ in before)
    weekly = median_low(count for count, _ in same) if same else usual
    low, high, count = min(usual, weekly), max(usual, weekly), day[0]
    if usual < settings.watch_min_events:
        return
    if not is_newest and count <= low * settings.quiet_share:
        yield "quiet", (float(count), float(low), f"{count} events; usual: {low}.")
    if count >= high * settings.doubled_ratio:
        yield "doubled", (float(count), float(high), f"{count} events; usual: {high}.")
    share, usual_share = _share(day), median_low(map(_share, before))
    if share >= settings.late_share and share >= 2 * usual_share and count >= settings.watch_min_events:
        yield "late", (share, usual_share, f"{share:.0%} of its events came late; usual: {usual_share:.0%}.")


def _share(day: _Day) -> float:
    return day[1] / day[0] if day[0] else 0.0


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
