"""How alike two items are, from sums over the persons who have both: one last step per measure, for arrays and columns.

Both forms take their operations in the same order, so that they agree to the last decimal that is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column
from pyspark.sql import functions as F

from personalake.recommend.product.compiled import compiled

Array = npt.NDArray[Any]
Measure = Literal["cosine", "jaccard", "conditional", "llr", "pearson", "pearson_centred", "euclidean"]
COSINE, JACCARD, CONDITIONAL, LLR, PEARSON, PEARSON_CENTRED, EUCLIDEAN = range(7)
CODES: dict[str, int] = {
    "cosine": COSINE,
    "jaccard": JACCARD,
    "conditional": CONDITIONAL,
    "llr": LLR,
    "pearson": PEARSON,
    "pearson_centred": PEARSON_CENTRED,
    "euclidean": EUCLIDEAN,
}
# Measures that need Σx, Σy, Σx², Σy² over the shared persons beside Σxy.
WITH_MOMENTS = (PEARSON, PEARSON_CENTRED)
# Below this share of the raw sum a variance is what rounding left of zero: at all, and per person added.
_NO_VARIANCE = 1e-12
_ROUNDING = 2.0**-51


@dataclass(frozen=True)
class PairColumns:
    """The sums of a pair (a, b) as columns: see `similarities`."""

    count: Column
    dot: Column
    a_sum: Column
    b_sum: Column
    a_square: Column
    b_square: Column
    a_count: Column
    b_count: Column
    a_norm: Column
    b_norm: Column


@compiled
def similarities(
    code: int, sums: Array, count: float, norm: float, counts: Array, norms: Array, persons: float, shrink: float
) -> Array:
    """How alike an item a is to others b.

    cosine: Σxy / (‖x‖ ‖y‖ + shrink). jaccard: n / (n_a + n_b − n + shrink). conditional: n / (n_a + shrink), the
    probability of b given a. llr: Dunning's 1993 log-likelihood ratio of the 2 × 2 table; 0 where the two are met
    together no more often than by chance. pearson: the correlation over shared persons; pearson_centred: of values
    centred before. euclidean: 1 / (1 + √Σ(x − y)²) over shared persons.

    Args:
        code: of the measure, see CODES.
        sums: others × 6: n (persons who have both), Σxy (euclidean: Σ(x − y)²), Σx, Σy, Σx², Σy² over them.
        count, norm: n_a and ‖x‖ of a.
        counts, norms: n_b and ‖y‖ of the others.
        persons: how many there are at all.
        shrink: ≥ 0; see above.

    Returns:
        One similarity per other, not rounded.
    """
    both = sums[:, 0]
    if code == COSINE:
        return sums[:, 1] / (norm * norms + shrink)
    if code == JACCARD:
        return both / (count + counts - both + shrink)
    if code == CONDITIONAL:
        return both / (count + counts * 0.0 + shrink)
    if code == LLR:
        return _llr(both, count, counts, persons)
    if code == EUCLIDEAN:
        return 1.0 / (1.0 + np.sqrt(sums[:, 1]))
    if code == PEARSON:
        covariance = both * sums[:, 1] - sums[:, 2] * sums[:, 3]
        left = both * sums[:, 4] - sums[:, 2] * sums[:, 2]
        right = both * sums[:, 5] - sums[:, 3] * sums[:, 3]
        least = np.maximum(_NO_VARIANCE, both * _ROUNDING) * both
        flat = (left <= least * sums[:, 4]) | (right <= least * sums[:, 5])
    else:
        covariance, left, right = sums[:, 1], sums[:, 4], sums[:, 5]
        flat = (left <= 0.0) | (right <= 0.0)
    return np.where(flat, 0.0, covariance / (np.sqrt(np.where(flat, 1.0, left)) * np.sqrt(np.where(flat, 1.0, right))))


@compiled
def _llr(both: Array, count: float, counts: Array, persons: float) -> Array:
    only_a, only_b = count - both, counts - both
    neither = persons - count - only_b
    total = (
        _part(both, count + counts * 0.0, counts, persons)
        + _part(only_a, count + counts * 0.0, persons - counts, persons)
        + _part(only_b, persons - count + counts * 0.0, counts, persons)
        + _part(neither, persons - count + counts * 0.0, persons - counts, persons)
    )
    return np.where(both * persons > count * counts, 2.0 * total, 0.0)


@compiled
def _part(seen: Array, row: Array, column: Array, persons: float) -> Array:
    """O ln(O / E) of a cell; 0 where nothing was seen."""
    some = np.where(seen > 0.0, seen, 1.0)
    return np.where(seen > 0.0, seen * np.log(some * persons / np.where(seen > 0.0, row * column, 1.0)), 0.0)


def similarity(measure: str, pair: PairColumns, persons: Column, shrink: float) -> Column:
    """The same as `similarities`, of columns.

    Args:
        measure: its name.
        pair: the sums.
        persons: how many there are at all.
        shrink: ≥ 0.
    """
    damped = F.lit(float(shrink))
    if measure == "cosine":
        return pair.dot / (pair.a_norm * pair.b_norm + damped)
    if measure == "jaccard":
        return pair.count / (pair.a_count + pair.b_count - pair.count + damped)
    if measure == "conditional":
        return pair.count / (pair.a_count + damped)
    if measure == "llr":
        return _llr_column(pair, persons)
    if measure == "euclidean":
        return F.lit(1.0) / (F.lit(1.0) + F.sqrt(pair.dot))
    if measure == "pearson":
        covariance = pair.count * pair.dot - pair.a_sum * pair.b_sum
        left, right = (
            pair.count * square - total * total
            for square, total in ((pair.a_square, pair.a_sum), (pair.b_square, pair.b_sum))
        )
        least = F.greatest(F.lit(_NO_VARIANCE), pair.count * F.lit(_ROUNDING)) * pair.count
        flat = (left <= least * pair.a_square) | (right <= least * pair.b_square)
    else:
        covariance, left, right = pair.dot, pair.a_square, pair.b_square
        flat = (left <= 0) | (right <= 0)
    return F.when(flat, F.lit(0.0)).otherwise(covariance / (F.sqrt(left) * F.sqrt(right)))


def _llr_column(pair: PairColumns, persons: Column) -> Column:
    only_a, only_b = pair.a_count - pair.count, pair.b_count - pair.count
    neither = persons - pair.a_count - only_b
    cells = (
        (pair.count, pair.a_count, pair.b_count),
        (only_a, pair.a_count, persons - pair.b_count),
        (only_b, persons - pair.a_count, pair.b_count),
        (neither, persons - pair.a_count, persons - pair.b_count),
    )
    parts = [
        F.when(seen > 0, seen * F.log(seen * persons / (row * column))).otherwise(F.lit(0.0))
        for seen, row, column in cells
    ]
    together = pair.count * persons > pair.a_count * pair.b_count
    total = F.lit(2.0) * (parts[0] + parts[1] + parts[2] + parts[3])
    return F.when(together, total).otherwise(F.lit(0.0))
