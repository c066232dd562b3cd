"""On a real log, item cosine and implicit ALS reach what is known of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from personalake.recommend import Algorithm, Als, ItemCosine, Popular
from support import deskdrop_logs
from support.deskdrop_ranking import recall_at, trial, weighted_pairs

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("compiled_queries")]
LEAST = {"item_cosine": (0.264, 0.394), "als": (0.37, 0.49)}


@pytest.fixture(scope="module")
def pairs() -> pd.DataFrame:
    if not deskdrop_logs.ROOT.is_dir():
        pytest.skip(f"the real logs are not here: {deskdrop_logs.ROOT}")
    found = weighted_pairs()
    assert found["person_id"].nunique() == 1140
    assert abs(len(found) - 39_106) <= 20, "a few events without a login lie on cookies that two persons share"
    return found


def recalls(spark: SparkSession, pairs: pd.DataFrame, algorithm: Algorithm, seed: int) -> tuple[float, ...]:
    split = trial(pairs, seed)
    fitted = algorithm.fit(spark.createDataFrame(split.train))
    asked = spark.createDataFrame(split.asked)
    scored = fitted.score(asked).select("trial", "is_positive", "score").toPandas()
    fitted.unpersist()
    assert len(scored) == len(split.asked)
    return recall_at(scored)


@pytest.mark.parametrize(
    "algorithm", [ItemCosine(), Als(), Als(engine="cg")], ids=["item_cosine", "als_of_mllib", "als_by_cg"]
)
def test_three_seeds_reach_the_known_recall(spark: SparkSession, pairs: pd.DataFrame, algorithm: Algorithm) -> None:
    found = np.array([recalls(spark, pairs, algorithm, seed) for seed in (1, 2, 3)])
    print(algorithm.kind, found)
    assert (found >= LEAST[algorithm.kind]).all(), found


def test_popularity_is_where_it_was_counted(spark: SparkSession, pairs: pd.DataFrame) -> None:
    found = np.array([recalls(spark, pairs, Popular(), seed) for seed in (1, 2, 3)]).mean(axis=0)
    assert found == pytest.approx([0.25, 0.375], abs=0.015)
