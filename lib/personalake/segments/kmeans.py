"""KMeans, bisecting KMeans and Gaussian mixtures by MLlib: k centres, each a row of numbers."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field
from pyspark.ml import clustering
from pyspark.ml.functions import array_to_vector
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.segments.placement import Densest, Nearest, Placement, Vector, tuples
from personalake.segments.points import Effort, Points
from personalake.settings import Section

_BISECTING_STEPS = 20
_JITTER = 1e-3
_LEAST_GAIN = 1e-2
_JITTER_STEPS = 2048


class ByCentres(Section):
    """What the methods that look for k centres share."""

    has_k: ClassVar[bool] = True
    raw_columns: ClassVar[tuple[str, ...]] = ()

    def fit(self, points: Points, k: int, effort: Effort) -> Placement:
        """Find k segments or fewer.

        Args:
            points: the persons.
            k: how many; 1 is the mean of all.
            effort: iterations, tolerance, seed.
        """
        if k == 1:  # MLlib asks for two at least; the one centre is the mean, which standardising put at 0
            size = len(points.frame.select("features").head(1)[0][0])
            return Nearest(((0.0,) * size,))
        return self.fit_several(points.frame, k, effort)

    def fit_several(self, points: DataFrame, k: int, effort: Effort) -> Placement:
        """Find k segments, two or more."""
        raise NotImplementedError


class Kmeans(ByCentres):
    """Centres as near to their persons as can be (Lloyd 1982; start: k-means||, Bahmani et al. 2012)."""

    kind: Literal["kmeans"] = "kmeans"

    def fit_several(self, points: DataFrame, k: int, effort: Effort) -> Placement:
        """See `ByCentres`."""
        kmeans = clustering.KMeans(
            k=k, seed=effort.seed, maxIter=effort.iterations, tol=effort.tolerance, featuresCol="vector"
        )
        return Nearest(tuples(np.array(kmeans.fit(points).clusterCenters(), dtype=np.float64)))


class BisectingKmeans(ByCentres):
    """The widest segment is halved until there are k (Steinbach, Karypis and Kumar 2000).

    A person belongs to the nearest of the last centres, whichever way the halves went.
    """

    kind: Literal["bisecting_kmeans"] = "bisecting_kmeans"

    def fit_several(self, points: DataFrame, k: int, effort: Effort) -> Placement:
        """See `ByCentres`."""
        # MLlib takes all the steps it may for each halving, whether anything still moves or not.
        steps = min(effort.iterations, _BISECTING_STEPS)
        bisecting = clustering.BisectingKMeans(k=k, seed=effort.seed, maxIter=steps, featuresCol="vector")
        return Nearest(tuples(np.array(bisecting.fit(points).clusterCenters(), dtype=np.float64)))


class GaussianMixture(ByCentres):
    """Clouds of any width and slant; a person belongs to the likeliest (EM: Dempster, Laird and Rubin 1977).

    Each value is moved by up to half a thousandth of a deviation, by the hash of the person: where many are exactly
    alike a cloud would have no width, and EM would end in nothing.
    """

    kind: Literal["gaussian_mixture"] = "gaussian_mixture"

    starts: int = Field(3, ge=1, le=20, description="EM begins so often elsewhere; the likeliest end stands")

    def fit_several(self, points: DataFrame, k: int, effort: Effort) -> Placement:
        """See `ByCentres`."""
        moved = points.withColumn("vector", array_to_vector(F.transform("features", _moved)))
        tolerance = max(effort.tolerance, _LEAST_GAIN)
        ends = [
            clustering.GaussianMixture(
                k=k, seed=effort.seed + start, maxIter=effort.iterations, tol=tolerance, featuresCol="vector"
            ).fit(moved)
            for start in range(self.starts)
        ]
        fitted = max(ends, key=lambda end: round(end.summary.logLikelihood, 6))
        clouds = [(cloud.mean.toArray(), cloud.cov.toArray()) for cloud in fitted.gaussians]
        # A cloud that nobody weighs for has no logarithm.
        kept = [n for n, weight in enumerate(fitted.weights) if weight > 1e-9]
        centres: Vector = np.array([clouds[n][0] for n in kept], dtype=np.float64)
        weights = tuple(round(float(fitted.weights[n]), 9) for n in kept)
        return Densest(weights, tuples(centres), tuple(tuples(np.asarray(clouds[n][1])) for n in kept))


def _moved(value: Column, place: Column) -> Column:
    step = F.pmod(F.xxhash64(F.col("person_id"), place), F.lit(_JITTER_STEPS)) / F.lit(float(_JITTER_STEPS)) - F.lit(
        0.5
    )
    return value + step * F.lit(_JITTER)
