"""The few steps that every list goes through: round, mask, rank, cut."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

PAIR = ["person_id", "item_id"]
DECIMALS = 9
EVERYBODY = "all"
"""The audience of a list that is the same for all."""


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


def top_audience(scores: DataFrame, limit: int) -> DataFrame:
    """The best persons for each item.

    Args:
        scores: one row per item and person; reads item_id, person_id, score.
        limit: persons per item, ≥ 1.

    Returns:
        item_id, person_id, score, audience_rank (int, from 1: by falling score, then person_id).

    Cost:
        One shuffle and sort by item_id; Spark cuts the groups before the shuffle.
    """
    order = Window.partitionBy("item_id").orderBy(F.desc("score"), F.asc("person_id"))
    ranked = scores.select("item_id", "person_id", "score", F.row_number().over(order).alias("audience_rank"))
    return ranked.where(F.col("audience_rank") <= limit)


def with_popularity_rank(popular: DataFrame) -> DataFrame:
    """Rank the items of each audience: by falling score, then item_id.

    Args:
        popular: one row per audience and item; reads audience, item_id, score.

    Returns:
        The same rows plus popularity_rank (int, from 1).

    Cost:
        One sort per audience in one task: one row per item passes it.
    """
    order = Window.partitionBy("audience").orderBy(F.desc("score"), F.asc("item_id"))
    return popular.withColumn("popularity_rank", F.row_number().over(order))


def popular_by_person(reach: DataFrame, popular: DataFrame) -> DataFrame:
    """The head of an audience's popular list for each person, as far down as that person may need it.

    Args:
        reach: one row per person; reads person_id, audience, reach (how many items from the top, none where below 1; no
            more are taken than the list has).
        popular: audience, item_id, score, popularity_rank without gaps; sent to every worker.

    Returns:
        person_id, item_id, score, popularity_rank, audience.

    Cost:
        An aggregate of popular by audience; as many rows as the sum of reach, or of the lists where they are shorter.
    """
    lengths = popular.groupBy("audience").agg(F.max("popularity_rank").alias("_length"))
    asked = reach.where(F.col("reach") >= 1).join(F.broadcast(lengths), on="audience", how="inner")
    depth = F.explode(F.sequence(F.lit(1), F.least("reach", "_length").cast("int"))).alias("popularity_rank")
    places = asked.select("person_id", "audience", depth)
    found = places.join(F.broadcast(popular), on=["audience", "popularity_rank"], how="inner")
    return found.select(*PAIR, "score", "popularity_rank", "audience")
