"""What a person's history consists of: shares of categories, brands, price bands."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.recommend.top import rounded

KINDS = ("category", "brand", "price_band")


def tastes_by_person(interactions: DataFrame, items: DataFrame, kinds: Sequence[str] = KINDS) -> DataFrame:
    """The shares of a person's weight that fall on each category, brand, price band.

    Args:
        interactions: person_id, item_id, weight (> 0).
        items: item_id and a column per kind; kinds without a column and items without a value count for nothing.
        kinds: columns of items.

    Returns:
        person_id, target_kind, target_id, taste_share (0–1, of the weight that has a value of the kind).

    Cost:
        A join by item and two shuffles by person.
    """
    described = interactions.join(with_targets(items, kinds), on="item_id", how="inner")
    named = described.select("person_id", "weight", F.explode("targets").alias("_target"))
    sums = named.groupBy("person_id", "_target.target_kind", "_target.target_id").agg(F.sum("weight").alias("_weight"))
    whole = sums.groupBy("person_id", "target_kind").agg(F.sum("_weight").alias("_whole"))
    both = sums.join(whole, on=["person_id", "target_kind"], how="inner")
    share = rounded(F.col("_weight") / F.col("_whole")).alias("taste_share")
    return both.select("person_id", "target_kind", "target_id", share)


def with_targets(items: DataFrame, kinds: Sequence[str]) -> DataFrame:
    """What each item is of: item_id, targets (array of target_kind, target_id), known values only."""
    present = [kind for kind in kinds if kind in items.columns]
    entries = [F.when(F.col(kind).isNotNull(), _target(kind)) for kind in present]
    none = F.array().cast("array<struct<target_kind: string, target_id: string>>")
    return items.select("item_id", (F.array_compact(F.array(*entries)) if entries else none).alias("targets"))


def with_values(items: DataFrame) -> DataFrame:
    """item_id, category, brand, price_band (string; null where there is no such column)."""
    values = [F.col(kind).cast("string") if kind in items.columns else F.lit(None).cast("string") for kind in KINDS]
    return items.select("item_id", *(value.alias(kind) for kind, value in zip(KINDS, values, strict=True)))


def candidate_tastes(rows: DataFrame, items: DataFrame | None, tastes: DataFrame | None, kind: str) -> DataFrame:
    """What is known of candidates: category, brand, price_band, and how much of the person's taste the kind's value is.

    Args:
        rows: person_id, item_id, and whatever else.
        items: item_id and columns of the kinds; one that is not there is unknown.
        tastes: what `tastes_by_person` gives; None: unknown.
        kind: the kind whose taste_share is wanted.

    Returns:
        The same rows plus category, brand, price_band (string) and taste_share (0–1, null where unknown).
    """
    told = rows.join(with_values(rows.select("item_id").limit(0) if items is None else items), on="item_id", how="left")
    if tastes is None:
        return told.withColumn("taste_share", F.lit(None).cast("double"))
    mine = tastes.where(F.col("target_kind") == F.lit(kind))
    shares = mine.select("person_id", F.col("target_id").alias(kind), "taste_share")
    return told.join(shares, on=["person_id", kind], how="left")


def _target(kind: str) -> Column:
    return F.struct(F.lit(kind).alias("target_kind"), F.col(kind).cast("string").alias("target_id"))
