"""All models in one pass, and what lists are like beside being right."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
from pyspark.sql import SparkSession

from personalake.evaluate.build import build_model_metrics
from personalake.tables.evaluate import MODEL_METRICS
from personalake.tables.spec import same_type

LISTED, PAIR = "person_id string, item_id string, rank int", "person_id string, item_id string"
GOOD = [("p", "a", 1), ("p", "b", 2), ("q", "a", 1), ("q", "z", 2)]
BAD = [("p", "c", 1), ("p", "c", 2)]
TRAIN = [("p", "x"), ("q", "x"), ("r", "x"), ("s", "a")]


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> dict[str, Any]:
    lists = {"good": spark.createDataFrame(GOOD, LISTED), "bad": spark.createDataFrame(BAD, LISTED)}
    relevant = spark.createDataFrame([("p", "a"), ("q", "b"), ("r", "a")], PAIR)
    items = spark.createDataFrame([(item,) for item in "abcx"], "item_id string")
    rows = build_model_metrics(lists, relevant, spark.createDataFrame(TRAIN, PAIR), items, date(2024, 5, 1), ks=(1, 2))
    return {"schema": rows.schema, "rows": {(row.model, row.metric, row.k): row for row in rows.collect()}}


def test_rows_fit_the_declared_table(found: dict[str, Any]) -> None:
    declared = {c.name: c.type for c in MODEL_METRICS.cols}
    assert set(found["schema"].names) == set(declared)
    assert all(same_type(found["schema"][name].dataType, declared[name]) for name in declared)
    assert len(found["rows"]) == 2 * 2 * 9


@pytest.mark.parametrize(
    ("model", "metric", "k", "value"),
    [
        ("good", "recall", 1, 1 / 3),
        ("bad", "recall", 2, 0.0),
        ("good", "coverage", 1, 1 / 4),
        ("good", "coverage", 2, 2 / 4),
        ("bad", "coverage", 2, 1 / 4),
        ("good", "gini", 1, 3 / 4),
        ("good", "gini", 2, (2 * 3 - 5) * 1 / 12 + (2 * 4 - 5) * 2 / 12),
        ("good", "novelty", 1, -math.log2(1 / 4)),
        ("bad", "novelty", 2, -math.log2(1 / 4)),
    ],
)
def test_values_are_those_of_the_formulas(found: dict[str, Any], model: str, metric: str, k: int, value: float) -> None:
    assert found["rows"][(model, metric, k)].value == pytest.approx(value)


def test_persons_without_a_list_count(found: dict[str, Any]) -> None:
    assert found["rows"][("bad", "recall", 2)].person_count == 3
    assert found["rows"][("bad", "coverage", 2)].interval_low is None
