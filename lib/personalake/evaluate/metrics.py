"""Accuracy of lists: precision, recall, MAP, nDCG, hit rate, MRR at k, with intervals over persons."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault

METRICS = ("precision", "recall", "map", "ndcg", "hit_rate", "mrr")
PAIR = ("person_id", "item_id")
_Z_95 = 1.959963984540054


def per_person_metrics(
    recommendations: DataFrame, relevant: DataFrame, ks: Sequence[int] = (10, 20), by: Sequence[str] = ()
) -> DataFrame:
    """Every metric for every person of `relevant`; one without recommendations counts zero.

    With n relevant items, hits at ranks r₁ < r₂ < … ≤ k: precision = hits / k; recall = hits / n; map = Σ i / rᵢ over
    min(k, n); ndcg = Σ 1 / log₂(rᵢ + 1) over that of an ideal list of min(k, n) hits; hit_rate = 1 where there is a
    hit; mrr = 1 / r₁. As `pyspark.mllib.evaluation.RankingMetrics` has them.

    Args:
        recommendations: person_id, item_id, rank (from 1), and the columns of `by`; a repeated item counts at its best.
        relevant: person_id, item_id; repeated rows count once.
        ks: where lists are cut, each ≥ 1.
        by: columns that tell lists apart, e.g. model; every list is measured on every person of `relevant`.

    Returns:
        `by` columns, person_id, k, then a column per metric (double, 0–1).

    Raises:
        ConfigError: no k, or one below 1.

    Cost:
        A shuffle by pair, one by person; len(ks) rows per hit.
    """
    if not ks or min(ks) < 1:
        raise ConfigError(Fault("ks", f"is {list(ks)}.", "Give one or more lengths from 1."))
    wanted = relevant.select(*PAIR).distinct()
    heads = recommendations.where(F.col("rank") <= max(ks)).groupBy(*by, *PAIR).agg(F.min("rank").alias("rank"))
    place = F.row_number().over(Window.partitionBy(*by, "person_id").orderBy("rank", "item_id"))
    hits = heads.join(wanted, on=list(PAIR), how="left_semi").withColumn("_place", place)
    cuts = F.explode(F.array(*(F.lit(int(k)) for k in sorted(set(ks))))).alias("k")
    sums = _hit_sums(hits.select(*by, "person_id", "rank", "_place", cuts), by)
    persons = wanted.groupBy("person_id").agg(F.count(F.lit(1)).alias("_relevant")).select("*", cuts)
    if by:
        persons = persons.join(F.broadcast(recommendations.select(*by).distinct()), how="cross")
    measured = persons.join(sums, on=[*by, "person_id", "k"], how="left").na.fill(0)
    return measured.select(*by, "person_id", "k", *_values(max(ks)))


def ranking_metrics(recommendations: DataFrame, relevant: DataFrame, ks: Sequence[int] = (10, 20)) -> DataFrame:
    """The mean of each metric over the persons of `relevant`; arguments as in `per_person_metrics`.

    Returns:
        metric, k (int), value (double, 0–1). No rows where nothing is relevant.
    """
    return ranking_metrics_with_intervals(recommendations, relevant, ks).select("metric", "k", "value")


def ranking_metrics_with_intervals(
    recommendations: DataFrame, relevant: DataFrame, ks: Sequence[int] = (10, 20), by: Sequence[str] = ()
) -> DataFrame:
    """The mean of each metric and its 95 % interval, mean ± 1.96 standard errors over persons, cut to 0–1.

    Args:
        recommendations, relevant, ks, by: as in `per_person_metrics`.

    Returns:
        `by` columns, metric, k, value, interval_low, interval_high (null for a single person), person_count.
    """
    persons = per_person_metrics(recommendations, relevant, ks, by)
    long = persons.unpivot([*by, "person_id", "k"], list(METRICS), "metric", "_value")
    half = F.lit(_Z_95) * F.col("_spread") / F.sqrt("person_count")
    return (
        long.groupBy(*by, "metric", "k")
        .agg(
            F.avg("_value").alias("value"),
            F.when(F.count(F.lit(1)) > 1, F.stddev_samp("_value")).alias("_spread"),
            F.count(F.lit(1)).alias("person_count"),
        )
        .withColumn("interval_low", F.when(half.isNotNull(), F.greatest(F.col("value") - half, F.lit(0.0))))
        .withColumn("interval_high", F.when(half.isNotNull(), F.least(F.col("value") + half, F.lit(1.0))))
        .select(*by, "metric", "k", "value", "interval_low", "interval_high", "person_count")
    )


def _hit_sums(hits: DataFrame, by: Sequence[str]) -> DataFrame:
    rank = F.col("rank").cast("double")
    return (
        hits.where(F.col("rank") <= F.col("k"))
        .groupBy(*by, "person_id", "k")
        .agg(
            F.count(F.lit(1)).alias("_hits"),
            F.min(rank).alias("_first"),
            F.sum(F.col("_place") / rank).alias("_precisions"),
            F.sum(F.lit(1.0) / F.log2(rank + 1)).alias("_gain"),
        )
    )


def _values(longest: int) -> list[Column]:
    gains = [0.0]
    for rank in range(1, longest + 1):
        gains.append(gains[-1] + 1.0 / math.log2(rank + 1))
    reachable = F.least("k", F.col("_relevant")).cast("int")
    ideal = F.get(F.array(*(F.lit(gain) for gain in gains)), reachable)
    hits = F.col("_hits")
    values = {
        "precision": hits / F.col("k"),
        "recall": hits / F.col("_relevant"),
        "map": F.col("_precisions") / reachable,
        "ndcg": F.col("_gain") / ideal,
        "hit_rate": F.when(hits > 0, F.lit(1.0)).otherwise(F.lit(0.0)),
        "mrr": F.when(hits > 0, F.lit(1.0) / F.nullif(F.col("_first"), F.lit(0.0))).otherwise(F.lit(0.0)),
    }
    return [values[name].alias(name) for name in METRICS]
