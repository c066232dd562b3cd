"""The engine of blocked scoring: what a task gathers of its partition, and the plan that brings it there."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.recommend import Ease
from personalake.recommend.block_rows import ASKED, FACTORS, HISTORY, MASKED, WANTED, Reading, gathered
from personalake.recommend.block_scorers import id_arrays, item_ids, sorted_ids

IDS = pa.array(["a", "b", "c", "d"], pa.large_string())
ROWS = [
    ("p", HISTORY, "c", 1.0, None), ("q", WANTED, None, None, None), ("p", WANTED, None, None, None),
    ("p", HISTORY, "a", 2.0, None), ("p", HISTORY, "a", 0.5, None), ("p", MASKED, "b", None, None),
    ("q", HISTORY, "unknown", 1.0, None), ("r", HISTORY, "d", 1.0, None), ("p", WANTED, None, None, None),
    (None, HISTORY, "d", 1.0, None), ("p", ASKED, "d", None, None), ("p", ASKED, "unknown", None, None),
    ("r", FACTORS, None, None, np.array([1.0, 2.0]).tobytes()),
    ("p", FACTORS, None, None, np.array([3.0, 4.0]).tobytes()),
]  # fmt: skip


def batches(rows: list[tuple], size: int) -> list[pa.RecordBatch]:
    schema = pa.schema({"person_id": pa.string(), "role": pa.int8(), "item_id": pa.string(), "weight": pa.float64(),
                        "factors": pa.binary()})  # fmt: skip
    table = pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)
    return table.to_batches(size)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_task_puts_each_persons_rows_together(size: int) -> None:
    found = gathered(iter(batches(ROWS, size)), IDS, Reading(by_factors=False, mask_histories=True))
    assert found.persons.to_pylist() == ["p"], "q knows no item, nobody asks for r"
    histories = found.block.histories
    assert histories.weights is not None
    assert dict(zip(histories.values.tolist(), histories.weights.tolist(), strict=True)) == {0: 2.5, 2: 1.0}
    assert (found.masked.values.tolist(), found.asked.values.tolist()) == ([0, 1, 2], [3])
    everyone = gathered(iter(batches(ROWS, size)), IDS, Reading(False, mask_histories=False, everyone=True))
    assert sorted(everyone.persons.to_pylist()) == ["p", "r"]
    assert everyone.masked.values.tolist() == [1]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_factors_find_their_persons(size: int) -> None:
    found = gathered(iter(batches(ROWS, size)), IDS, Reading(by_factors=True, mask_histories=False, everyone=True))
    assert found.block.factors is not None
    own = dict(zip(found.persons.to_pylist(), found.block.factors.tolist(), strict=True))
    assert own == {"p": [3.0, 4.0], "r": [1.0, 2.0]}


def test_a_partition_without_rows_has_nobody() -> None:
    found = gathered(iter([]), IDS, Reading(by_factors=False, mask_histories=True, everyone=True))
    assert (len(found), len(found.block), len(found.masked)) == (0, 0, 0)


@pytest.mark.parametrize("ids", [["ß", "z", "", "中"], [2**40, -5, 3], []], ids=["text", "numbers", "none"])
def test_ids_lie_down_as_arrays_and_come_back_in_order(ids: list) -> None:
    given = pa.array(ids, pa.string() if not ids or isinstance(ids[0], str) else pa.int64())
    ordered, places = sorted_ids(given)
    assert item_ids(id_arrays(ordered)).to_pylist() == ordered.to_pylist()
    assert [ids[place] for place in places] == ordered.to_pylist()
    assert ordered.to_pylist() == sorted(ids, key=lambda one: one.encode() if isinstance(one, str) else one)
    sliced = pa.concat_arrays([given, given]).slice(len(ids))
    assert item_ids(id_arrays(sliced)).to_pylist() == ids


def physical_plan(frame: DataFrame) -> str:
    return str(frame._jdf.queryExecution().executedPlan().toString())


def test_one_shuffle_by_person_no_join_and_no_sort(spark: SparkSession) -> None:
    rows = spark.range(40).selectExpr("id % 7 AS person_id", "id % 9 AS item_id", "1.0D AS weight")
    fitted = Ease(regularisation=1.0).fit(rows.dropDuplicates(["person_id", "item_id"]).localCheckpoint(), check=False)
    persons = spark.range(9).withColumnRenamed("id", "person_id")
    lists = fitted.candidates(persons, limit=3)
    for frame in (lists, fitted.candidates(persons, exclude=fitted.interactions, unavailable=fitted.interactions)):
        nodes = re.findall(r"\b(Exchange|Sort|\w*Join|\w*Aggregate|\w*Window)\b", physical_plan(frame))
        assert nodes == ["Exchange"], physical_plan(frame)
    packed = fitted.packed_candidates(persons, limit=3).collect()
    unpacked = {(r.person_id, r.item_id): (r.score, r.candidate_rank) for r in lists.collect()}
    assert unpacked == {
        (row.person_id, item): (score, rank)
        for row in packed
        for rank, (item, score) in enumerate(zip(row.item_ids, row.scores, strict=True), 1)
    }
    assert np.isfinite([score for score, _ in unpacked.values()]).all()
