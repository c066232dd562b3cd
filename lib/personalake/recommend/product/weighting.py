"""What an entry of the matrix counts: from the weight of a pair, its person's history and its item's persons."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

Array = npt.NDArray[Any]
Weights = Literal["raw", "log", "unit", "tfidf", "bm25"]
DESCRIPTION = (
    "What a weight w counts: raw = w, log = ln(1 + w), unit = 1, tfidf = √w × ln((items + 1) / (history + 1)), "
    "bm25 = the same with Okapi's saturation of w by its item"
)
# As the library implicit has them: weights saturate late, popular items are damped well.
BM25_SATURATION = 100.0
BM25_LENGTH_SHARE = 0.8
# An entry is its mean where they differ by no more than rounding, as a share of the mean: at all, and per entry added.
_SAME = 1e-12
_ROUNDING = 2.0**-52


def weighted(by_person: sp.csr_matrix, weights: Weights) -> sp.csr_matrix:
    """The matrix person × item with its entries weighted.

    tfidf takes items for documents and persons for terms (Salton, Buckley 1988): who takes everything says little of
    any two items. bm25 (Robertson, Walker 1994): w (K + 1) / (K (1 − B + B Σ_item w / mean) + w) × the same logarithm.

    Args:
        by_person: raw weights, > 0.
        weights: which.

    Returns:
        Another matrix of the same shape; entries that come out 0 (a person who took every item) are left out.
    """
    if weights == "raw":
        return by_person
    values = by_person.data
    if weights == "unit":
        counted = np.ones_like(values)
    elif weights == "log":
        counted = np.log1p(values)
    else:
        lengths = np.diff(by_person.indptr)
        rarity = np.repeat(np.log((by_person.shape[1] + 1.0) / (lengths + 1.0)), lengths)
        counted = np.sqrt(values) * rarity
        if weights == "bm25":
            totals = np.bincount(by_person.indices, weights=values, minlength=by_person.shape[1])
            share = totals / (values.sum() / by_person.shape[1])
            damped = BM25_SATURATION * (1.0 - BM25_LENGTH_SHARE + BM25_LENGTH_SHARE * share)
            counted = values * (BM25_SATURATION + 1.0) / (damped[by_person.indices] + values) * rarity
    matrix = sp.csr_matrix((counted, by_person.indices, by_person.indptr), shape=by_person.shape, copy=True)
    matrix.eliminate_zeros()
    return matrix


def with_value(entries: DataFrame, weights: Weights) -> DataFrame:
    """The same for entries as rows.

    Args:
        entries: one row per pair; reads _person, _item, weight.
        weights: which.

    Returns:
        The rows plus _value, without those where it is 0.

    Cost:
        tfidf and bm25: an aggregate by person, one by item, and their joins.
    """
    if weights in ("raw", "log", "unit"):
        value = {"raw": F.col("weight"), "log": F.log1p("weight"), "unit": F.lit(1.0)}[weights]
        return entries.withColumn("_value", value)
    histories = entries.groupBy("_person").agg(F.count(F.lit(1)).alias("_length"))
    items = entries.groupBy("_item").agg(F.sum("weight").alias("_total"))
    all_items = items.agg(F.count(F.lit(1)).alias("_items"), F.sum("_total").alias("_mass"))
    rows = entries.join(histories, on="_person", how="inner").join(items, on="_item", how="inner")
    rows = rows.crossJoin(F.broadcast(all_items))
    rarity = F.log((F.col("_items") + F.lit(1.0)) / (F.col("_length") + F.lit(1.0)))
    value = F.sqrt("weight") * rarity if weights == "tfidf" else _bm25() * rarity
    return rows.withColumn("_value", value).where(F.col("_value") != 0).select(*entries.columns, "_value")


def _bm25() -> Column:
    share = F.col("_total") / (F.col("_mass") / F.col("_items"))
    damped = F.lit(BM25_SATURATION) * (F.lit(1.0 - BM25_LENGTH_SHARE) + F.lit(BM25_LENGTH_SHARE) * share)
    return F.col("weight") * F.lit(BM25_SATURATION + 1.0) / (damped + F.col("weight"))


def centred(values: sp.csr_matrix) -> sp.csr_matrix:
    """Entries less the mean of their item over all persons who have it; an entry that comes out 0 is kept.

    What rounding leaves of an entry that is the mean is 0: an item that all rate alike is like no other.
    """
    counts = np.bincount(values.indices, minlength=values.shape[1])
    means = np.bincount(values.indices, weights=values.data, minlength=values.shape[1]) / np.maximum(counts, 1)
    least = np.maximum(_SAME, counts * _ROUNDING) * np.abs(means)
    apart = values.data - means[values.indices]
    apart[np.abs(apart) <= least[values.indices]] = 0.0
    return sp.csr_matrix((apart, values.indices, values.indptr), shape=values.shape)


def with_centred(entries: DataFrame) -> DataFrame:
    """The same for entries as rows; reads _item, _value."""
    least = F.greatest(F.lit(_SAME), F.count(F.lit(1)) * F.lit(_ROUNDING)) * F.abs(F.avg("_value"))
    means = entries.groupBy("_item").agg(F.avg("_value").alias("_mean"), least.alias("_least"))
    rows = entries.join(means, on="_item", how="inner")
    apart = F.col("_value") - F.col("_mean")
    value = F.when(F.abs(apart) <= F.col("_least"), F.lit(0.0)).otherwise(apart)
    return rows.withColumn("_value", value).drop("_mean", "_least")
