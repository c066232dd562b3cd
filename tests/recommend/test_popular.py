"""The popular list, its fading, its audiences, what is trending, and whom they speak to."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.errors import DataError
from personalake.recommend import Popular, Trending
from personalake.recommend.trending import LONGEST_PAST_DAYS

ROWS = [
    ("a", "x", 1.0, datetime(2024, 1, 1), "north"),
    ("b", "x", 1.0, datetime(2024, 1, 1), "north"),
    ("c", "x", 1.0, datetime(2024, 1, 1), None),
    ("a", "y", 5.0, datetime(2024, 1, 11), "north"),
    ("d", "z", 1.0, datetime(2024, 1, 11), "south"),
]
SCHEMA = "person_id string, item_id string, weight double, last_at timestamp, region string"


@pytest.mark.parametrize(
    ("settings", "audience", "wanted"),
    [
        (Popular(), "all", [("x", 3.0, 1), ("y", 1.0, 2), ("z", 1.0, 3)]),
        (Popular(by="weight"), "all", [("y", 5.0, 1), ("x", 3.0, 2), ("z", 1.0, 3)]),
        (Popular(half_life_days=5), "all", [("y", 1.0, 1), ("z", 1.0, 2), ("x", 0.75, 3)]),
        (Popular(within="region"), "north", [("x", 2.0, 1), ("y", 1.0, 2)]),
        (Popular(within="region"), "south", [("z", 1.0, 1)]),
        (Popular(within="region", least_persons=2), "north", [("x", 2.0, 1)]),
        (Popular(within="region"), "east", []),
    ],
    ids=["persons", "weight", "half_life", "north", "south", "least", "nobody"],
)
def test_the_list_goes_by_persons_weight_or_age(
    spark: SparkSession, settings: Popular, audience: str, wanted: list[tuple]
) -> None:
    fitted = settings.fit(spark.createDataFrame(ROWS, SCHEMA), check=False)
    assert sorted(map(tuple, fitted.top(3, audience).collect()), key=lambda row: row[2]) == wanted
    fitted.unpersist()


def test_candidates_are_those_of_the_audience_without_what_cannot_be_had(spark: SparkSession) -> None:
    rows = [*ROWS, ("b", "w", 1.0, datetime(2024, 1, 1), "north"), ("d", "x", 1.0, datetime(2024, 1, 1), "south")]
    fitted = Popular(within="region").fit(spark.createDataFrame(rows, SCHEMA), check=False)
    persons = spark.createDataFrame([("a",), ("b",), ("c",), ("d",)], "person_id string")
    gone = spark.createDataFrame([("w",)], "item_id string")
    pairs = {
        name: {(r.person_id, r.item_id) for r in fitted.candidates(persons, 5, unavailable=closed).collect()}
        for name, closed in {"open": None, "gone": gone}.items()
    }
    assert pairs == {"open": {("a", "w"), ("b", "y")}, "gone": {("b", "y")}}
    fitted.unpersist()


def taken_up(spark: SparkSession, takes: dict[str, list[float]]) -> DataFrame:
    """Item → ages of its take-ups in days, one person each."""
    newest = datetime(2024, 6, 1)
    rows = [
        (f"{item}{n}", item, 1.0, newest - timedelta(days=age))
        for item, ages in takes.items()
        for n, age in enumerate(ages)
    ]
    return spark.createDataFrame(rows, "person_id string, item_id string, weight double, first_at timestamp").coalesce(
        1
    )


def test_trending_is_a_rate_against_the_items_own_past(spark: SparkSession) -> None:
    ages = {
        "always": [float(age) for age in range(100)],
        "rising": [0.0, 1, 2, 3, 3, 4, 5, 20, 60],
        "fresh": [1.0, 2, 3],
        "once": [2.0],
        "fading": [2.0, *(float(age) for age in range(10, 100))],
        "over": [float(age) for age in range(14, 100)],
        "ancient": [1.0, LONGEST_PAST_DAYS + 20.0],
    }
    settings = Trending(window_days=10, half_life_days=5, smoothing=4)
    fitted = settings.fit(taken_up(spark, ages), check=False)
    found = {row.item_id: (row.score, row.popularity_rank) for row in fitted.top(10).collect()}
    weight = sum(0.5 ** (hour / 24 / 5) for hour in range(240)) / 24
    recent = {item: sum(0.5 ** (age / 5) for age in own if age < 10) for item, own in ages.items()}
    pasts = {item: [age - 10 for age in own if 10 <= age < 10 + LONGEST_PAST_DAYS] for item, own in ages.items()}
    foretold = {item: len(past) / max([1.0, *past]) * weight for item, past in pasts.items()}
    usual = sum(recent.values()) / sum(foretold.values())
    wanted = {item: (recent[item] + 4 * usual) / (foretold[item] + 4) for item in ages if recent[item]}
    assert wanted.pop("fading") < 1
    assert min(wanted.values()) > 1
    assert {item: score for item, (score, _) in found.items()} == pytest.approx(wanted, rel=5e-3)
    assert sorted(found, key=lambda item: found[item][1]) == sorted(wanted, key=lambda item: (-wanted[item], item))
    assert [item for item, (_, rank) in found.items() if rank == 1] == ["rising"]
    fitted.unpersist()


def test_what_a_list_needs_is_asked_for(spark: SparkSession) -> None:
    rows = spark.createDataFrame(ROWS, SCHEMA).drop("last_at", "region")
    for settings, column in (
        (Popular(half_life_days=1), "last_at"),
        (Popular(within="region"), "region"),
        (Trending(), "first_at"),
    ):
        with pytest.raises(DataError, match=f"interactions.{column}: is missing"):
            settings.fit(rows, check=False)
