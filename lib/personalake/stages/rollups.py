"""events, identity_map → sessions and the roll-ups by person and day: of what changed alone, where that is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.identity.moved import moved_days, moved_identifiers
from personalake.identity.whose import person_events
from personalake.job import Job
from personalake.profiles.days import build_person_days, build_person_item_days, build_person_word_days
from personalake.profiles.near import events_of_visits, visits_near
from personalake.profiles.sessions import build_sessions
from personalake.stages.known import by_day, on_days
from personalake.tables.identity import IDENTITY_MAP, IDENTITY_SIGHTINGS
from personalake.tables.ingest import EVENTS
from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS, SESSIONS
from personalake.tables.spec import Table

Rollup = Callable[[DataFrame], DataFrame]


def roll_up(job: Job) -> None:
    """Bring visits and roll-ups up to date.

    A row of a roll-up is made from the events of one person on one day. So what must be made anew is the days on which
    events came, went or changed, and on other days the rows of persons who won or lost an identifier that was seen
    then. Both take the place of the old rows in one commit. Without a run to build upon, everything is made.
    """
    rollups: Mapping[Table, Rollup] = {
        PERSON_DAYS: lambda events: build_person_days(
            events, job.settings.time_zone, job.settings.profiles.slow_load_millis
        ),
        PERSON_ITEM_DAYS: build_person_item_days,
        PERSON_WORD_DAYS: build_person_word_days,
    }
    days = _changed_days(job, [SESSIONS, *rollups])
    before = None if days is None else job.read_before(IDENTITY_MAP)
    if days is None or before is None:
        _all(job, rollups)
        return
    _visits(job, days)
    moved = job.put_down(_moved(job, before, days), "moved-days")
    others = sorted(row["event_date"] for row in moved.select("event_date").distinct().collect())
    job.note(days_rolled_up=len(days), days_with_moved_persons=len(others))
    if days or others:
        # Each roll-up reads them: found once, since it takes a look at every event of the moved persons' days.
        changed = job.put_down(_changed_events(job, days, others, moved), "changed-events")
        for table, build in rollups.items():
            kept = on_days(job.read(table), others).join(moved, ["person_id", "event_date"], how="left_anti")
            rows = build(changed).unionByName(kept)
            job.replace_where(table, by_day(rows), {"event_date": [*days, *others]})


def _changed_days(job: Job, kept: Sequence[Table]) -> list[date] | None:
    """The days on which events changed; None where rows that are kept may be of other settings, or half-written."""
    if job.before is None or not job.before.had_same_settings:
        return None
    if not all(job.is_as_left(table) for table in kept):
        return None
    days = job.changed_dates(EVENTS, PERSON_DAYS)
    return None if days is None else [date.fromisoformat(day) for day in days]


def _all(job: Job, rollups: Mapping[Table, Rollup]) -> None:
    _all_visits(job)
    whose = person_events(job.read(EVENTS), job.read(IDENTITY_MAP))
    for table, build in rollups.items():
        job.replace(table, by_day(build(whose)))
    job.note(days_rolled_up="all")


def _all_visits(job: Job) -> None:
    job.replace(SESSIONS, by_day(_sessions(job, job.read(EVENTS)), "started_date"))


def _visits(job: Job, days: Sequence[date]) -> None:
    """The visits near changed days. Where a visit is not told by silences and events alone, all of them."""
    settings = job.settings.profiles
    if not days:
        return
    if settings.own_session_sources or settings.visit_event_types:
        _all_visits(job)
        return
    sessions = job.read(SESSIONS)
    touched = job.put_down(visits_near(sessions, days, settings.session_gap_seconds), "visits")
    ends = touched.select(F.explode("day_ends.event_date").alias("event_date")).distinct()
    dates = sorted({*days, *(row["event_date"] for row in ends.collect())})
    events = events_of_visits(on_days(job.read(EVENTS), dates), touched, days)
    kept = on_days(sessions, dates, "started_date").join(touched, ["session_id"], how="left_anti")
    rows = _sessions(job, events).unionByName(kept)
    job.replace_where(SESSIONS, by_day(rows, "started_date"), {"started_date": dates})


def _sessions(job: Job, events: DataFrame) -> DataFrame:
    settings = job.settings.profiles
    own, types = settings.own_session_sources, settings.visit_event_types
    zone = job.settings.time_zone
    return build_sessions(events, settings.session_gap_seconds, own, settings.own_session_days, types, zone)


def _moved(job: Job, before: DataFrame, days: Sequence[date]) -> DataFrame:
    """Persons and days, other than the changed ones, on which they won or lost events."""
    sightings = job.read(IDENTITY_SIGHTINGS).where(~F.col("event_date").isin(list(days)))
    return moved_days(sightings, moved_identifiers(before, job.read(IDENTITY_MAP)))


def _changed_events(job: Job, days: Sequence[date], others: Sequence[date], moved: DataFrame) -> DataFrame:
    """Events with their persons: all of the changed days, and of other days those of the moved persons."""
    events, identity_map = job.read(EVENTS), job.read(IDENTITY_MAP)
    of_days = person_events(on_days(events, days), identity_map)
    if not others:
        return of_days
    theirs = identity_map.join(moved.select("person_id").distinct(), ["person_id"], how="left_semi")
    of_moved = person_events(on_days(events, others), theirs)
    return of_days.unionByName(of_moved.join(moved, ["person_id", "event_date"], how="left_semi"))
