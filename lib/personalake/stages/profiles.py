"""events, identity_map → sessions, person_days, person_item_days, person_word_days, interactions, profiles, metrics."""

from __future__ import annotations

from personalake.job import Job, Stage
from personalake.profiles.index import with_index
from personalake.profiles.interactions import build_interactions
from personalake.stages.portraits import lifetime_as_of, lifetime_quality, orders_as_of, profiles_as_of
from personalake.stages.rollups import roll_up
from personalake.tables.evaluate import MODEL_METRICS
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
    orders = orders_as_of(job, job.as_of)
    fitted = lifetime_as_of(job, orders, job.as_of)
    job.note(**fitted.notes)
    job.replace_where(PROFILES, profiles_as_of(job, job.as_of, fitted), {"as_of_date": job.as_of})
    quality = lifetime_quality(job, orders, fitted)
    job.replace_where(MODEL_METRICS, quality, {"stage": STAGE.name, "as_of_date": job.as_of})


STAGE = Stage(
    name="profiles",
    title="Visits, daily roll-ups, interactions and the portrait of each person as of a day",
    reads=(EVENTS, ITEM_VERSIONS, CUSTOMER_VERSIONS, IDENTITY_MAP, IDENTITY_SIGHTINGS),
    writes=(SESSIONS, PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS, INTERACTIONS, PROFILES, MODEL_METRICS),
    sections=("profiles", "lifetime"),
    run=run,
)
