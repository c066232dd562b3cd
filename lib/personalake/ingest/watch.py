"""Each source against its own past: volume and lateness by day, fields that vanished, fields nobody declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.ingest.settings import Ingest
from personalake.ingest.source import Source

EVENTS_SUBJECT = "events"
DAY_KINDS = ("quiet", "doubled", "late")
_LEAST_DAYS, _LEAST_WEEKS = 7, 3
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


def day_alarms(days: DataFrame, sources: Sequence[str], settings: Ingest) -> DataFrame:
    """Days on which a source went quiet, doubled, or came late, against the days before and the same weekday's.

    A day is quiet or doubled only where it is so against both. The newest day of all sources is still going on, so it
    is never quiet; a source that sends nothing at all is quiet on each day until the newest.

    Args:
        days: all rows of source_days.
        sources: those that are still configured.
        settings: bounds.

    Returns:
        Columns of SOURCE_ALARMS without run_id.

    Cost:
        One shuffle of one row per source and day.
    """
    known = _calendar(days.where(F.col("source").isin(list(sources))))
    dated = known.withColumn("_week", F.dayofweek("event_date"))
    before = Window.partitionBy("source").orderBy("event_date").rowsBetween(-settings.watch_days, -1)
    weeks = settings.watch_days // 7
    same = Window.partitionBy("source", "_week").orderBy("event_date").rowsBetween(-weeks, -1)
    usual = dated.withColumns(
        {
            "_days": F.collect_list("event_count").over(before),
            "_weeks": F.collect_list("event_count").over(same),
            "_shares": F.collect_list("late_share").over(before),
        }
    )
    median, weekly = _median("_days", _LEAST_DAYS), F.coalesce(_median("_weeks", _LEAST_WEEKS), _median("_days", 1))
    bounds = {"_low": F.least(median, weekly), "_high": F.greatest(median, weekly), "_late": _median("_shares", 7)}
    told = usual.withColumns(bounds | {"_is_usual": median >= settings.watch_min_events})
    rows = told.where("_is_usual").withColumn("_alarm", F.explode(F.array_compact(F.array(*_alarms(settings)))))
    return rows.select(
        "source", F.lit(EVENTS_SUBJECT).alias("subject"), F.col("event_date").alias("alarm_date"), "_alarm.*"
    )


def _alarms(settings: Ingest) -> list[Column]:
    count, share = F.col("event_count"), F.col("late_share")
    is_quiet = (F.col("event_date") < F.col("_newest")) & (count <= F.col("_low") * settings.quiet_share)
    is_doubled = count >= F.col("_high") * settings.doubled_ratio
    is_late = (share >= settings.late_share) & (share >= 2 * F.col("_late")) & (count >= settings.watch_min_events)
    per_cent = F.concat(F.round(share * 100).cast("int").cast("string"), F.lit(" % of its events came late; usual: "))
    usual_share = F.concat(F.round(F.col("_late") * 100).cast("int").cast("string"), F.lit(" %."))
    return [
        _alarm(is_quiet, "quiet", count, F.col("_low"), _counted(count, "_low")),
        _alarm(is_doubled, "doubled", count, F.col("_high"), _counted(count, "_high")),
        _alarm(is_late, "late", share, F.col("_late"), F.concat(per_cent, usual_share)),
    ]


def _counted(count: Column, usual: str) -> Column:
    return F.concat(
        count.cast("string"), F.lit(" events; usual: "), F.col(usual).cast("bigint").cast("string"), F.lit(".")
    )


def _alarm(applies: Column, kind: str, value: Column, expected: Column, reason: Column) -> Column:
    told = F.struct(
        F.lit(kind).alias("alarm_kind"),
        value.cast("double").alias("value"),
        expected.cast("double").alias("expected_value"),
        reason.alias("reason"),
    )
    return F.when(applies, told)


def _calendar(days: DataFrame) -> DataFrame:
    """Each source's days from its first to the newest of all, those without events too, with late_share and _newest."""
    everywhere = Window.partitionBy()
    newest = days.withColumn("_newest", F.max("event_date").over(everywhere))
    spans = newest.groupBy("source").agg(F.min("event_date").alias("_first"), F.max("_newest").alias("_newest"))
    spine = spans.select("source", "_newest", F.explode(F.sequence("_first", "_newest")).alias("event_date"))
    joined = spine.join(days, ["source", "event_date"], how="left")
    count, late = F.coalesce("event_count", F.lit(0)), F.coalesce("late_count", F.lit(0))
    share = F.coalesce(F.try_divide(late, count), F.lit(0.0))
    return joined.select("source", "_newest", "event_date", count.alias("event_count"), share.alias("late_share"))


def _median(column: str, least: int) -> Column:
    """The middle of the values, the lower one of two; null where there are too few."""
    middle = F.get(F.array_sort(column), F.floor((F.size(column) - 1) / 2).cast("int"))
    return F.when(F.size(column) >= least, middle)


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


AlarmRow = tuple[str, str, str, date, float, float, str]


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
