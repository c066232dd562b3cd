"""interactions, profiles, segments, items, consents → item_neighbours, recommendations."""

from __future__ import annotations

import hashlib

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.job import Job, Stage
from personalake.manifest import code_version, complete_run_ids
from personalake.recommend.build import build_item_neighbours, build_recommendations, fit_all, ranked_items
from personalake.recommend.catalogue import catalogue_lists, catalogue_removals, nobodys_candidates
from personalake.recommend.convergence import build_losses
from personalake.recommend.propose import proposed_items
from personalake.recommend.removed import removals
from personalake.recommend.request import Request
from personalake.stages.asking import READS, SECTIONS, person_columns, persons_with, request_as_of, rules_fingerprint
from personalake.stages.learning import learned_blend
from personalake.tables.evaluate import MODEL_METRICS
from personalake.tables.profiles import INTERACTIONS, PROFILES
from personalake.tables.recommend import ITEM_NEIGHBOURS, RECOMMENDATIONS
from personalake.tables.segments import SEGMENT_PROFILES, SEGMENTS


def run(job: Job) -> None:
    """Fit, propose, blend, rank; every person with a profile gets a list."""
    interactions = job.read(INTERACTIONS)
    request = request_as_of(job, job.as_of, _persons(job), interactions)
    if interactions.isEmpty():
        _without_interactions(job, request)
    else:
        _with_interactions(job, request, interactions)


def _with_interactions(job: Job, request: Request, interactions: DataFrame) -> None:
    settings = job.settings.recommend
    fitted = fit_all(interactions, settings, request.items, request.persons)
    job.note(**{name: model.note for name, model in fitted.items() if model.note})
    job.replace(ITEM_NEIGHBOURS, build_item_neighbours(fitted))
    _write_metrics(job, build_losses(fitted, job.as_of))
    ranker = learned_blend(job, job.as_of)
    if ranker is not None:
        job.note(learned_blend=ranker.note)
    proposed = job.put_down(proposed_items(fitted, settings, request, ranker), "proposed")
    ranked = job.put_down(ranked_items(proposed, fitted, settings, request), "ranked")
    rows = build_recommendations(ranked, proposed, fitted, settings, request)
    _write(job, job.put_down(rows, "rows"))
    _note_removals(job, removals(proposed, ranked, fitted, settings, request))
    for model in fitted.values():
        model.unpersist()


def _without_interactions(job: Job, request: Request) -> None:
    """Everyone gets what the catalogue has; where there is none either, the tables say so by being empty."""
    settings = job.settings.recommend
    job.replace(ITEM_NEIGHBOURS, job.read(ITEM_NEIGHBOURS).limit(0))
    _write_metrics(job, job.read(MODEL_METRICS).limit(0))
    if request.items is None:
        job.note(no_lists="neither interactions nor a catalogue before this day")
        _replace(job, job.read(RECOMMENDATIONS).limit(0))
        return
    job.note(lists_from_catalogue="no interactions before this day")
    ranked = job.put_down(catalogue_lists(settings, request), "ranked")
    rows = build_recommendations(ranked, nobodys_candidates(request), {}, settings, request)
    _write(job, job.put_down(rows, "rows"))
    _note_removals(job, catalogue_removals(ranked, settings, request))


def _persons(job: Job) -> DataFrame:
    """Everyone with a profile of the day, and what rules and popular lists go by."""
    today = F.col("as_of_date") == F.lit(job.as_of)
    ours = today & (F.col("method") == F.lit(job.settings.segments.method))
    segments, names = (job.read(table).where(ours) for table in (SEGMENTS, SEGMENT_PROFILES))
    return persons_with(job.read(PROFILES).where(today), segments, names, person_columns(job.settings))


def _note_removals(job: Job, removed: DataFrame) -> None:
    """Keep with the run how much each rule removed, by its code; one row a rule."""
    for row in sorted(removed.collect()):
        job.note(**{row["rule_code"]: f"{row['removed_count']} {row['removed_kind']}"})


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
    _replace(job, named)


def _replace(job: Job, rows: DataFrame) -> None:
    # Rows of a run that died before it was complete go in the same commit.
    complete = ", ".join(f"'{run_id}'" for run_id in complete_run_ids(job.spark, job.root, job.stage.name))
    abandoned = f"run_id NOT IN ({complete})" if complete else "true"
    job.replace_where(RECOMMENDATIONS, rows, {"run_id": job.run_id}, also=abandoned)


def _write_metrics(job: Job, metrics: DataFrame) -> None:
    job.replace_where(MODEL_METRICS, metrics, {"stage": STAGE.name, "as_of_date": job.as_of})


def _model_version(job: Job) -> str:
    rules = rules_fingerprint(job.settings)["list_rules"]
    text = f"{job.settings.hash_of(STAGE.sections)}|{rules}|{job.as_of}|{code_version()}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


STAGE = Stage(
    name="recommend",
    title="Items like items, and a list with reasons for every person",
    reads=(INTERACTIONS, PROFILES, *READS),
    writes=(ITEM_NEIGHBOURS, RECOMMENDATIONS, MODEL_METRICS),
    sections=SECTIONS,
    run=run,
    fingerprint=rules_fingerprint,
)
