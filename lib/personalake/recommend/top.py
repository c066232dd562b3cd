"""The few steps that every list goes through: round, mask, rank, cut."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

PAIR = ["person_id", "item_id"]
DECIMALS = 9


def rounded(score: Column) -> Column:
    """A score at 9 decimals, so that the order in which floats were added cannot change a rank."""
    return F.rint(score * F.lit(10.0**DECIMALS)) / F.lit(10.0**DECIMALS)


def top_candidates(scores: DataFrame, limit: int, *extra: str) -> DataFrame:
    """The best items of each person.

    Args:
        scores: one row per person and item; reads person_id, item_id, score.
        limit: list length, ≥ 1.
        extra: further columns to keep.

    Returns:
        person_id, item_id, score, candidate_rank (int, from 1: by falling score, then item_id), then the extra ones.

    Cost:
        One shuffle and sort by person_id; Spark cuts the groups before the shuffle.
    """
    order = Window.partitionBy("person_id").orderBy(F.desc("score"), F.asc("item_id"))
    ranked = scores.select(*PAIR, "score", F.row_number().over(order).alias("candidate_rank"), *extra)
    return ranked.where(F.col("candidate_rank") <= limit)


def with_popularity_rank(popular: DataFrame) -> DataFrame:
    """Rank items for everybody: by falling score, then item_id.

    Args:
        popular: one row per item; reads item_id, score.

    Returns:
        The same rows plus popularity_rank (int, from 1).

    Cost:
        One sort in one task: one row per item passes it.
    """
    order = Window.orderBy(F.desc("score"), F.asc("item_id"))
    return popular.withColumn("popularity_rank", F.row_number().over(order))


def popular_by_person(reach: DataFrame, popular: DataFrame) -> DataFrame:
    """The head of the popular list for each person, as far down as that person may need it.

    Args:
        reach: one row per person; reads person_id, reach (how many items from the top; none where below 1).
        popular: item_id, score, popularity_rank without gaps; sent to every worker.

    Returns:
        person_id, item_id, score, popularity_rank.

    Cost:
        No shuffle; as many rows as the sum of reach.
    """
    depth = F.explode(F.sequence(F.lit(1), F.col("reach").cast("int"))).alias("popularity_rank")
    places = reach.where(F.col("reach") >= 1).select("person_id", depth)
    found = places.join(F.broadcast(popular), on="popularity_rank", how="inner")
    return found.select(*PAIR, "score", "popularity_rank")
