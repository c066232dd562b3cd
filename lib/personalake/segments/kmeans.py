"""KMeans by MLlib, the same under any partitioning, with k from conf or chosen by silhouette."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyspark.ml.clustering import KMeans
from pyspark.ml.evaluation import ClusteringEvaluator
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from personalake.segments.assign import nearest_centre_by_person
from personalake.segments.prepare import Preparation, Vector, fit_preparation
from personalake.segments.settings import Segments

PERSONS_PER_PARTITION = 50_000
"""Partitions follow from the number of persons, never from how the input lies: MLlib's start depends on them."""


@dataclass(frozen=True)
class Candidate:
    """One number of segments that was tried."""

    k: int
    silhouette: float | None


@dataclass(frozen=True)
class FittedSegments:
    """What a fit found: nothing to change, all that is needed to place a person.

    Args:
        method: how it was made.
        preparation: the way into the comparable space.
        centres: one tuple per segment in that space, by falling person_counts, then by the numbers themselves.
        person_counts: persons nearest to each centre.
        silhouette: of this clustering, squared Euclidean; None with fewer than two segments.
        candidates: every k that was tried.
    """

    method: str
    preparation: Preparation
    centres: tuple[tuple[float, ...], ...]
    person_counts: tuple[int, ...]
    silhouette: float | None
    candidates: tuple[Candidate, ...]

    @property
    def matrix(self) -> Vector:
        """The centres as rows."""
        return np.array(self.centres, dtype=np.float64).reshape(len(self.centres), len(self.preparation.features))


def fit_segments(profiles: DataFrame, settings: Segments, seed: int) -> FittedSegments:
    """Find the segments of the persons.

    With fewer distinct persons than k there are as many segments as distinct persons; without persons, none.

    Args:
        profiles: one row per person as of one day; reads person_id and the features that settings name.
        settings: features, k or its bounds, iterations.
        seed: of MLlib's start.

    Cost:
        The persons are sorted within fixed partitions and cached while the fit lasts; one MLlib run and one
        silhouette per k.
    """
    preparation = fit_preparation(profiles, settings)
    if not preparation.features:
        return FittedSegments(settings.method, preparation, (), (), None, ())
    points = preparation.prepared(profiles)
    parts = max(1, profiles.count() // PERSONS_PER_PARTITION)
    points = points.repartition(parts, "person_id").sortWithinPartitions("person_id")
    points = points.withColumn("vector", array_to_vector(F.col("features"))).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        tried = {k: _fit_k(points, k, settings.iterations, seed) for k in _ks(points, settings)}
        best = _best([candidate for _, candidate in tried.values()])
        centres, counts = _in_order(points, tried[best.k][0])
    finally:
        points.unpersist()
    candidates = tuple(candidate for _, candidate in tried.values())
    return FittedSegments(settings.method, preparation, centres, counts, best.silhouette, candidates)


def _ks(points: DataFrame, settings: Segments) -> Sequence[int]:
    """The numbers of segments to try, none above the number of distinct points."""
    wanted = [settings.k] if settings.k else list(range(settings.k_min, settings.k_max + 1))
    distinct = points.select("features").distinct().limit(max(wanted)).count()
    return sorted({min(k, distinct) for k in wanted})


def _fit_k(points: DataFrame, k: int, iterations: int, seed: int) -> tuple[Vector, Candidate]:
    if k == 1:  # MLlib asks for two at least; the one centre is the mean, which standardising put at 0
        size = len(points.select("features").head(1)[0][0])
        return np.zeros((1, size)), Candidate(1, None)
    kmeans = KMeans(k=k, seed=seed, maxIter=iterations, tol=1e-9, featuresCol="vector", predictionCol="centre")
    model = kmeans.fit(points)
    placed = model.transform(points)
    centres: Vector = np.array(model.clusterCenters(), dtype=np.float64).round(9)
    evaluator = ClusteringEvaluator(featuresCol="vector", predictionCol="centre", distanceMeasure="squaredEuclidean")
    silhouette = evaluator.evaluate(placed) if len(centres) > 1 else None
    return centres, Candidate(k, None if silhouette is None else round(silhouette, 9))


def _best(candidates: Sequence[Candidate]) -> Candidate:
    """The highest silhouette; of equals the smallest k."""
    return min(candidates, key=lambda c: (-(c.silhouette if c.silhouette is not None else -1.0), c.k))


def _in_order(points: DataFrame, centres: Vector) -> tuple[tuple[tuple[float, ...], ...], tuple[int, ...]]:
    """The centres that anybody is nearest to, the most populous first, and their persons."""
    placed = nearest_centre_by_person(points.select("person_id", "features"), centres)
    counts = {row["centre"]: row["count"] for row in placed.groupBy("centre").count().collect()}
    rows = {n: tuple(float(x) for x in centres[n]) for n in counts}
    order = sorted(counts, key=lambda n: (-counts[n], rows[n]))
    return tuple(rows[n] for n in order), tuple(counts[n] for n in order)
