"""MLlib's ALS on input that cannot change under it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.errors import ConfigError
from personalake.recommend import Als

SETTINGS: dict[str, Any] = {"rank": 4, "iterations": 3, "blocks": 2}


def seeded_pairs() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    pairs = sorted({(int(p), int(i)) for p, i in zip(rng.integers(0, 30, 250), rng.integers(0, 25, 250), strict=True)})
    frame = pd.DataFrame(pairs, columns=["person_id", "item_id"]) + 2**40
    return frame.assign(weight=rng.integers(1, 6, len(frame)).astype(float))


def by_id(factors: DataFrame) -> dict[int, np.ndarray]:
    return {row[0]: np.array(row["factors"]) for row in factors.collect()}


@pytest.mark.parametrize("implicit", [True, False])
def test_folding_in_the_training_histories_gives_the_fitted_persons(spark: SparkSession, implicit: bool) -> None:
    pairs = spark.createDataFrame(seeded_pairs())
    fitted = Als(implicit=implicit, **SETTINGS).fit(pairs)
    wanted, found = by_id(fitted.person_factors), by_id(fitted.folded(pairs))
    assert wanted.keys() == found.keys()
    for person, factors in wanted.items():
        np.testing.assert_allclose(found[person], factors, rtol=1e-3, atol=1e-4)
    fitted.unpersist()


def test_order_and_partitions_of_the_input_do_not_reach_the_model(spark: SparkSession) -> None:
    pairs = seeded_pairs()
    frames = [
        spark.createDataFrame(pairs).repartition(1),
        spark.createDataFrame(pairs.sample(frac=1, random_state=1)).repartition(5),
    ]
    first, second = (by_id(Als(**SETTINGS).fit(frame, check=False).item_factors) for frame in frames)
    assert first.keys() == second.keys()
    for item, factors in first.items():
        np.testing.assert_allclose(second[item], factors, rtol=1e-4, atol=1e-5)


def test_indexes_that_ride_along_are_used_and_item_index_stays_dense(spark: SparkSession) -> None:
    pairs = seeded_pairs()
    pairs["person_index"] = (pairs["person_id"] - 2**40) * 3
    pairs["item_index"] = (pairs["item_id"] - 2**40) * 7
    fitted = Als(**SETTINGS).fit(spark.createDataFrame(pairs))
    rows = fitted.item_factors.select("item_id", "item_index").collect()
    assert sorted(row.item_index for row in rows) == list(range(pairs["item_id"].nunique()))
    assert fitted.person_factors.count() == pairs["person_id"].nunique()


def test_item_factors_that_do_not_fit_a_worker_are_refused(spark: SparkSession) -> None:
    items = spark.range(20_000).selectExpr(
        "id AS item_id", "int(id) AS item_index", "array_repeat(float(1), 8) AS factors"
    )
    fitted = Als(**SETTINGS, item_factors_mb=1).fit(spark.createDataFrame(seeded_pairs()).limit(0), check=False)
    big = dataclasses.replace(fitted, item_factors=items)
    with pytest.raises(ConfigError, match="allows 1 MiB"):
        big.candidates(fitted.person_factors)


def test_losses_asked_for_are_those_of_shorter_fits_and_fall(spark: SparkSession) -> None:
    pairs = spark.createDataFrame(seeded_pairs())

    def losses(**changes: Any) -> dict[int, float]:
        fitted = Als(**SETTINGS | changes).fit(pairs, check=False)
        found = {row.step: row.loss for row in fitted.losses.collect()}
        fitted.unpersist()
        return found

    plain, asked, shorter = losses(), losses(loss_at=(2, 1, 2, 9)), losses(iterations=1)
    assert set(plain) == {3} and set(asked) == {1, 2, 3}
    assert asked[3] == pytest.approx(plain[3], rel=1e-4) and asked[1] == pytest.approx(shorter[1], rel=1e-4)
    assert asked[1] > asked[2] > asked[3]
