"""Brands, categories and price bands, each ranked in its own right."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.recommend.reasons import FROM_ITEMS, OWN_TASTE
from personalake.recommend.tastes import with_targets
from personalake.recommend.top import rounded

SOURCE = "blend"


def rank_targets(
    candidates: DataFrame,
    ranked: DataFrame,
    tastes: DataFrame,
    items: DataFrame,
    kinds: Sequence[str],
    limit: int,
) -> DataFrame:
    """Rank brands, categories, price bands for each person.

    Half of a target's score is its share of the scores of all the person's candidates, half its share of the person's
    history. Only targets with a candidate count, so that what rules keep out is not suggested by its brand either.
    Persons without candidates get the targets of their list, by how many of its items have them; source and reason are
    those of most of these items.

    Args:
        candidates: person_id, item_id, score (≥ 0): all candidates of those whose lists are their own, after the rules.
        ranked: person_id, item_id, source, reason_code, reason_arguments: the item lists, for persons without
            candidates.
        tastes: person_id, target_kind, target_id, taste_share, as `tastes.tastes_by_person`.
        items: item_id and a column per kind; kinds without a column and items without a value are left out.
        kinds: columns of items, e.g. brand, category, price_band.
        limit: list length per kind, ≥ 1.

    Returns:
        person_id, target_kind, target_id, score (0–1), source (`blend`; without candidates, of the list's items that
        are of the target, what most come from, the first by name at a tie), recommendation_rank (int, from 1 within
        person and kind), reason_code, reason_arguments: the larger half is the reason, or what the source gives.

    Cost:
        A shuffle by item (or a broadcast of the catalogue) and some by person and target.
    """
    targets = with_targets(items, kinds)
    own = _of_candidates(candidates, tastes, targets)
    others = ranked.join(candidates.select("person_id").distinct(), on="person_id", how="left_anti")
    order = Window.partitionBy("person_id", "target_kind").orderBy(F.desc("score"), F.asc("target_id"))
    both = own.unionByName(_of_lists(others, targets)).withColumn("recommendation_rank", F.row_number().over(order))
    return both.where(F.col("recommendation_rank") <= limit)


def _of_candidates(candidates: DataFrame, tastes: DataFrame, targets: DataFrame) -> DataFrame:
    """Targets of a person's own candidates: half by their scores, half by the person's taste."""
    shares = _shares(candidates, targets, F.col("score"))
    mine = shares.join(tastes, on=["person_id", "target_kind", "target_id"], how="left")
    taste = F.coalesce("taste_share", F.lit(0.0))
    return mine.select(
        *("person_id", "target_kind", "target_id"),
        rounded((F.col("_share") + taste) / 2).alias("score"),
        F.lit(SOURCE).alias("source"),
        F.when(taste > F.col("_share"), F.lit(OWN_TASTE)).otherwise(F.lit(FROM_ITEMS)).alias("reason_code"),
        F.create_map(
            F.lit("item_count"),
            F.col("_items").cast("string"),
            F.lit("taste_percent"),
            F.round(100 * taste).cast("int").cast("string"),
        ).alias("reason_arguments"),
    )


def _of_lists(ranked: DataFrame, targets: DataFrame) -> DataFrame:
    """Targets of lists that others than the person's own history made, each with the source of most of its items."""
    key = ("person_id", "target_kind", "target_id")
    reason = F.struct("reason_code", F.map_entries("reason_arguments").alias("reason_arguments"))
    told = ranked.select("person_id", "item_id", "source", reason.alias("_reason"))
    named = told.join(targets, on="item_id", how="inner").select(
        "person_id", "source", "_reason", F.explode("targets").alias("_target")
    )
    by_source = named.groupBy("person_id", "_target.target_kind", "_target.target_id", "source").agg(
        F.count(F.lit(1)).alias("_items"), F.min("_reason").alias("_reason")
    )
    most = F.min(F.struct((-F.col("_items")).alias("least"), "source", "_reason")).alias("_most")
    sums = by_source.groupBy(*key).agg(F.sum("_items").alias("_sum"), most)
    whole = F.sum("_sum").over(Window.partitionBy("person_id", "target_kind"))
    return sums.withColumn("score", rounded(F.col("_sum") / whole)).select(
        *key,
        "score",
        "_most.source",
        "_most._reason.reason_code",
        F.map_from_entries("_most._reason.reason_arguments").alias("reason_arguments"),
    )


def _shares(rows: DataFrame, targets: DataFrame, mass: Column) -> DataFrame:
    """What share of a person's mass falls on each target of a kind: _share (0–1), _items (how many rows)."""
    named = rows.join(targets, on="item_id", how="inner").select(
        "person_id", mass.alias("_mass"), F.explode("targets").alias("_target")
    )
    sums = named.groupBy("person_id", "_target.target_kind", "_target.target_id").agg(
        rounded(F.sum("_mass")).alias("_sum"), F.count(F.lit(1)).alias("_items")
    )
    whole = F.sum("_sum").over(Window.partitionBy("person_id", "target_kind"))
    return sums.withColumn("_share", F.coalesce(F.try_divide(F.col("_sum"), whole), F.lit(0.0)))
