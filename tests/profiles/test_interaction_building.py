"""Interactions against a plain loop, and dense numbers that depend on the ids alone."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.profiles import (
    Profiles,
    build_interactions,
    build_person_item_days,
    interactions_by_person_item,
    with_index,
)
from personalake.profiles.index import indexed
from personalake.tables.profiles import INTERACTIONS
from personalake.tables.spec import schema_faults
from support.profile_rows import START, event_frame, random_events

WEIGHTS = {"view": 1.0, "favourite": 2.0, "bookmark": 2.5, "cart": 3.0, "buy": 5.0, "error": 0.0}
AS_OF = START.date() + timedelta(days=90)
SEED = 21


@pytest.fixture(scope="module")
def item_days(spark: SparkSession) -> DataFrame:
    return build_person_item_days(event_frame(spark, random_events(SEED))).localCheckpoint()


@pytest.mark.parametrize(("half_life_days", "transform"), [(None, "none"), (7.0, "log")])
def test_equals_a_plain_loop(item_days: DataFrame, half_life_days: float | None, transform: Any) -> None:
    events = random_events(SEED)
    rows = interactions_by_person_item(item_days, AS_OF, WEIGHTS, half_life_days, transform).collect()
    expected = plain_interactions(events, AS_OF, half_life_days, transform == "log")
    assert {(r.person_id, r.item_id) for r in rows} == expected.keys(), f"seed {SEED}"
    for r in rows:
        weight, counts = expected[(r.person_id, r.item_id)]
        assert (r.event_count, r.buy_count, r.last_bought_at is not None) == (*counts, counts[1] > 0)
        assert math.isclose(r.weight, max(weight, 1e-9), rel_tol=1e-9, abs_tol=1e-9), (SEED, r)
        assert r.weight > 0


def plain_interactions(events: list[dict[str, Any]], as_of: date, half_life: float | None, log: bool) -> dict[Any, Any]:
    masses: dict[Any, float] = defaultdict(float)
    counts: dict[Any, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for e in events:
        weight = WEIGHTS.get(e["event_type"], 0.0)
        if e["is_bot"] or not weight or e["item_id"] is None or e["event_date"] >= as_of:
            continue
        key = (e["person_id"], e["item_id"])
        age = (as_of - e["event_date"]).days - 1
        masses[key] += weight * (0.5 ** (age / half_life) if half_life else 1.0)
        counts[key] = (counts[key][0] + 1, counts[key][1] + (e["event_type"] == "buy"))
    return {key: (math.log2(1 + mass) if log else mass, counts[key]) for key, mass in masses.items()}


def test_numbers_are_dense_and_depend_on_the_ids_alone(item_days: DataFrame) -> None:
    pairs = build_interactions(item_days, AS_OF, Profiles()).localCheckpoint()
    built = with_index(pairs)
    assert [f for f in schema_faults(built.schema, INTERACTIONS) if "run_id" not in f.where] == []
    rows = built.collect()
    again = indexed(pairs.orderBy(F.xxhash64("item_id")).repartition(7), "person_id", "person_index").collect()
    assert {(r.person_id, r.person_index) for r in rows} == {(r.person_id, r.person_index) for r in again}
    for id_name, index_name in (("person_id", "person_index"), ("item_id", "item_index")):
        numbers = {(r[id_name], r[index_name]) for r in rows}
        assert sorted(index for _, index in numbers) == list(range(len(numbers)))
        assert len({identifier for identifier, _ in numbers}) == len(numbers)


def test_ids_that_are_numbers_and_more_ids_than_fit(spark: SparkSession) -> None:
    ids = spark.range(2000).select((F.col("id") % 1500).alias("item_id"))
    found = sorted(r.number for r in indexed(ids, "item_id", "number").collect())
    assert found == list(range(1500))
    with pytest.raises(PySparkException, match="more than 1000 values of item_id"):
        indexed(ids, "item_id", "number", greatest=999).collect()


@pytest.mark.parametrize("weights", [{"view": -1.0}, {"view": math.inf}])
def test_weights_that_mean_nothing_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="finite and at least 0: view"):
        Profiles(event_weights=weights)
