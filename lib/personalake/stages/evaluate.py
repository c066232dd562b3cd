"""person_item_days, roll-ups → model_metrics: what the lists would have been worth on the last days."""

from __future__ import annotations

from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.evaluate.build import build_model_metrics
from personalake.evaluate.random_lists import random_recommender
from personalake.evaluate.split import relevant_pairs, split_by_time
from personalake.job import Job, Stage
from personalake.profiles.interactions import build_interactions
from personalake.recommend.build import fit_all, ranked_items
from personalake.recommend.learned import Ranker
from personalake.recommend.model import Fitted
from personalake.recommend.propose import masked_pairs, proposed_alone, proposed_items
from personalake.recommend.request import Request
from personalake.recommend.rerank.settings import Rerank
from personalake.recommend.rules.exclusions import RULE
from personalake.stages.asking import READS, SECTIONS, person_columns, persons_before, request_as_of, rules_fingerprint
from personalake.stages.learning import learned_blend
from personalake.tables.evaluate import MODEL_METRICS
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
        known = persons_before(job, split.train_as_of, person_columns(job.settings))
        persons = relevant.select("person_id").distinct().join(known, on="person_id", how="left")
        request = request_as_of(job, split.train_as_of, persons, train)
        fitted = fit_all(train, job.settings.recommend, request.items, known)
        ranker = learned_blend(job, split.train_as_of)
        if ranker is not None:
            job.note(learned_blend=ranker.note)
        items = train.select("item_id").distinct()
        lists = {
            name: job.put_down(frame.select("person_id", "item_id", F.col(column).alias("rank")), name)
            for name, (frame, column) in _lists(job, fitted, ranker, request, items).items()
        }
        metrics = build_model_metrics(lists, relevant, train, items, job.as_of, settings.ks)
    job.replace_where(MODEL_METRICS, metrics, {"stage": STAGE.name, "as_of_date": job.as_of})


def _lists(
    job: Job, fitted: dict[str, Fitted], ranker: Ranker | None, request: Request, items: DataFrame
) -> dict[str, tuple[DataFrame, str]]:
    """The lists of each model, and the column that ranks them."""
    limit = max(job.settings.evaluate.ks)
    settings = job.settings.recommend.model_copy(update={"limit": limit})
    mask = masked_pairs(fitted, settings, request)
    lists = {name: (proposed_alone(model, mask, request, limit), "candidate_rank") for name, model in fitted.items()}
    proposed = job.put_down(proposed_items(fitted, settings, request, ranker), "proposed")
    ranked = ranked_items(proposed, fitted, settings, request)
    lists["blend"] = (ranked.where(F.col(RULE).isNull()), "recommendation_rank")
    # Popular answers only for persons it has met; as a baseline everybody gets the list, as it comes.
    plain = settings.model_copy(update={"rerank": Rerank(), "fallbacks": ()})
    unplaced = replace(request, rules=request.rules.keeping_out)
    popular = ranked_items(proposed.limit(0), fitted, plain, unplaced)
    lists[settings.fallback] = (popular, "recommendation_rank")
    random = random_recommender(request.ids, items, limit, job.settings.evaluate.seed)
    lists["random"] = (random, "rank")
    return lists


STAGE = Stage(
    name="evaluate",
    title="What the lists would have been worth on the last days",
    reads=READS,
    writes=(MODEL_METRICS,),
    sections=("evaluate", *SECTIONS),
    run=run,
    fingerprint=rules_fingerprint,
)
