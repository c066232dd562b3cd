"""How many segments: stability against scikit-learn, and the choice by it and the silhouette."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from personalake.segments.fit import chosen
from personalake.segments.fitted import Candidate
from personalake.segments.kmeans import Kmeans
from personalake.segments.placement import Nearest
from personalake.segments.points import Effort, drawn, half, pinned
from personalake.segments.stability import adjusted_rand, contingencies, stabilities

SEED = 23


@pytest.mark.parametrize("turn", range(20))
def test_the_index_equals_scikit_learns(turn: int) -> None:
    rng = random.Random(SEED + turn)
    size, kinds = rng.choice((2, 3, 10, 200)), rng.choice((1, 2, 5))
    left = [rng.randrange(kinds) for _ in range(size)]
    right = [n if rng.random() < 0.7 else rng.randrange(kinds) for n in left]
    found = adjusted_rand(Counter(zip(left, right, strict=True)))
    assert found == pytest.approx(adjusted_rand_score(left, right), abs=1e-12), f"seed {SEED + turn}"


# candidates as (k, silhouette, stability), the k that stands at a least stability of 0.8
CHOICES: dict[str, tuple[list[tuple[int, float | None, float | None]], int]] = {
    "silhouette decides among the stable": ([(3, 0.2, 0.9), (4, 0.3, 0.85), (5, 0.5, 0.4)], 4),
    "none is stable": ([(3, 0.2, 0.1), (4, 0.1, 0.7), (5, 0.5, 0.4)], 4),
    "not measured": ([(3, 0.2, None), (4, 0.3, None)], 4),
    "some not measured": ([(3, 0.2, 0.1), (4, 0.1, 0.3), (5, 0.9, None)], 4),
    "some not measured, one stable": ([(3, 0.2, 0.9), (5, 0.9, None)], 3),
    "equals": ([(3, 0.3, 0.9), (4, 0.3, 0.9)], 3),
    "one segment": ([(1, None, None)], 1),
}


@pytest.mark.parametrize("name", CHOICES)
def test_choice(name: str) -> None:
    tried, k = CHOICES[name]
    assert chosen([Candidate(*row) for row in reversed(tried)], 0.8).k == k


def test_halves_agree_on_what_is_there_and_not_on_what_is_not(spark: SparkSession) -> None:
    """Three clouds far apart: three segments come out of any half; of the fourth each half has its own idea."""
    rng = np.random.default_rng(SEED)
    cloud = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], 80, axis=0) + rng.normal(size=(240, 2))
    rows = [(f"p{n}", [float(x) for x in row], []) for n, row in enumerate(cloud)]
    frame = spark.createDataFrame(rows, "person_id string, features array<double>, raw array<double>")
    points = pinned(frame.repartition(3), ("a", "b"))
    effort = Effort(50, 1e-9, 7)
    found = stabilities(points, Kmeans(), [3, 4, 100], 1, effort)
    assert found[3] == 1.0 and found[4] is not None and found[4] < 0.9 and found[100] is None
    assert stabilities(points, Kmeans(), [3], 0, effort) == {3: None}
    sides = {side: {r.person_id for r in half(points.frame, 1, side).collect()} for side in (0, 1)}
    assert not sides[0] & sides[1] and len(sides[0] | sides[1]) == 240 and min(map(len, sides.values())) > 80
    two = [KMeans(3, n_init=1, random_state=s, max_iter=1).fit(cloud[:: s + 2]).cluster_centers_ for s in (0, 1)]
    pair = tuple(Nearest(tuple(map(tuple, centres.tolist()))) for centres in two)
    table = contingencies(points.frame, [pair])[0]  # type: ignore[list-item]
    labels = [placement.labels(cloud, np.empty((240, 0))) for placement in pair]
    assert table == Counter(zip(*(map(int, row) for row in labels), strict=True))


def test_a_sample_is_drawn_by_hash(spark: SparkSession) -> None:
    frame = spark.range(4000).select(
        F.col("id").cast("string").alias("person_id"), F.array(F.lit(1.0)).alias("features"),
        F.array().cast("array<double>").alias("raw"),
    )  # fmt: skip
    found = [{r.person_id for r in drawn(pinned(f, ("a",)), 1000).collect()} for f in (frame, frame.repartition(7))]
    assert found[0] == found[1] and 900 < len(found[0]) < 1100
