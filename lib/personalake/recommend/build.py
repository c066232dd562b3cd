"""What the stage recommend publishes: item_neighbours and recommendations, from fitted algorithms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import cast

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.recommend.blend import blend
from personalake.recommend.checks import PAIR, checked_interactions
from personalake.recommend.item_cosine import FittedItemCosine
from personalake.recommend.model import Fitted
from personalake.recommend.popular import FittedPopular
from personalake.recommend.rank import PERSONAL, rank_items
from personalake.recommend.reasons import FROM_ITEMS, LIKE_AN_ITEM, LIKE_MINDED, POPULAR, sentence
from personalake.recommend.settings import Recommend
from personalake.recommend.targets import rank_targets

_NO_ARGUMENTS = "map<string,string>"


def fit_all(interactions: DataFrame, settings: Recommend) -> dict[str, Fitted]:
    """Fit every algorithm of the settings, after one look at the input.

    Args:
        interactions: as `Algorithm.fit` takes them.
        settings: the section recommend.

    Returns:
        The fitted algorithms by name. Call `unpersist` on each when done.

    Raises:
        DataError: the input is not fit, with every fault.
    """
    checked_interactions(interactions)
    return {name: algorithm.fit(interactions, check=False) for name, algorithm in settings.algorithms.items()}


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


def ranked_items(
    fitted: Mapping[str, Fitted],
    settings: Recommend,
    persons: DataFrame,
    bought: DataFrame | None = None,
    items: DataFrame | None = None,
    opted_out: DataFrame | None = None,
) -> DataFrame:
    """The item lists: all candidates, blended and ranked. Persist them: `build_recommendations` reads them twice.

    Args:
        fitted: what `fit_all` gave.
        settings: the section recommend, the one fitted with.
        persons: person_id of everyone eligible; each gets a list as long as there are items.
        bought: person_id, item_id bought over the full history: never suggested. None: none.
        items: the catalogue: item_id, and is_available where it is known.
        opted_out: person_id of those who want no personalisation.

    Returns:
        person_id, item_id, score, source, recommendation_rank, as `rank.rank_items`.
    """
    popular = cast(FittedPopular, fitted[settings.fallback])  # the settings were checked for it
    seen = popular.interactions.select(*PAIR)
    masked = seen.limit(0) if bought is None else bought.select(*PAIR)
    if settings.exclude_seen:
        masked = masked.unionByName(seen).distinct()
    own = persons if opted_out is None else persons.join(opted_out, on="person_id", how="left_anti")
    lists = {name: fitted[name].candidates(own, settings.candidates, exclude=masked) for name in settings.blended}
    weights = {name: weight for name, weight in settings.blend.weights.items() if name in lists}
    blended = blend(lists, weights, settings.blend.method, settings.candidates)
    top = popular.popularity
    return rank_items(blended, top, persons, masked, settings.limit, items, opted_out, settings.fallback)


def build_recommendations(
    ranked: DataFrame, fitted: Mapping[str, Fitted], settings: Recommend, items: DataFrame | None = None
) -> DataFrame:
    """The rows of the table recommendations, but for what the run knows (policy, ids of rows, model, day).

    Args:
        ranked: what `ranked_items` gave.
        fitted: what `fit_all` gave.
        settings: the section recommend, the one fitted with.
        items: the catalogue: item_id, and where there title, brand, category, price_band.

    Returns:
        person_id, target_kind, target_id, recommendation_rank, score, source, reason_code, reason_arguments, reason,
        reason_zh. Reasons are true: REC-001 names the item of the person's history with the largest share.
    """
    rows = _item_rows(ranked, fitted, settings, items)
    if items is not None and settings.targets:
        targets = rank_targets(ranked, items, settings.targets, settings.target_limit, settings.fallback)
        arguments = F.create_map(F.lit("item_count"), F.col("item_count").cast("string"))
        rows = rows.unionByName(_with_reason(targets, F.lit(FROM_ITEMS), arguments))
    return rows


def _item_rows(
    ranked: DataFrame, fitted: Mapping[str, Fitted], settings: Recommend, items: DataFrame | None
) -> DataFrame:
    explained = _with_because(ranked, fitted)
    title = F.col("because_item_id").cast("string")
    if items is not None and "title" in items.columns:
        titles = items.select(F.col("item_id").alias("because_item_id"), F.col("title").alias("_title"))
        explained = explained.join(titles, on="because_item_id", how="left")
        title = F.coalesce("_title", title)
    because = F.col("because_item_id")
    by_source = {f"{PERSONAL}{name}": settings.algorithms[name].reason_code for name in settings.blended}
    codes = F.create_map(*(F.lit(text) for pair in by_source.items() for text in pair))
    code = (
        F.when(F.col("source") == settings.fallback, F.lit(POPULAR))
        .when(because.isNotNull(), F.lit(LIKE_AN_ITEM))
        .otherwise(F.coalesce(F.nullif(F.try_element_at(codes, "source"), F.lit(LIKE_AN_ITEM)), F.lit(LIKE_MINDED)))
    )
    named = F.create_map(F.lit("item_id"), because.cast("string"), F.lit("item_title"), title)
    arguments = F.when(because.isNotNull(), named).otherwise(F.create_map().cast(_NO_ARGUMENTS))
    rows = explained.withColumns({"target_kind": F.lit("item"), "target_id": F.col("item_id").cast("string")})
    return _with_reason(rows, code, arguments)


def _with_because(ranked: DataFrame, fitted: Mapping[str, Fitted]) -> DataFrame:
    """Adds because_item_id to rows whose source can name one."""
    parts = []
    for name, model in fitted.items():
        if isinstance(model, FittedItemCosine):
            known = model.interactions.select("person_id").distinct()
            parts.append(model.because(known).withColumn("source", F.lit(f"{PERSONAL}{name}")))
    if not parts:
        return ranked.withColumn("because_item_id", F.lit(None).cast(ranked.schema["item_id"].dataType))
    return ranked.join(reduce(DataFrame.unionByName, parts), on=[*PAIR, "source"], how="left")


def _with_reason(rows: DataFrame, code: Column, arguments: Column) -> DataFrame:
    coded = rows.withColumns({"reason_code": code, "reason_arguments": arguments})
    told = {
        name: sentence(F.col("reason_code"), F.col("reason_arguments"), language)
        for name, language in (("reason", "en"), ("reason_zh", "zh"))
    }
    first = ("person_id", "target_kind", "target_id", "recommendation_rank", "score", "source")
    return coded.withColumns(told).select(*first, "reason_code", "reason_arguments", "reason", "reason_zh")
