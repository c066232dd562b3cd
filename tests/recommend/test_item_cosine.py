"""Item cosine equals scikit-learn, rank by rank."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from scipy import sparse
from sklearn.metrics.pairwise import cosine_similarity

from personalake.recommend import ItemCosine
from personalake.recommend.item_cosine import item_neighbours

SEED = 11


def seeded_pairs(seed: int = SEED, persons: int = 60, items: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    pairs = sorted(
        {(int(p), int(i)) for p, i in zip(rng.integers(0, persons, 500), rng.zipf(1.3, 500) % items, strict=True)}
    )
    frame = pd.DataFrame(pairs, columns=["person", "item"])
    frame["person_id"] = [f"p{n:03d}" for n in frame.pop("person")]
    frame["item_id"] = [f"i{n:03d}" for n in frame.pop("item")]
    return frame.assign(weight=np.round(rng.random(len(frame)) * 4 + 0.1, 3))


def matrix(pairs: pd.DataFrame, values: np.ndarray) -> tuple[sparse.csr_matrix, list[str]]:
    persons, _ = pd.factorize(pairs["person_id"], sort=True)
    items, names = pd.factorize(pairs["item_id"], sort=True)
    return sparse.csr_matrix((values, (persons, items))), list(names)


def oracle(pairs: pd.DataFrame, settings: ItemCosine) -> list[tuple[str, str, float, int]]:
    values = {"raw": pairs.weight, "log": np.log1p(pairs.weight), "unit": np.ones(len(pairs))}[settings.weights]
    rows, names = matrix(pairs, np.asarray(values))
    if settings.shrink:
        norms = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=0)).ravel())
        similar = (rows.T @ rows).toarray() / (np.outer(norms, norms) + settings.shrink)
    else:
        similar = cosine_similarity(rows.T)
    shared = ((rows > 0).T.astype(int) @ (rows > 0).astype(int)).toarray()
    found = []
    for item, name in enumerate(names):
        others = [n for n in range(len(names)) if n != item and shared[item, n] >= settings.min_co_count]
        order = sorted(others, key=lambda n: (-np.rint(similar[item, n] * 1e9), names[n]))[: settings.neighbours]
        found += [(name, names[n], similar[item, n], rank) for rank, n in enumerate(order, 1)]
    return found


@pytest.mark.parametrize(
    "settings",
    [
        ItemCosine(neighbours=100),
        ItemCosine(neighbours=7, weights="unit"),
        ItemCosine(neighbours=5, weights="log", shrink=2.5, min_co_count=2),
    ],
    ids=["raw", "unit", "log_shrunk"],
)
def test_equals_scikit_learn_with_identical_ranks(spark: SparkSession, settings: ItemCosine) -> None:
    pairs = seeded_pairs()
    found = item_neighbours(spark.createDataFrame(pairs).repartition(3), settings).toPandas()
    found = found.sort_values(["item_id", "neighbour_rank"])
    wanted = oracle(pairs, settings)
    keys = list(found[["item_id", "neighbour_id", "neighbour_rank"]].itertuples(index=False, name=None))
    assert keys == [(item, other, rank) for item, other, _, rank in wanted], f"seed {SEED}"
    np.testing.assert_allclose(found["similarity_score"], [similar for *_, similar, _ in wanted], atol=1e-6)


def test_indexes_that_ride_along_change_nothing(spark: SparkSession) -> None:
    pairs = seeded_pairs()
    indexed = pairs.assign(
        person_index=pd.factorize(pairs["person_id"])[0], item_index=len(pairs) - pd.factorize(pairs["item_id"])[0]
    )
    plain, ridden = (
        sorted(map(tuple, item_neighbours(spark.createDataFrame(frame), ItemCosine(neighbours=5)).collect()))
        for frame in (pairs, indexed)
    )
    assert plain == ridden


def test_scores_and_reasons_equal_the_matrix_product(spark: SparkSession) -> None:
    pairs = seeded_pairs(seed=12, persons=15, items=20)
    fitted = ItemCosine(neighbours=6).fit(spark.createDataFrame(pairs), check=False)
    near = {(r.item_id, r.neighbour_id): r.similarity_score for r in fitted.neighbours.collect()}
    shares: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for row in pairs.itertuples():
        for (item, other), similar in near.items():
            if other == row.item_id:
                shares.setdefault((row.person_id, item), []).append((-np.rint(row.weight * similar * 1e9) / 1e9, other))
    asked = spark.createDataFrame(list(shares), ["person_id", "item_id"])
    scored = {(r.person_id, r.item_id): r.score for r in fitted.score(asked).collect()}
    assert scored == pytest.approx({pair: -sum(share for share, _ in parts) for pair, parts in shares.items()})
    because = {(r.person_id, r.item_id): r.because_item_id for r in fitted.explain(asked).collect()}
    assert because == {pair: min(parts)[1] for pair, parts in shares.items()}
    fitted.unpersist()
