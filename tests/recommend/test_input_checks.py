"""Faulty input stops before any work, with every fault at once."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from personalake.errors import ConfigError, DataError
from personalake.recommend import ItemCosine, Popular
from personalake.recommend.checks import checked_interactions

SCHEMA = "person_id string, item_id string, weight double"


def test_every_fault_of_the_rows_comes_at_once(spark: SparkSession) -> None:
    rows = [
        ("a", "x", 1.0),
        ("a", "x", 2.0),
        (None, "x", 1.0),
        ("a", None, 1.0),
        ("b", "x", float("nan")),
        ("b", "y", float("inf")),
        ("b", "z", 0.0),
        ("c", "z", -1.0),
        ("c", "y", None),
    ]
    with pytest.raises(DataError) as caught:
        ItemCosine().fit(spark.createDataFrame(rows, SCHEMA))
    assert [f"{fault.where}: {fault.found}" for fault in caught.value.faults] == [
        "interactions.person_id: 1 rows are null.",
        "interactions.item_id: 1 rows are null.",
        "interactions.weight: 1 rows are null.",
        "interactions.weight: 2 rows are NaN or infinite.",
        "interactions.weight: 2 rows are zero or negative.",
        "interactions: 1 rows repeat a person and item.",
    ]


@pytest.mark.parametrize(
    ("schema", "faults"),
    [
        ("person string, item_id string, weight double", ["person_id: is missing. Did you mean person?"]),
        (
            "person_id double, item_id date, weight string",
            ["person_id: is double", "item_id: is date", "weight: is string"],
        ),
    ],
    ids=["missing", "mistyped"],
)
def test_columns_are_looked_at_before_any_job(spark: SparkSession, schema: str, faults: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        Popular().fit(spark.createDataFrame([], schema), check=False)
    assert len(caught.value.faults) == len(faults)
    assert all(fault in str(caught.value) for fault in faults)


def test_an_index_that_names_two_ids_is_refused(spark: SparkSession) -> None:
    rows = [("a", "x", 1.0, 0, 0), ("b", "y", 1.0, 0, 1)]
    frame = spark.createDataFrame(rows, f"{SCHEMA}, person_index int, item_index int")
    with pytest.raises(DataError, match="person_index: does not number person_id one to one"):
        checked_interactions(frame)


def test_questions_that_do_not_fit_the_model_are_refused(spark: SparkSession) -> None:
    fitted = Popular().fit(spark.createDataFrame([("a", "x", 1.0)], SCHEMA), check=False)
    numbered, named = (
        spark.range(1).withColumnRenamed("id", "person_id"),
        spark.createDataFrame([("a",)], "person_id string"),
    )
    with pytest.raises(ConfigError, match=r"persons.person_id: is bigint. The model was fitted on string."):
        fitted.candidates(numbered)
    with pytest.raises(ConfigError, match="limit: is 0"):
        fitted.candidates(named, limit=0)
    with pytest.raises(ConfigError, match=r"pairs.item_id: is missing"):
        fitted.score(named)
    with pytest.raises(ConfigError, match=r"histories.weight: is missing"):
        fitted.candidates(named, histories=fitted.interactions.drop("weight"))


def test_fading_needs_to_know_how_old_a_row_is(spark: SparkSession) -> None:
    with pytest.raises(DataError, match="last_at: is missing"):
        Popular(half_life_days=7).fit(spark.createDataFrame([("a", "x", 1.0)], SCHEMA), check=False)


def test_packed_lists_are_asked_for_as_others_are(spark: SparkSession) -> None:
    fitted = ItemCosine().fit(spark.createDataFrame([("a", "x", 1.0)], SCHEMA), check=False)
    with pytest.raises(ConfigError, match="limit: is 0"):
        fitted.packed_candidates(fitted.interactions, limit=0)
    with pytest.raises(ConfigError, match=r"persons.person_id: is bigint. The model was fitted on string."):
        fitted.packed_candidates(spark.range(1).withColumnRenamed("id", "person_id"))
    with pytest.raises(ConfigError, match=r"persons.person_id: is missing"):
        fitted.packed_candidates(spark.range(1))
    fitted.unpersist()
