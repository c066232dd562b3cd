"""events, identity_map → sessions, person_days, person_item_days, person_word_days, interactions, profiles."""

from __future__ import annotations

from pyspark.sql import DataFrame

from personalake.identity.whose import person_events
from personalake.job import Job, Stage
from personalake.profiles.index import with_index
from personalake.profiles.interactions import build_interactions
from personalake.profiles.profile import Known, RollUps, build_profiles
from personalake.profiles.sessions import sessions_as_of
from personalake.stages.known import customers_as_of, items_as_of
from personalake.stages.rollups import roll_up
from personalake.tables.identity import IDENTITY_MAP, IDENTITY_SIGHTINGS
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
    """Visits and roll-ups up to date, then the portrait as of the day from the roll-ups alone."""
    settings = job.settings.profiles
    roll_up(job)
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
    reads=(EVENTS, ITEM_VERSIONS, CUSTOMER_VERSIONS, IDENTITY_MAP, IDENTITY_SIGHTINGS),
    writes=(SESSIONS, PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS, INTERACTIONS, PROFILES),
    sections=("profiles",),
    run=run,
)
