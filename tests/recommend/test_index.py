"""Dense numbers for ids."""

from __future__ import annotations

from pyspark.sql import SparkSession

from personalake.recommend.index import indexed_ids


def test_numbers_are_dense_and_depend_on_nothing_but_the_ids(spark: SparkSession) -> None:
    ids = [(f"id-{n % 300}",) for n in range(500)] + [(None,)]
    frame = spark.createDataFrame(ids, "item_id string")
    first = {r.item_id: r.n for r in indexed_ids(frame.repartition(1), "item_id", "n").collect()}
    second = {r.item_id: r.n for r in indexed_ids(frame.repartition(5), "item_id", "n").collect()}
    assert first == second
    assert sorted(first.values()) == list(range(300))
