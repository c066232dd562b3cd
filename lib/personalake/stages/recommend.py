"""interactions, items, consents → item_neighbours, recommendations."""

from __future__ import annotations

import hashlib

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.job import Job, Stage
from personalake.manifest import code_version, complete_run_ids
from personalake.privacy.consent import persons_without_consent
from personalake.recommend.build import build_item_neighbours, build_recommendations, fit_all, ranked_items
from personalake.stages.known import items_as_of
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import CONSENTS, ITEM_VERSIONS
from personalake.tables.profiles import INTERACTIONS, PERSON_ITEM_DAYS, PROFILES
from personalake.tables.recommend import ITEM_NEIGHBOURS, RECOMMENDATIONS

PERSONALISATION = "personalisation"


def run(job: Job) -> None:
    """Fit, propose, blend, rank; every person with a profile gets a list."""
    settings = job.settings.recommend
    interactions = job.read(INTERACTIONS)
    if interactions.isEmpty():
        job.note(no_lists="no interactions before this day")
        job.replace(ITEM_NEIGHBOURS, job.read(ITEM_NEIGHBOURS).limit(0))
        return
    fitted = fit_all(interactions, settings)
    job.replace(ITEM_NEIGHBOURS, build_item_neighbours(fitted))
    persons = job.read(PROFILES).where(F.col("as_of_date") == F.lit(job.as_of)).select("person_id")
    items = _catalogue(job)
    ranked = ranked_items(fitted, settings, persons, _bought(job), items, _opted_out(job, persons))
    rows = build_recommendations(job.put_down(ranked, "ranked"), fitted, settings, items)
    _write(job, job.put_down(rows, "rows"))
    for model in fitted.values():
        model.unpersist()


def _write(job: Job, rows: DataFrame) -> None:
    named = rows.withColumns(
        {
            "policy": F.lit(job.settings.recommend.policy),
            "as_of_date": F.lit(job.as_of),
            "model_version": F.lit(_model_version(job)),
            "propensity": F.lit(1.0),
        }
    )
    # Without the run's id: a run that is done again after a crash publishes the same suggestions under the same ids.
    key = ("policy", "model_version", "as_of_date", "person_id", "target_kind", "target_id")
    named = named.withColumn("recommendation_id", F.left(F.sha2(F.concat_ws("\x1f", *key), 256), F.lit(32)))
    # Rows of a run that died before it was complete go in the same commit.
    complete = ", ".join(f"'{run_id}'" for run_id in complete_run_ids(job.spark, job.root, job.stage.name))
    abandoned = f"run_id NOT IN ({complete})" if complete else "true"
    job.replace_where(RECOMMENDATIONS, named, {"run_id": job.run_id}, also=abandoned)


def _bought(job: Job) -> DataFrame:
    days = job.read(PERSON_ITEM_DAYS).where((F.col("event_type") == "buy") & (F.col("event_date") < F.lit(job.as_of)))
    return days.select("person_id", "item_id").distinct()


def _catalogue(job: Job) -> DataFrame | None:
    """Items as of the day; None where there is no catalogue, and then whatever people touched can be suggested."""
    items = items_as_of(job, job.as_of)
    return None if items.isEmpty() else items


def _opted_out(job: Job, persons: DataFrame) -> DataFrame:
    required = PERSONALISATION in job.settings.privacy.required_purposes
    return persons_without_consent(
        persons, job.read(CONSENTS), job.read(IDENTITY_MAP), PERSONALISATION, job.as_of, required
    )


def _model_version(job: Job) -> str:
    text = f"{job.settings.hash_of(STAGE.sections)}|{job.as_of}|{code_version()}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


STAGE = Stage(
    name="recommend",
    title="Items like items, and a list with reasons for every person",
    reads=(INTERACTIONS, PERSON_ITEM_DAYS, PROFILES, ITEM_VERSIONS, CONSENTS, IDENTITY_MAP),
    writes=(ITEM_NEIGHBOURS, RECOMMENDATIONS),
    sections=("recommend", "privacy"),
    run=run,
)
