"""On a shop's log with one held-out purchase a person, lists blended of two models beat the better of the two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.evaluate import ranking_metrics
from personalake.profiles.settings import DEFAULT_WEIGHTS
from personalake.recommend import Algorithm, Als, ItemCosine, Popular, blend

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("compiled_queries")]
HELD_OUT, BUYERS = "buy_test", 2174


@pytest.fixture(scope="module")
def log(data_folder: Path) -> pd.DataFrame:
    path = data_folder / "retailrocket" / "events.csv.gz"
    if not path.is_file():
        pytest.skip(f"the real log is not here: {path}")
    return pd.read_csv(path).rename(columns={"user": "person_id", "item": "item_id"})


@pytest.fixture(scope="module")
def history(spark: SparkSession, log: pd.DataFrame) -> DataFrame:
    """Interactions as the stage profiles weighs them: log2(1 + Σ weight of the verb)."""
    before = log[log["event"] != HELD_OUT]
    weights = before.assign(weight=before["event"].map(DEFAULT_WEIGHTS)).groupby(["person_id", "item_id"])["weight"]
    pairs = np.log2(1 + weights.sum()).reset_index()
    return spark.createDataFrame(pairs).localCheckpoint()


@pytest.fixture(scope="module")
def purchases(spark: SparkSession, log: pd.DataFrame) -> DataFrame:
    found = log[log["event"] == HELD_OUT]
    assert len(found) == found["person_id"].nunique() == BUYERS
    return spark.createDataFrame(found[["person_id", "item_id"]])


def ndcg(lists: DataFrame, purchases: DataFrame) -> float:
    ranked = lists.select("person_id", "item_id", lists["candidate_rank"].alias("rank"))
    found = ranking_metrics(ranked, purchases, ks=(10,)).where("metric = 'ndcg'").collect()
    return float(found[0]["value"])


def test_a_blend_beats_its_best_part(spark: SparkSession, history: DataFrame, purchases: DataFrame) -> None:
    algorithms: dict[str, Algorithm] = {"item_cosine": ItemCosine(), "als": Als(engine="cg"), "popular": Popular()}
    lists = {}
    for name, algorithm in algorithms.items():
        fitted = algorithm.fit(history)
        lists[name] = fitted.candidates(purchases.select("person_id"), limit=100).localCheckpoint()
        fitted.unpersist()
    found = {name: ndcg(candidates, purchases) for name, candidates in lists.items()}
    found["blend"] = ndcg(blend({name: lists[name] for name in ("item_cosine", "als")}), purchases)
    print(found)
    assert found["popular"] < min(found["item_cosine"], found["als"]), found
    assert found["blend"] > max(found["item_cosine"], found["als"]), found
