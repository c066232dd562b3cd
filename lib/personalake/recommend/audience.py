"""Who would want an item: by the neighbours that were published, or by its content where it has none yet."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR
from personalake.recommend.content import ContentBased
from personalake.recommend.item_cosine import FittedItemCosine, ItemCosine
from personalake.recommend.model import Fitted
from personalake.recommend.settings import Recommend


def audience_of_item(
    item_id: str,
    limit: int,
    interactions: DataFrame,
    neighbours: DataFrame,
    items: DataFrame | None,
    settings: Recommend,
    persons: DataFrame,
    bought: DataFrame,
) -> DataFrame:
    """The persons who would want an item most.

    Goes by the item's neighbours as they were published. Where it has none, because nobody has met it beside another
    item, its content speaks: the catalogue is compared with histories.

    Args:
        item_id: the item.
        limit: persons, ≥ 1.
        interactions: what was fitted on: person_id, item_id, weight, last_at.
        neighbours: the table item_neighbours.
        items: the catalogue; None: there is none.
        settings: the section recommend, the one published with.
        persons: person_id to choose from.
        bought: person_id, item_id bought over the full history: they have it.

    Returns:
        audience_rank (int, from 1: by falling score, then person_id), person_id, score, source (the algorithm's name).

    Cost:
        One job asks for neighbours. With them, one pass over interactions; only rows of neighbours are shuffled. By
        content, the features of the catalogue are computed and all interactions shuffled once.
    """
    asked = interactions.sparkSession.createDataFrame([(item_id,)], "item_id string")
    is_it = F.col("item_id") == F.lit(item_id)
    name, model = _by_neighbours(item_id, interactions, neighbours, settings) or _by_content(
        interactions, items, settings
    )
    has_it = bought.where(is_it).select(*PAIR)
    if settings.exclude_seen:
        has_it = has_it.unionByName(interactions.where(is_it).select(*PAIR))
    if model is None:
        nobody = persons.limit(0).select(F.lit(0).alias("audience_rank"), "person_id", F.lit(0.0).alias("score"))
        return nobody.withColumn("source", F.lit(""))
    found = model.audience(asked, limit, persons, has_it)
    return found.select("audience_rank", "person_id", "score", F.lit(name).alias("source"))


def _by_neighbours(
    item_id: str, interactions: DataFrame, neighbours: DataFrame, settings: Recommend
) -> tuple[str, Fitted] | None:
    """The first algorithm blended whose published neighbours know the item, as a model of these alone."""
    for name in settings.blended:
        algorithm = settings.algorithms[name]
        if not isinstance(algorithm, ItemCosine):
            continue
        near = neighbours.where((F.col("method") == F.lit(name)) & _about(item_id)).drop("method")
        if near.isEmpty():
            continue
        touched = near.select(F.explode(F.array("item_id", "neighbour_id")).alias("item_id")).distinct()
        rows = interactions.join(F.broadcast(touched), on="item_id", how="left_semi").select(*PAIR, "weight")
        return name, FittedItemCosine(algorithm, rows, near)
    return None


def _about(item_id: str) -> Column:
    return (F.col("item_id") == F.lit(item_id)) | (F.col("neighbour_id") == F.lit(item_id))


def _by_content(interactions: DataFrame, items: DataFrame | None, settings: Recommend) -> tuple[str, Fitted | None]:
    if items is None:
        return "", None
    own = {name: each for name, each in settings.algorithms.items() if isinstance(each, ContentBased)}
    name, algorithm = next(iter(own.items()), ("content_based", ContentBased()))
    return name, algorithm.fit(interactions, check=False, items=items)
