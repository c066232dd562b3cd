"""EASE equals its closed form in plain numpy, and says no before any work where it would not fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from scipy import sparse

from personalake.errors import ConfigError, DataError
from personalake.recommend import Ease
from personalake.recommend.ease import FittedEase
from personalake.recommend.ease_solve import closed_form, gram


def in_numpy(entries: np.ndarray, regularisation: float) -> np.ndarray:
    inverse = np.linalg.inv(entries.T @ entries + regularisation * np.eye(entries.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights


@pytest.mark.parametrize("seed", range(8))
def test_the_closed_form_in_its_place_is_that_of_numpy(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    monkeypatch.setattr("personalake.recommend.block_kernels.BLOCK_BYTES", 900)  # blocks of a few rows
    entries = rng.random((40, int(rng.integers(1, 60)))) * (rng.random((40, 1)) < 0.4)
    np.testing.assert_allclose(gram(sparse.csr_matrix(entries)), entries.T @ entries, atol=1e-12)
    found = closed_form(sparse.csr_matrix(entries), 0.7)
    np.testing.assert_allclose(found, in_numpy(entries, 0.7), atol=1e-10, err_msg=f"seed {seed}")
    assert found.flags.c_contiguous
    assert closed_form(sparse.csr_matrix((3, 0)), 1.0).shape == (0, 0)


def test_weights_and_scores_are_those_of_numpy(spark: SparkSession) -> None:
    rng = np.random.default_rng(4)
    values = np.round(rng.random((12, 9)) * 4 + 0.1, 2) * (rng.random((12, 9)) < 0.4)
    persons, items = np.nonzero(values)
    pairs = pd.DataFrame({"person_id": persons + 100, "item_id": 50 - items, "weight": values[persons, items]})
    fitted = Ease(regularisation=2.0, weights="log").fit(spark.createDataFrame(pairs), check=False)
    counted = np.log1p(values)[:, ::-1]
    wanted = in_numpy(counted, 2.0)
    rows = sorted(fitted.weights.collect(), key=lambda row: row.item_index)
    assert [row.item_id for row in rows] == list(range(42, 51))
    np.testing.assert_allclose([row.weights for row in rows], wanted, atol=1e-10)
    found = {(r.person_id, r.item_id): r.score for r in fitted.candidates(spark.createDataFrame(pairs)).collect()}
    scores = counted @ wanted
    taken = set(zip(pairs["person_id"], pairs["item_id"], strict=True))
    open_pairs = {(p + 100, i + 42): scores[p, i] for p in range(12) for i in range(9) if values[p].any()}
    assert found == pytest.approx({pair: score for pair, score in open_pairs.items() if pair not in taken}, abs=1e-8)


def test_a_catalogue_that_does_not_fit_is_refused_before_any_work(spark: SparkSession) -> None:
    rows = spark.range(2000).selectExpr("id % 7 AS person_id", "id AS item_id", "1.0D AS weight")
    with pytest.raises(ConfigError, match=r"ease.memory_mb: allows 64 MiB, and 2000 items with 2000 interactions take"):
        Ease(memory_mb=64).fit(rows, check=False)


def test_weights_that_regularisation_is_lost_beside_are_refused(spark: SparkSession) -> None:
    def fitted(weight: float, settings: Ease) -> FittedEase:
        rows = [("p", "a", weight), ("p", "b", weight), ("q", "b", 1.0)]
        return settings.fit(spark.createDataFrame(rows, "person_id string, item_id string, weight double"))

    with pytest.raises(DataError, match=r"interactions.weight: goes up to 1e\+200; ease takes weights up to 1e\+08"):
        fitted(1e200, Ease(weights="raw"))
    with pytest.raises(DataError, match=r"goes up to 1e\+08; beside it regularisation 1e-06 is lost. Take weights"):
        fitted(1e8, Ease(weights="raw", regularisation=1e-6))
    for counted in ("log", "unit"):
        weights = fitted(1e200, Ease(weights=counted)).weights.collect()
        assert np.isfinite([row.weights for row in weights]).all(), counted
