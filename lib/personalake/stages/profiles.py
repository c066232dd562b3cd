"""events, identity_map → sessions, person_days, person_item_days, interactions, profiles, model_metrics."""

from __future__ import annotations

from personalake.job import Job, Stage
from personalake.profiles.days import build_person_days, build_person_item_days
from personalake.profiles.index import with_index
from personalake.profiles.interactions import build_interactions
from personalake.profiles.sessions import build_sessions
from personalake.stages.known import events_with_person
from personalake.stages.portraits import lifetime_as_of, lifetime_quality, orders_as_of, profiles_as_of
from personalake.tables.evaluate import MODEL_METRICS
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import CUSTOMER_VERSIONS, EVENTS, ITEM_VERSIONS
from personalake.tables.profiles import INTERACTIONS, PERSON_DAYS, PERSON_ITEM_DAYS, PROFILES, SESSIONS


def run(job: Job) -> None:
    """Visits and roll-ups of the whole history, then the portrait as of the day from the roll-ups alone."""
    settings = job.settings.profiles
    gap, own, types = settings.session_gap_seconds, settings.own_session_sources, settings.visit_event_types
    job.replace(SESSIONS, build_sessions(job.read(EVENTS), gap, own, settings.own_session_days, types))
    whose = events_with_person(job)
    job.replace(PERSON_DAYS, build_person_days(whose, job.settings.time_zone))
    job.replace(PERSON_ITEM_DAYS, build_person_item_days(whose))
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
    reads=(EVENTS, ITEM_VERSIONS, CUSTOMER_VERSIONS, IDENTITY_MAP),
    writes=(SESSIONS, PERSON_DAYS, PERSON_ITEM_DAYS, INTERACTIONS, PROFILES, MODEL_METRICS),
    sections=("profiles", "lifetime"),
    run=run,
)
