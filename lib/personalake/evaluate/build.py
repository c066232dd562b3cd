"""What the stage evaluate publishes: model_metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.evaluate.beyond_accuracy import coverage, gini, novelty
from personalake.evaluate.metrics import ranking_metrics_with_intervals


def build_model_metrics(
    lists: Mapping[str, DataFrame],
    relevant: DataFrame,
    train: DataFrame,
    items: DataFrame,
    as_of: date,
    ks: Sequence[int] = (5, 10, 20),
) -> DataFrame:
    """Every model's lists, measured on the same persons in one pass.

    Args:
        lists: by model name: person_id, item_id, rank (from 1).
        relevant: person_id, item_id: what the test days held.
        train: person_id, item_id met before the test days.
        items: item_id of the catalogue, or of all items met.
        as_of: the day the test ends before.
        ks: where lists are cut.

    Returns:
        stage = evaluate, as_of_date, model, metric, k, step = 0, audience = all, value, interval_low, interval_high,
        person_count; intervals for accuracy metrics only.
    """
    named = [frame.select(F.lit(name).alias("model"), "person_id", "item_id", "rank") for name, frame in lists.items()]
    rows = reduce(DataFrame.unionByName, named)
    accuracy = ranking_metrics_with_intervals(rows, relevant, ks, by=("model",))
    others = [
        coverage(rows, items, ks, ("model",)),
        gini(rows, items, ks, ("model",)),
        novelty(rows, train, ks, ("model",)),
    ]
    measured = reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), [accuracy, *others])
    listed = rows.groupBy("model").agg(F.count_distinct("person_id").alias("_listed"))
    counted = measured.join(F.broadcast(listed), on="model", how="inner")
    return counted.select(
        F.lit("evaluate").alias("stage"),
        F.lit(as_of).alias("as_of_date"),
        "model",
        "metric",
        "k",
        F.lit(0).alias("step"),
        F.lit("all").alias("audience"),
        "value",
        "interval_low",
        "interval_high",
        F.coalesce("person_count", "_listed").alias("person_count"),
    )
