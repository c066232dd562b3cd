"""What the stage recommend publishes: item_neighbours and recommendations, from fitted algorithms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR, checked_interactions
from personalake.recommend.explain import with_reasons
from personalake.recommend.fallbacks import tiers_of
from personalake.recommend.item_cosine import FittedItemCosine
from personalake.recommend.learned import Ranker, fit_ranker
from personalake.recommend.learned.ranker import training_persons
from personalake.recommend.model import Fitted
from personalake.recommend.popular import AudienceList
from personalake.recommend.propose import masked_pairs, proposed_items
from personalake.recommend.rank import rank_items
from personalake.recommend.reasons import with_sentences
from personalake.recommend.request import Request
from personalake.recommend.rules.exclusions import RULE
from personalake.recommend.settings import Recommend
from personalake.recommend.targets import rank_targets
from personalake.recommend.tastes import tastes_by_person


def fit_all(
    interactions: DataFrame, settings: Recommend, items: DataFrame | None = None, persons: DataFrame | None = None
) -> dict[str, Fitted]:
    """Fit every algorithm of the settings, after one look at the input.

    Args:
        interactions: as `Algorithm.fit` takes them.
        settings: the section recommend.
        items: the catalogue, for algorithms that go by content: without one they are left out.
        persons: person_id and what popular lists are made within (region, segment_id, top_platform); those who are not
            there, or of whom it is not known, count for the list of everybody alone.

    Returns:
        The fitted algorithms by name. Call `unpersist` on each when done.

    Raises:
        DataError: the input is not fit, with every fault.
    """
    checked_interactions(interactions)
    return {
        name: algorithm.fit(_with_audience(interactions, algorithm, persons), check=False, items=items)
        for name, algorithm in settings.algorithms.items()
        if items is not None or not algorithm.needs_items
    }


def fit_blend(
    before: DataFrame,
    after: DataFrame,
    settings: Recommend,
    items: DataFrame | None = None,
    persons: DataFrame | None = None,
) -> Ranker:
    """Learn how to blend: fit the algorithms on what was before a day, see what was taken up since.

    Args:
        before: the interactions as of the day, as `Algorithm.fit` takes them; first_at, last_at where they are there.
        after: person_id, item_id met since.
        settings: the section recommend.
        items: the catalogue as of the day.
        persons: as `fit_all`, as of the day: without them lists within an audience say nothing to learn from.

    Returns:
        The ranker; not trained where there is too little to learn from.

    Cost:
        A fit of the algorithms that are blended, and the lists of `train_persons`.
    """
    blended = {name: settings.algorithms[name] for name in settings.blended}
    fitted = fit_all(before, settings.model_copy(update={"algorithms": blended}), items, persons)
    seen = before.select(*PAIR) if settings.exclude_seen else before.select(*PAIR).limit(0)
    trained = training_persons(before, after, settings.blend.learned)
    lists = {name: model.candidates(trained, settings.candidates, exclude=seen) for name, model in fitted.items()}
    ranker = fit_ranker(lists, before, after, items, settings.blend.learned)
    for model in fitted.values():
        model.unpersist()
    return ranker


def build_item_neighbours(fitted: Mapping[str, Fitted]) -> DataFrame:
    """The rows of the table item_neighbours.

    Args:
        fitted: by name, at least one; those without neighbours add no rows.

    Returns:
        item_id, neighbour_id, method (the algorithm's name), similarity_score, neighbour_rank.
    """
    schema = "item_id string, neighbour_id string, method string, similarity_score double, neighbour_rank int"
    spark = next(iter(fitted.values())).interactions.sparkSession
    parts = [
        model.neighbours.select(
            F.col("item_id").cast("string").alias("item_id"),
            F.col("neighbour_id").cast("string").alias("neighbour_id"),
            F.lit(name).alias("method"),
            "similarity_score",
            "neighbour_rank",
        )
        for name, model in fitted.items()
        if isinstance(model, FittedItemCosine)
    ]
    return reduce(DataFrame.unionByName, parts) if parts else spark.createDataFrame([], schema)


def ranked_items(proposed: DataFrame, fitted: Mapping[str, Fitted], settings: Recommend, request: Request) -> DataFrame:
    """The item lists: candidates after the rules, filled up, re-ranked, capped and pinned. Put them down.

    Args:
        proposed: what `propose.proposed_items` gave; read twice, so put it down.
        fitted: what `fit_all` gave.
        settings: the section recommend, the one fitted with.
        request: persons, items and rules.

    Returns:
        person_id, item_id, score, source, audience, recommendation_rank, rule_code, as `rank.rank_items`.
    """
    own = proposed.where(F.col(RULE).isNull())
    tastes = _tastes(fitted, settings, request) if settings.rerank.calibration else None
    mask = masked_pairs(fitted, settings, request)
    tiers = tiers_of(fitted, settings.chain)
    return rank_items(own, tiers, mask, request, settings.limit, settings.rerank, tastes, settings.candidates)


def lists_for(
    fitted: Mapping[str, Fitted], settings: Recommend, request: Request, ranker: Ranker | None = None
) -> DataFrame:
    """The item lists in one go, with nothing put down on the way; as `ranked_items`, without what caps kept out."""
    ranked = ranked_items(proposed_items(fitted, settings, request, ranker), fitted, settings, request)
    return ranked.where(F.col(RULE).isNull()).drop(RULE)


def build_recommendations(
    ranked: DataFrame, proposed: DataFrame, fitted: Mapping[str, Fitted], settings: Recommend, request: Request
) -> DataFrame:
    """The rows of the table recommendations, but for what the run knows (policy, ids of rows, model, day).

    Args:
        ranked: what `ranked_items` gave.
        proposed: what `propose.proposed_items` gave.
        fitted: what `fit_all` gave; empty where nobody met anything.
        settings: the section recommend, the one fitted with.
        request: persons, and items: item_id, and where there title, brand, category, price_band.

    Returns:
        person_id, target_kind, target_id, recommendation_rank, score, source, reason_code, reason_arguments, reason,
        reason_zh. Reasons are true: REC-001 names the item of the person's history with the largest share.
    """
    listed = ranked.where(F.col(RULE).isNull())
    tastes = _tastes(fitted, settings, request)
    told = with_reasons(listed, fitted, settings, request, tastes)
    rows = _with_kind(told)
    if request.items is not None and tastes is not None and settings.targets:
        own = proposed.where(F.col(RULE).isNull())
        targets = rank_targets(own, told, tastes, request.items, settings.targets, settings.target_limit)
        rows = rows.unionByName(targets)
    return with_sentences(rows)


def _with_kind(rows: DataFrame) -> DataFrame:
    target = {"target_kind": F.lit("item"), "target_id": F.col("item_id").cast("string")}
    columns = ("person_id", "target_kind", "target_id", "score", "source", "recommendation_rank")
    return rows.withColumns(target).select(*columns, "reason_code", "reason_arguments")


def _tastes(fitted: Mapping[str, Fitted], settings: Recommend, request: Request) -> DataFrame | None:
    """The tastes of those whose lists may be their own; None without a catalogue."""
    met = fitted[settings.fallback].interactions if fitted else request.interactions
    if request.items is None or met is None:
        return None
    histories = met.join(request.personal, on="person_id", how="left_semi")
    return tastes_by_person(histories, request.items)


def _with_audience(interactions: DataFrame, algorithm: object, persons: DataFrame | None) -> DataFrame:
    """The interactions plus the column of persons that a popular list is made within."""
    within = algorithm.within if isinstance(algorithm, AudienceList) else None
    if within is None or within in interactions.columns:
        return interactions
    if persons is None or within not in persons.columns:
        return interactions.withColumn(within, F.lit(None).cast("string"))
    return interactions.join(persons.select("person_id", within), on="person_id", how="left")
