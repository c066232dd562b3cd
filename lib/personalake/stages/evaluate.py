"""person_item_days → model_metrics: what the lists would have been worth on the last days."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.evaluate.build import build_model_metrics
from personalake.evaluate.random_lists import random_recommender
from personalake.evaluate.split import relevant_pairs, split_by_time
from personalake.job import Job, Stage
from personalake.profiles.interactions import build_interactions
from personalake.recommend.build import fit_all, ranked_items
from personalake.recommend.model import Fitted
from personalake.recommend.propose import proposed_items
from personalake.recommend.request import Request
from personalake.stages.known import items_as_of
from personalake.stages.learning import learned_blend
from personalake.tables.evaluate import MODEL_METRICS
from personalake.tables.ingest import ITEM_VERSIONS
from personalake.tables.profiles import PERSON_ITEM_DAYS


def run(job: Job) -> None:
    """Train as of the day less test_days, list for everybody who met something new since, and measure."""
    settings = job.settings.evaluate
    split = split_by_time(job.read(PERSON_ITEM_DAYS), job.as_of, settings.test_days)
    weighted = [verb for verb, weight in job.settings.profiles.event_weights.items() if weight > 0]
    train = job.put_down(build_interactions(split.train, split.train_as_of, job.settings.profiles), "train")
    test = split.test.where(F.col("event_type").isin(*weighted))
    relevant = job.put_down(relevant_pairs(test, train, settings.only_new), "relevant")
    if train.isEmpty() or relevant.isEmpty():
        job.note(not_measured=f"the last {settings.test_days} days, or the days before them, hold no interactions")
        metrics = job.read(MODEL_METRICS).limit(0)
    else:
        fitted = fit_all(train, job.settings.recommend, _catalogue(job, split.train_as_of))
        items = train.select("item_id").distinct()
        lists = {
            name: job.put_down(frame, name)
            for name, frame in _lists(job, fitted, relevant, items, train, split.train_as_of).items()
        }
        metrics = build_model_metrics(lists, relevant, train, items, job.as_of, settings.ks)
    job.replace_where(MODEL_METRICS, metrics, {"stage": STAGE.name, "as_of_date": job.as_of})


def _lists(
    job: Job, fitted: dict[str, Fitted], relevant: DataFrame, items: DataFrame, train: DataFrame, train_as_of: date
) -> dict[str, DataFrame]:
    limit = max(job.settings.evaluate.ks)
    settings = job.settings.recommend.model_copy(update={"limit": limit})
    persons = relevant.select("person_id").distinct()
    lists = {name: _ranked(model.candidates(persons, limit), "candidate_rank") for name, model in fitted.items()}
    request = Request(persons, items=_catalogue(job, job.as_of), interactions=train)
    ranker = learned_blend(job, train_as_of)
    if ranker is not None:
        job.note(learned_blend=ranker.note)
    proposed = job.put_down(proposed_items(fitted, settings, request, ranker), "proposed")
    lists["blend"] = _ranked(ranked_items(proposed, fitted, settings, request), "recommendation_rank")
    # Popular answers only for persons it has met; as a baseline everybody gets the list.
    everybody = Request(persons, opted_out=persons)
    popular = ranked_items(proposed.limit(0), fitted, settings, everybody)
    only_popular = popular.where(F.col("source") == settings.fallback)
    lists[settings.fallback] = _ranked(only_popular, "recommendation_rank")
    lists["random"] = random_recommender(persons, items, limit, job.settings.evaluate.seed)
    return lists


def _catalogue(job: Job, as_of: date) -> DataFrame | None:
    items = items_as_of(job, as_of)
    return None if items.isEmpty() else items


def _ranked(lists: DataFrame, column: str) -> DataFrame:
    return lists.select("person_id", "item_id", F.col(column).alias("rank"))


STAGE = Stage(
    name="evaluate",
    title="What the lists would have been worth on the last days",
    reads=(PERSON_ITEM_DAYS, ITEM_VERSIONS),
    writes=(MODEL_METRICS,),
    sections=("evaluate", "recommend", "profiles"),
    run=run,
)
