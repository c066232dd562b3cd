"""Recency, frequency and money in ranks from 1 to 5: exact fifths, or by fixed thresholds."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.profiles.settings import Rfm

QUANTILES = (0.2, 0.4, 0.6, 0.8)

MEASURED_ON = ("order_count", "money_minor", "last_order_date")
"""The totals that the measures are, or are made of."""

MEASURES = {"recency": "order_recency_days", "frequency": "order_count", "money": "money_minor"}
"""What is ranked, and the feature that it is."""


def with_rfm(profiles: DataFrame, bounds: DataFrame) -> DataFrame:
    """Add the rank of a buyer by recency, frequency and money.

    A value falls in the first class whose upper bound it does not exceed, so equal values get equal ranks: of fifths,
    the rule of `pandas.qcut` over `numpy.quantile` (linear). Persons without an order have no rank.

    Args:
        profiles: reads order_recency_days, order_count, money_minor.
        bounds: what `rfm_bounds` gives.

    Returns:
        The same rows plus rfm_recency_rank, rfm_frequency_rank, rfm_money_rank (int, 5 is best) and rfm_cell.

    Cost:
        None: the one row of bounds is broadcast.
    """
    joined = profiles.join(F.broadcast(bounds), how="cross")
    ranks = {name: _rank(column, f"_{name}") for name, column in MEASURES.items()}
    # The most recent buyer has the fewest days.
    ranks["recency"] = F.lit(6) - ranks["recency"]
    is_buyer = F.col("order_count") > 0
    for name, rank in ranks.items():
        joined = joined.withColumn(f"rfm_{name}_rank", F.when(is_buyer, rank).cast("int"))
    cell = F.concat(*[F.col(f"rfm_{name}_rank").cast("string") for name in MEASURES])
    return joined.withColumn("rfm_cell", cell).drop(*[f"_{name}" for name in MEASURES])


def rfm_bounds(profiles: DataFrame, settings: Rfm) -> DataFrame:
    """The upper bounds of the first four classes: one row of arrays.

    Args:
        profiles: reads order_recency_days, order_count, money_minor.
        settings: whether they are fifths among buyers, or the thresholds given.

    Returns:
        _recency, _frequency, _money: array<double>; fifths are null where nobody bought.

    Cost:
        Fifths: one aggregate that holds the distinct values of each measure. Thresholds: none.
    """
    if settings.method == "thresholds":
        given = (settings.recency_days, settings.order_counts, settings.money_minor)
        arrays = zip(MEASURES, given, strict=True)
        columns = [F.array(*[F.lit(float(v)) for v in values]).alias(f"_{name}") for name, values in arrays]
        return profiles.sparkSession.range(1).select(*columns)
    buyers = profiles.where(F.col("order_count") > 0)
    return buyers.agg(*[_bounds(column).alias(f"_{name}") for name, column in MEASURES.items()])


def _bounds(column: str) -> Column:
    """Exact quantiles; rounded, because interpolation can end a hair beside a whole number."""
    exact = F.percentile(column, list(QUANTILES))
    return F.transform(exact, lambda bound: F.round(bound, 9))


def _rank(column: str, bounds: str) -> Column:
    above = F.filter(bounds, lambda bound: F.col(column).cast("double") > bound)
    return F.size(above) + 1
