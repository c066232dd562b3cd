"""All that conditions can speak of, side by side: features, segments, predictions, tags."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.conditions import Tree, leaves
from personalake.tags.tree import SEGMENT_COLUMNS


def features_of(trees: Iterable[Tree]) -> set[str]:
    """Every name that some conditions speak of."""
    return {leaf.feature for tree in trees for leaf in leaves(tree)}


def with_segments(persons: DataFrame, segments: DataFrame, named: Collection[str]) -> DataFrame:
    """Add segment_id and segment_name of the main method, and segment (method → name), where they are named.

    Args:
        persons: one row per person.
        segments: the day's SEGMENTS; reads person_id, method, segment_id, segment_name, is_main. May be empty.
        named: names that conditions speak of; where none is about segments, nothing is joined.

    Cost:
        A shuffle of segments, and a join, by person.
    """
    if not any(name in SEGMENT_COLUMNS or name.startswith("segment.") for name in named):
        return persons
    main = F.coalesce("is_main", F.lit(True))
    whole = segments.groupBy("person_id").agg(
        *[F.max(F.when(main, F.col(name))).alias(name) for name in SEGMENT_COLUMNS],
        F.map_from_entries(F.array_sort(F.collect_list(F.struct("method", "segment_name")))).alias("segment"),
    )
    return persons.join(whole, on="person_id", how="left")


def with_predictions(persons: DataFrame, predictions: DataFrame | None, named: Collection[str]) -> DataFrame:
    """Add prediction (target → probability) and predicted (target → word), where they are named.

    Args:
        persons: one row per person.
        predictions: the day's predictions; reads person_id, model, target, probability, value_text. Of several models
            of a target the alphabetically first counts. None: there are none.
        named: names that conditions speak of; where none is about predictions, nothing is joined.

    Cost:
        Two shuffles of the predictions that are named, and a join, by person.
    """
    targets = sorted({name.partition(".")[2] for name in named if name.startswith(("prediction.", "predicted."))})
    if not targets:
        return persons
    if predictions is None:
        return persons.select(
            "*",
            F.lit(None).cast("map<string,double>").alias("prediction"),
            F.lit(None).cast("map<string,string>").alias("predicted"),
        )
    one = predictions.where(F.col("target").isin(targets)).groupBy("person_id", "target")
    first = one.agg(*[F.min_by(name, "model").alias(name) for name in ("probability", "value_text")])
    maps = [
        F.map_from_entries(F.array_sort(F.collect_list(F.struct("target", name)))).alias(title)
        for name, title in (("probability", "prediction"), ("value_text", "predicted"))
    ]
    return persons.join(first.groupBy("person_id").agg(*maps), on="person_id", how="left")


def with_tags(persons: DataFrame, tags: DataFrame, named: Collection[str]) -> DataFrame:
    """Add tag (name → true), where tags are named.

    Args:
        persons: one row per person.
        tags: the day's TAGS, without what persons hid; reads person_id, tag.
        named: names that conditions speak of, a tag as `tag.NAME`; where there is none, nothing is joined.

    Cost:
        A shuffle of the tags that are named, and a join, by person.
    """
    asked = sorted(name.partition(".")[2] for name in named if name.startswith("tag."))
    if not asked:
        return persons
    mine = tags.where(F.col("tag").isin(asked)).groupBy("person_id")
    held = F.array_sort(F.collect_set(F.struct(F.col("tag"), F.lit(True).alias("is_held"))))
    return persons.join(mine.agg(F.map_from_entries(held).alias("tag")), on="person_id", how="left")
