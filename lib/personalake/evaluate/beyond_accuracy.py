"""What lists are like beside being right: coverage of the catalogue, novelty, and how unevenly items are shown."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def coverage(
    recommendations: DataFrame, items: DataFrame, ks: Sequence[int] = (10, 20), by: Sequence[str] = ()
) -> DataFrame:
    """The share of the catalogue that is in some list.

    Args:
        recommendations: person_id, item_id, rank, and the columns of `by`.
        items: item_id of the catalogue; listed items outside it do not count.
        ks: where lists are cut.
        by: columns that tell lists apart, e.g. model.

    Returns:
        `by` columns, metric = coverage, k, value (0–1; null without items).
    """
    shown = _shown_counts(recommendations, items, ks, by)
    share = F.try_divide(F.count_if(F.col("_shown") > 0), F.count(F.lit(1)))
    return _named(shown.groupBy(*by, "k").agg(share.alias("value")), "coverage", by)


def gini(
    recommendations: DataFrame, items: DataFrame, ks: Sequence[int] = (10, 20), by: Sequence[str] = ()
) -> DataFrame:
    """How unevenly items are shown: 0 = all equally often, towards 1 = one item takes all.

    G = Σ (2 i − n − 1) xᵢ / (n Σ x) over items by rising count x, never-shown items as zeros.

    Args:
        recommendations, items, ks, by: as in `coverage`.

    Returns:
        `by` columns, metric = gini, k, value (0–1; null where nothing is shown).

    Cost:
        Items with the same count are summed together, so the sorted window has one row per count.
    """
    sizes = _shown_counts(recommendations, items, ks, by).groupBy(*by, "k", "_shown").agg(F.count("*").alias("_items"))
    before = Window.partitionBy(*by, "k").orderBy("_shown").rowsBetween(Window.unboundedPreceding, -1)
    whole = Window.partitionBy(*by, "k")
    placed = sizes.select(
        *by,
        "k",
        "_shown",
        "_items",
        F.coalesce(F.sum("_items").over(before), F.lit(0)).alias("_before"),
        F.sum("_items").over(whole).alias("_all"),
    )
    # The places of m equal items after B others are B + 1 … B + m: their Σ (2 i − n − 1) is m (2 B + m − n).
    part = F.col("_items") * (2 * F.col("_before") + F.col("_items") - F.col("_all")) * F.col("_shown")
    total = F.max("_all") * F.sum(F.col("_items") * F.col("_shown"))
    return _named(placed.groupBy(*by, "k").agg(F.try_divide(F.sum(part), total).alias("value")), "gini", by)


def novelty(
    recommendations: DataFrame, train: DataFrame, ks: Sequence[int] = (10, 20), by: Sequence[str] = ()
) -> DataFrame:
    """How unknown the listed items were: the mean of −log₂(share of persons who had met the item).

    An item that nobody had met counts as met by one person.

    Args:
        recommendations: person_id, item_id, rank, and the columns of `by`.
        train: person_id, item_id of what was met before.
        ks: where lists are cut.
        by: columns that tell lists apart, e.g. model.

    Returns:
        `by` columns, metric = novelty, k, value (bits; the mean over rows of lists).
    """
    met = train.select("person_id", "item_id").distinct()
    known = met.groupBy("item_id").agg(F.count(F.lit(1)).alias("_met"))
    everyone = met.agg(F.count_distinct("person_id").alias("_persons"))
    rows = _cut(recommendations, ks, by).join(known, on="item_id", how="left").join(F.broadcast(everyone), how="cross")
    share = F.coalesce("_met", F.lit(1)) / F.greatest("_persons", F.lit(1))
    return _named(rows.groupBy(*by, "k").agg(F.avg(-F.log2(share)).alias("value")), "novelty", by)


def _cut(recommendations: DataFrame, ks: Sequence[int], by: Sequence[str]) -> DataFrame:
    cuts = F.explode(F.array(*(F.lit(int(k)) for k in sorted(set(ks))))).alias("k")
    rows = recommendations.select(*by, "person_id", "item_id", "rank", cuts)
    return rows.where(F.col("rank") <= F.col("k")).select(*by, "person_id", "item_id", "k").distinct()


def _shown_counts(recommendations: DataFrame, items: DataFrame, ks: Sequence[int], by: Sequence[str]) -> DataFrame:
    """How many lists hold each item of the catalogue: by columns, k, item_id, _shown (0 where none)."""
    cut = _cut(recommendations, ks, by)
    shown = cut.groupBy(*by, "k", "item_id").agg(F.count(F.lit(1)).alias("_shown"))
    heads = cut.select(*by, "k").distinct()
    catalogue = items.select("item_id").distinct().join(F.broadcast(heads), how="cross")
    return catalogue.join(shown, on=[*by, "k", "item_id"], how="left").na.fill(0, ["_shown"])


def _named(values: DataFrame, metric: str, by: Sequence[str]) -> DataFrame:
    return values.select(*by, F.lit(metric).alias("metric"), "k", F.col("value").cast("double").alias("value"))
