"""A split by time, and lists drawn at random."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from pydantic import ValidationError
from pyspark.sql import SparkSession

from personalake.errors import ConfigError
from personalake.evaluate import random_recommender, relevant_pairs, split_by_time
from personalake.evaluate.settings import Evaluate

AS_OF = date(2024, 3, 15)


def test_the_test_days_are_those_up_to_the_day(spark: SparkSession) -> None:
    rows = [("p", f"i{back}", AS_OF - timedelta(days=back)) for back in (-1, 0, 1, 7, 8)]
    rows += [("p", "i1", AS_OF - timedelta(days=30)), ("p", None, AS_OF - timedelta(days=2))]
    split = split_by_time(spark.createDataFrame(rows, "person_id string, item_id string, event_date date"), AS_OF, 7)
    assert split.train_as_of == date(2024, 3, 8)
    assert sorted(row.item_id for row in split.train.collect()) == ["i1", "i8"]
    assert sorted(row.item_id or "" for row in split.test.collect()) == ["", "i1", "i7"]
    assert [row.item_id for row in relevant_pairs(split.test, split.train).collect()] == ["i7"]
    assert sorted(row.item_id for row in relevant_pairs(split.test, split.train, only_new=False).collect()) == [
        "i1",
        "i7",
    ]
    with pytest.raises(ConfigError, match="test_days: is 0"):
        split_by_time(split.train, AS_OF, 0)


def test_random_lists_are_full_repeatable_and_even(spark: SparkSession) -> None:
    persons = spark.range(400).selectExpr("concat('p', id) AS person_id")
    items = spark.range(50).selectExpr("concat('i', id) AS item_id")
    first = sorted(map(tuple, random_recommender(persons, items, 10, seed=3).collect()))
    again = sorted(map(tuple, random_recommender(persons.repartition(3), items.repartition(1), 10, seed=3).collect()))
    other = sorted(map(tuple, random_recommender(persons, items, 10, seed=4).collect()))
    assert first == again != other
    assert len(first) == len({row[:2] for row in first}) == 4000
    assert sorted({row[2] for row in first}) == list(range(1, 11))
    shown = [sum(row[1] == f"i{n}" for row in first) for n in range(50)]
    assert min(shown) > 45 and max(shown) < 120


@pytest.mark.parametrize("ks", [(), (0,), (5, 5)])
def test_cuts_that_make_no_sense_are_refused(ks: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError, match="different lengths from 1"):
        Evaluate(ks=ks)
