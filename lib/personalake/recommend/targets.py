"""What a list of items says about brands, categories and price bands."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from personalake.recommend.rank import PERSONAL
from personalake.recommend.top import rounded


def rank_targets(ranked: DataFrame, items: DataFrame, kinds: Sequence[str], limit: int, fallback: str) -> DataFrame:
    """Rank the brands, categories, price bands of the items suggested to a person.

    Args:
        ranked: what `rank_items` gives; reads person_id, item_id, score, source.
        items: item_id and a column per kind; kinds without a column and items without a value are left out.
        kinds: columns of items, e.g. brand, category, price_band.
        limit: list length per kind, ≥ 1.
        fallback: source of a target that only the popular list speaks for.

    Returns:
        person_id, target_kind, target_id, score (sum over the items), item_count, source (`blend` or the fallback),
        recommendation_rank (int, from 1 within person and kind).

    Cost:
        A shuffle by item (or a broadcast of the catalogue) and one by person and target.
    """
    present = [kind for kind in kinds if kind in items.columns]
    entries = [
        F.struct(F.lit(kind).alias("target_kind"), F.col(kind).cast("string").alias("target_id")) for kind in present
    ]
    none = F.array().cast("array<struct<target_kind: string, target_id: string>>")
    described = ranked.join(items.select("item_id", *present), on="item_id", how="inner")
    exploded = described.select(
        "person_id", "score", "source", F.explode(F.array(*entries) if entries else none).alias("_target")
    )
    named = exploded.select("person_id", "score", "source", "_target.*").where(F.col("target_id").isNotNull())
    summed = named.groupBy("person_id", "target_kind", "target_id").agg(
        rounded(F.sum("score")).alias("score"),
        F.count(F.lit(1)).alias("item_count"),
        F.bool_or(F.col("source").startswith(PERSONAL)).alias("_personal"),
    )
    source = F.when(F.col("_personal"), F.lit(PERSONAL.rstrip(":"))).otherwise(F.lit(fallback)).alias("source")
    order = Window.partitionBy("person_id", "target_kind").orderBy(F.desc("score"), F.asc("target_id"))
    rank = F.row_number().over(order).alias("recommendation_rank")
    columns = ("person_id", "target_kind", "target_id", "score", "item_count")
    return summed.select(*columns, source, rank).where(F.col("recommendation_rank") <= limit)
