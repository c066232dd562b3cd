"""Blends by rank and by score, and where an item came from."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from personalake.errors import ConfigError
from personalake.recommend import blend

SCHEMA = "person_id string, item_id string, score double, candidate_rank int"
ONE = [("p", "a", 9.0, 1), ("p", "b", 3.0, 2), ("p", "c", -1.0, 3)]
TWO = [("p", "b", 0.4, 1), ("p", "d", 0.2, 2), ("q", "d", 0.1, 1)]


def test_reciprocal_ranks_are_summed(spark: SparkSession) -> None:
    found = blend({"one": spark.createDataFrame(ONE, SCHEMA), "two": spark.createDataFrame(TWO, SCHEMA)}, limit=3)
    assert found.columns == ["person_id", "item_id", "score", "candidate_rank", "source"]
    rows = sorted(map(tuple, found.collect()), key=lambda row: (row[0], row[3]))
    wanted = [
        ("p", "b", 1 / 62 + 1 / 61, 1, "two"),
        ("p", "a", 1 / 61, 2, "one"),
        ("p", "d", 1 / 62, 3, "two"),
        ("q", "d", 1 / 61, 1, "two"),
    ]
    assert rows == [(*row[:2], pytest.approx(row[2]), *row[3:]) for row in wanted]


def test_weighted_scores_are_taken_against_the_best_of_each_list(spark: SparkSession) -> None:
    lists = {"one": spark.createDataFrame(ONE, SCHEMA), "two": spark.createDataFrame(TWO, SCHEMA)}
    found = blend(lists, weights={"two": 0.5}, method="weighted_score")
    rows = {(row.person_id, row.item_id): (row.score, row.source) for row in found.collect()}
    assert {pair: score for pair, (score, _) in rows.items()} == pytest.approx(
        {("p", "a"): 1.0, ("p", "b"): 1 / 3 + 0.5, ("p", "c"): 0.0, ("p", "d"): 0.25, ("q", "d"): 0.5}
    )
    assert rows[("p", "b")][1] == "two"


def test_every_fault_of_the_question_comes_at_once(spark: SparkSession) -> None:
    frame = spark.createDataFrame(ONE, SCHEMA)
    with pytest.raises(ConfigError) as caught:
        blend({"one": frame.drop("score")}, weights={"ones": 1.0, "one": -1.0}, method="reciprocal")  # type: ignore[arg-type]
    text = str(caught.value)
    assert "blend.method: is reciprocal. Did you mean reciprocal_rank?" in text
    assert "blend.weights.ones: is the weight of no algorithm given. Did you mean one?" in text
    assert "blend.weights.one: is -1.0" in text
    assert "candidates of one.score: is missing" in text
    with pytest.raises(ConfigError, match="no algorithm with a weight above 0"):
        blend({})
