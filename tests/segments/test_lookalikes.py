"""Lookalikes against scikit-learn, and in any partitioning."""

from __future__ import annotations

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances

from personalake.segments.lookalike import Against, Measure, lookalikes, similarities

SEED = 29
PERSONS, FEATURES = 120, 5
WAYS: list[tuple[Measure, Against]] = [("cosine", "centroid"), ("cosine", "nearest"), ("euclidean", "nearest")]


@pytest.fixture(scope="module")
def cloud() -> np.ndarray:
    points = np.random.default_rng(SEED).normal(size=(PERSONS, FEATURES))
    points[7] = 0.0
    points[9] = points[8]
    return points


@pytest.fixture(scope="module")
def points(spark: SparkSession, cloud: np.ndarray) -> DataFrame:
    rows = [(f"p{n:03d}", [float(x) for x in row], []) for n, row in enumerate(cloud)]
    schema = "person_id string, features array<double>, raw array<double>"
    return spark.createDataFrame(rows, schema).repartition(3).localCheckpoint()


def test_similarities_equal_scikit_learns(cloud: np.ndarray) -> None:
    targets = cloud[:4]
    assert np.allclose(similarities(cloud, targets, "cosine"), cosine_similarity(cloud, targets), atol=1e-9)
    expected = 1 / (1 + euclidean_distances(cloud, targets))
    assert np.allclose(similarities(cloud, targets, "euclidean"), expected, atol=1e-7)


@pytest.mark.parametrize(("measure", "against"), WAYS)
def test_the_most_alike_come_first(
    spark: SparkSession, points: DataFrame, cloud: np.ndarray, measure: Measure, against: Against
) -> None:
    seeds = spark.createDataFrame([("p001",), ("p004",), ("p004",), ("nobody",)], "person_id string")
    targets = cloud[[1, 4]] if against == "nearest" else cloud[[1, 4]].mean(axis=0, keepdims=True).round(9)
    scores = similarities(cloud, targets, measure).max(axis=1)
    order = sorted((n for n in range(PERSONS) if n not in (1, 4)), key=lambda n: (-scores[n], n))
    for frame in (points, points.repartition(5)):
        rows = lookalikes(frame, seeds, 15, measure, against).collect()
        assert [r.person_id for r in rows] == [f"p{n:03d}" for n in order[:15]], f"seed {SEED}"
        assert [r.similarity_score for r in rows] == [scores[n] for n in order[:15]]


def test_seeds_that_nobody_knows_are_like_nobody(spark: SparkSession, points: DataFrame) -> None:
    strangers = spark.createDataFrame([("nobody",)], "person_id string")
    assert [lookalikes(points, strangers, 5, *way).collect() for way in WAYS[:2]] == [[], []]
