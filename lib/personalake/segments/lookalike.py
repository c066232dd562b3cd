"""Persons most like some others, by the vectors that segments are made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.segments.assign import arrays_of
from personalake.segments.placement import DECIMALS, Vector

Measure = Literal["cosine", "euclidean"]
Against = Literal["centroid", "nearest"]

_BLOCK = 512


def lookalikes(
    points: DataFrame, seeds: DataFrame, limit: int, measure: Measure = "cosine", against: Against = "centroid",
    most_seeds: int = 2000,
) -> DataFrame:  # fmt: skip
    """The persons most like the seeds, who are not among them.

    Everybody is compared, so the answer is exact.

    Args:
        points: person_id, features, raw, as `Preparation.prepared` gives them.
        seeds: person_id; who has no features is left out.
        limit: persons, at most.
        measure: cosine: which features stand out, whatever by how much; euclidean: by how much too.
        against: centroid: the mean of the seeds; nearest: the seed that is most alike.
        most_seeds: nearest: so many seeds at most, those whose ids hash lowest.

    Returns:
        person_id, similarity_score (double, rounded to 9 decimals; cosine -1 to 1, euclidean 1 / (1 + distance)), the
        most alike first, ties by person_id. Nobody where no seed has features.

    Cost:
        A pass over the seeds, then one vectorised pass over all persons against a broadcast matrix of the seeds, in
        blocks of 512 persons; a top-limit sort.
    """
    named = seeds.select("person_id").distinct()
    chosen = points.join(named, on="person_id", how="left_semi")
    targets = _mean(chosen) if against == "centroid" else _rows(chosen, most_seeds)
    others = points.join(named, on="person_id", how="left_anti")
    if not len(targets):
        others = others.limit(0)

    def compare(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            features, _ = arrays_of(batch)
            parts = [features[n : n + _BLOCK] for n in range(0, len(features), _BLOCK)]
            scores = np.concatenate([similarities(part, targets, measure).max(axis=1) for part in parts] or [[]])
            columns = [batch.column("person_id"), pa.array(scores.astype(np.float64))]
            yield pa.RecordBatch.from_arrays(columns, names=["person_id", "similarity_score"])

    scored = others.mapInArrow(compare, "person_id string, similarity_score double")
    return scored.orderBy(F.col("similarity_score").desc(), "person_id").limit(limit)


def similarities(points: Vector, targets: Vector, measure: Measure) -> Vector:
    """How alike each point (row) and each target (column) are; a point without length is like nobody: 0.

    Args:
        points: one row each.
        targets: one row each.
        measure: see `lookalikes`.
    """
    if measure == "cosine":
        lengths = np.linalg.norm(points, axis=1)[:, None] * np.linalg.norm(targets, axis=1)[None, :]
        found: Vector = np.divide(points @ targets.T, lengths, out=np.zeros(lengths.shape), where=lengths > 0)
    else:
        squares = ((points[:, None, :] - targets[None, :, :]) ** 2).sum(axis=2)
        found = 1.0 / (1.0 + np.sqrt(squares))
    rounded: Vector = found.round(DECIMALS)
    return rounded


def _mean(chosen: DataFrame) -> Vector:
    """The mean of the seeds, as a row; none without seeds."""
    each = chosen.select(F.posexplode("features").alias("_place", "_value"))
    rows = each.groupBy("_place").agg(F.avg("_value").alias("_mean")).orderBy("_place").collect()
    means: Vector = np.array([[row["_mean"] for row in rows]], dtype=np.float64).round(DECIMALS)
    return means if rows else np.empty((0, 0))


def _rows(chosen: DataFrame, most: int) -> Vector:
    """The seeds, one row each."""
    lowest = chosen.orderBy(F.xxhash64("person_id"), "person_id").limit(most).select("features").collect()
    return np.array([row["features"] for row in lowest], dtype=np.float64)
