"""The one place that ranks: blended candidates and the popular list become one list per person."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR
from personalake.recommend.top import popular_by_person, with_popularity_rank

PERSONAL = "blend:"


def rank_items(
    blended: DataFrame,
    popular: DataFrame,
    persons: DataFrame,
    exclude: DataFrame,
    limit: int,
    items: DataFrame | None = None,
    opted_out: DataFrame | None = None,
    fallback: str = "popular",
) -> DataFrame:
    """One list for everyone: own candidates first, filled up from the popular list.

    Args:
        blended: person_id, item_id, score (≥ 0), source; what `blend` gives.
        popular: item_id, score; what a fitted Popular has.
        persons: person_id; each gets a list.
        exclude: person_id, item_id never to suggest: bought ones over the full history, at least.
        limit: list length, ≥ 1.
        items: item_id, is_available; an item that is not available is never suggested, one not listed may be.
        opted_out: person_id of those who want no personalisation: they get the popular list.
        fallback: what `source` says of the popular list.

    Returns:
        person_id, item_id, score (falls with the rank), source (`blend:` and the algorithm with the largest share, or
        the fallback), recommendation_rank (int, from 1).

    Cost:
        Shuffles by pair for what is excluded and by person for the ranks; the popular list goes to every worker. Each
        person's part of the popular list is limit + excluded rows long.
    """
    everyone = persons.select("person_id").distinct()
    pairs = exclude.select(*PAIR).distinct()
    blocked = _unavailable(items, popular)
    own = blended.join(everyone, on="person_id", how="left_semi").join(blocked, on="item_id", how="left_anti")
    if opted_out is not None:
        own = own.join(opted_out, on="person_id", how="left_anti")
    open_popular = with_popularity_rank(popular.join(blocked, on="item_id", how="left_anti"))
    own = own.select(*PAIR, "score", F.concat(F.lit(PERSONAL), "source").alias("source"), F.lit(0).alias("_after"))
    rows = own.unionByName(_heads(everyone, open_popular, pairs, limit).withColumn("source", F.lit(fallback)))
    first = F.min_by(F.struct("score", "source", "_after"), "_after").alias("_first")
    allowed = rows.join(pairs, on=list(PAIR), how="left_anti").groupBy(*PAIR).agg(first).select(*PAIR, "_first.*")
    return _ranked(allowed, limit)


def _ranked(rows: DataFrame, limit: int) -> DataFrame:
    """Own rows by score, then popular ones; a popular row's score is set below the lowest of the person's own."""
    lowest = F.min(F.when(F.col("_after") == 0, F.col("score"))).over(Window.partitionBy("person_id"))
    below = F.coalesce("_lowest", F.lit(1.0)) / (F.lit(1.0) + F.col("_after"))
    scored = rows.withColumn("_lowest", lowest).withColumn(
        "score", F.when(F.col("_after") == 0, F.col("score")).otherwise(below)
    )
    order = Window.partitionBy("person_id").orderBy("_after", F.desc("score"), "item_id")
    ranked = scored.select(*PAIR, "score", "source", F.row_number().over(order).alias("recommendation_rank"))
    return ranked.where(F.col("recommendation_rank") <= limit)


def _unavailable(items: DataFrame | None, popular: DataFrame) -> DataFrame:
    if items is None or "is_available" not in items.columns:
        return popular.select("item_id").limit(0)
    return items.where(~F.coalesce("is_available", F.lit(True))).select("item_id").distinct()


def _heads(everyone: DataFrame, popular: DataFrame, exclude: DataFrame, limit: int) -> DataFrame:
    """As much of the popular list as each person can need: person_id, item_id, score, _after (its rank there)."""
    masks = exclude.groupBy("person_id").agg(F.count(F.lit(1)).alias("_masked"))
    reach = F.lit(limit) + F.coalesce("_masked", F.lit(0))
    deep = everyone.join(masks, on="person_id", how="left").select("person_id", reach.alias("reach"))
    return popular_by_person(deep, popular).withColumnRenamed("popularity_rank", "_after")
