"""Ranking metrics equal MLlib's RankingMetrics and scikit-learn."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from pyspark.mllib.evaluation import RankingMetrics
from pyspark.sql import SparkSession
from sklearn.metrics import ndcg_score

from personalake.errors import ConfigError
from personalake.evaluate import METRICS, per_person_metrics, ranking_metrics, ranking_metrics_with_intervals

SEED, KS = 41, (1, 3, 10)
LISTED, WANTED = "person_id string, item_id string, rank int", "person_id string, item_id string"
Lists = dict[str, tuple[list[str], set[str]]]


def seeded_lists() -> Lists:
    """Person → a list of items, what was relevant; some lists are empty, some persons have nothing relevant."""
    rng = random.Random(SEED)
    items = [f"i{n}" for n in range(12)]
    return {
        f"p{n}": (rng.sample(items, rng.choice((0, 2, 5, 12))), set(rng.sample(items, rng.choice((0, 1, 3, 12)))))
        for n in range(60)
    }


@pytest.fixture(scope="module")
def lists() -> Lists:
    return seeded_lists()


@pytest.fixture(scope="module")
def frames(spark: SparkSession, lists: Lists) -> tuple[Any, Any]:
    rows = [(person, item, rank) for person, (listed, _) in lists.items() for rank, item in enumerate(listed, 1)]
    wanted = [(person, item) for person, (_, relevant) in lists.items() for item in sorted(relevant)]
    return spark.createDataFrame([*rows, *rows[:5]], LISTED), spark.createDataFrame([*wanted, *wanted[:5]], WANTED)


def test_equals_mllib(spark: SparkSession, lists: Lists, frames: tuple[Any, Any]) -> None:
    found = {(row.metric, row.k): row.value for row in ranking_metrics(*frames, ks=KS).collect()}
    assert len(found) == len(METRICS) * len(KS)
    pairs = [(listed, sorted(relevant)) for listed, relevant in lists.values() if relevant]
    mllib = RankingMetrics(spark.sparkContext.parallelize(pairs, 2))
    for k in KS:
        wanted = {
            "precision": mllib.precisionAt(k),
            "recall": mllib.recallAt(k),
            "map": mllib.meanAveragePrecisionAt(k),
            "ndcg": mllib.ndcgAt(k),
            "hit_rate": float(np.mean([bool(relevant & set(listed[:k])) for listed, relevant in pairs_of(lists)])),
            "mrr": float(np.mean([reciprocal(listed[:k], relevant) for listed, relevant in pairs_of(lists)])),
        }
        assert {name: found[(name, k)] for name in METRICS} == pytest.approx(wanted, abs=1e-12), f"seed {SEED}, k {k}"


def pairs_of(lists: Lists) -> list[tuple[list[str], set[str]]]:
    return [(listed, relevant) for listed, relevant in lists.values() if relevant]


def reciprocal(listed: list[str], relevant: set[str]) -> float:
    return next((1 / rank for rank, item in enumerate(listed, 1) if item in relevant), 0.0)


def test_each_person_equals_scikit_learn(lists: Lists, frames: tuple[Any, Any]) -> None:
    rows = per_person_metrics(*frames, ks=(10,)).collect()
    assert {row.person_id for row in rows} == {person for person, (_, relevant) in lists.items() if relevant}
    items = sorted({item for listed, relevant in lists.values() for item in {*listed, *relevant}})
    for row in rows:
        listed, relevant = lists[row.person_id]
        if not listed:
            assert [row[name] for name in METRICS] == [0.0] * len(METRICS)
            continue
        # What was not listed comes after everything, an unlisted relevant item without a gain inside the cut.
        scores = [100.0 - listed.index(item) if item in listed else -1.0 for item in items]
        padding = [0.0] * 12
        truth = [[*(float(item in relevant) for item in items), *padding]]
        wanted = ndcg_score(truth, [[*scores, *padding]], k=10)
        assert row.ndcg == pytest.approx(wanted, abs=1e-12), row.person_id


def test_intervals_are_means_and_196_standard_errors(frames: tuple[Any, Any]) -> None:
    persons = np.array([row.recall for row in per_person_metrics(*frames, ks=(3,)).collect()])
    rows = {row.metric: row for row in ranking_metrics_with_intervals(*frames, ks=(3,)).collect()}
    half = 1.96 * persons.std(ddof=1) / math.sqrt(len(persons))
    found = rows["recall"]
    assert (found.value, found.person_count) == (pytest.approx(persons.mean()), len(persons))
    assert (found.interval_low, found.interval_high) == pytest.approx(
        (persons.mean() - half, persons.mean() + half), abs=1e-4
    )


def test_nothing_relevant_is_no_value_and_no_cut_is_refused(spark: SparkSession, frames: tuple[Any, Any]) -> None:
    assert ranking_metrics(frames[0], spark.createDataFrame([], WANTED)).collect() == []
    with pytest.raises(ConfigError, match="Give one or more lengths from 1"):
        ranking_metrics(*frames, ks=(0, 5))
