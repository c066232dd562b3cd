"""events, identity_map → sessions, person_days, person_item_days, person_word_days, interactions, profiles."""

from __future__ import annotations

from pyspark.sql import DataFrame

from personalake.identity.whose import person_events
from personalake.job import Job, Stage
from personalake.profiles.days import build_person_days, build_person_item_days, build_person_word_days
from personalake.profiles.index import with_index
from personalake.profiles.interactions import build_interactions
from personalake.profiles.profile import Known, RollUps, build_profiles
from personalake.profiles.sessions import build_sessions, sessions_as_of
from personalake.stages.known import customers_as_of, events_with_person, items_as_of
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import CUSTOMER_VERSIONS, EVENTS, ITEM_VERSIONS
from personalake.tables.profiles import (
    INTERACTIONS,
    PERSON_DAYS,
    PERSON_ITEM_DAYS,
    PERSON_WORD_DAYS,
    PROFILES,
    SESSIONS,
)


def run(job: Job) -> None:
    """Visits and roll-ups of the whole history, then the portrait as of the day from the roll-ups alone."""
    settings = job.settings.profiles
    gap, own, types = settings.session_gap_seconds, settings.own_session_sources, settings.visit_event_types
    job.replace(SESSIONS, build_sessions(job.read(EVENTS), gap, own, settings.own_session_days, types))
    whose = events_with_person(job)
    job.replace(PERSON_DAYS, build_person_days(whose, job.settings.time_zone, settings.slow_load_millis))
    job.replace(PERSON_ITEM_DAYS, build_person_item_days(whose))
    job.replace(PERSON_WORD_DAYS, build_person_word_days(whose))
    interactions = build_interactions(job.read(PERSON_ITEM_DAYS), job.as_of, settings)
    job.replace(INTERACTIONS, with_index(job.put_down(interactions, "interactions")))
    rolled = RollUps(
        job.read(PERSON_DAYS), job.read(PERSON_ITEM_DAYS), job.read(PERSON_WORD_DAYS), _sessions_with_person(job)
    )
    known = Known(items_as_of(job, job.as_of), customers_as_of(job, job.as_of), job.read(IDENTITY_MAP))
    profiles = build_profiles(rolled, known, job.as_of, settings)
    job.replace_where(PROFILES, profiles, {"as_of_date": job.as_of})


def _sessions_with_person(job: Job) -> DataFrame:
    return person_events(sessions_as_of(job.read(SESSIONS), job.as_of), job.read(IDENTITY_MAP))


STAGE = Stage(
    name="profiles",
    title="Visits, daily roll-ups, interactions and the portrait of each person as of a day",
    reads=(EVENTS, ITEM_VERSIONS, CUSTOMER_VERSIONS, IDENTITY_MAP),
    writes=(SESSIONS, PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS, INTERACTIONS, PROFILES),
    sections=("profiles",),
    run=run,
)
