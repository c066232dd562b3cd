"""Lists drawn at random: what any algorithm must beat."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

_DRAWS = 4


def random_recommender(persons: DataFrame, items: DataFrame, limit: int, seed: int) -> DataFrame:
    """Random lists, the same for the same ids and seed, without pairing every person with every item.

    Each person draws 4 × limit item numbers by a hash of seed, person and draw; repeats are dropped, so a list is
    full unless limit comes near the number of items.

    Args:
        persons: person_id.
        items: item_id.
        limit: list length, ≥ 1.
        seed: another seed gives other lists.

    Returns:
        person_id, item_id, rank (int, from 1).

    Cost:
        One sort of the items in one task; 4 × limit rows per person.
    """
    place = (F.row_number().over(Window.orderBy(F.xxhash64("item_id"), "item_id")) - 1).alias("_place")
    placed = items.select("item_id").dropna().distinct().select("item_id", place)
    size = placed.agg(F.count(F.lit(1)).alias("_size"))
    draws = F.explode(F.sequence(F.lit(1), F.lit(_DRAWS * limit))).alias("_draw")
    drawn = persons.select("person_id").distinct().select("person_id", draws).join(F.broadcast(size), how="cross")
    number = F.pmod(F.xxhash64(F.lit(seed), "person_id", "_draw"), F.nullif("_size", F.lit(0))).alias("_place")
    first = drawn.select("person_id", "_draw", number).groupBy("person_id", "_place").agg(F.min("_draw").alias("_draw"))
    listed = first.join(F.broadcast(placed), on="_place", how="inner")
    rank = F.row_number().over(Window.partitionBy("person_id").orderBy("_draw", "item_id"))
    return listed.select("person_id", "item_id", rank.alias("rank")).where(F.col("rank") <= limit)
