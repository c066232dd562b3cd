"""The popular list, its fading, and whom it speaks to."""

from __future__ import annotations

from datetime import datetime

import pytest
from pyspark.sql import SparkSession

from personalake.recommend import Popular

ROWS = [
    ("a", "x", 1.0, datetime(2024, 1, 1)),
    ("b", "x", 1.0, datetime(2024, 1, 1)),
    ("a", "y", 5.0, datetime(2024, 1, 11)),
    ("b", "z", 1.0, datetime(2024, 1, 11)),
]
SCHEMA = "person_id string, item_id string, weight double, last_at timestamp"


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (Popular(), [("x", 2.0, 1), ("y", 1.0, 2), ("z", 1.0, 3)]),
        (Popular(by="weight"), [("y", 5.0, 1), ("x", 2.0, 2), ("z", 1.0, 3)]),
        (Popular(half_life_days=5), [("y", 1.0, 1), ("z", 1.0, 2), ("x", 0.5, 3)]),
    ],
    ids=["persons", "weight", "half_life"],
)
def test_the_list_goes_by_persons_weight_or_age(spark: SparkSession, settings: Popular, wanted: list[tuple]) -> None:
    fitted = settings.fit(spark.createDataFrame(ROWS, SCHEMA), check=False)
    assert sorted(map(tuple, fitted.top(3).collect()), key=lambda row: row[2]) == wanted
    fitted.unpersist()
