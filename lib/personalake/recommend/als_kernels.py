"""The arithmetic of ALS on numpy arrays: fold-in of a history, and top lists by blocked matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_BLOCK_BYTES = 64 * 2**20
_DECIMALS = 1e9


@dataclass(frozen=True)
class Ragged:
    """Rows of unequal length: row i is `values[offsets[i]:offsets[i + 1]]`."""

    offsets: Ints
    values: Ints

    def rows(self, start: int, stop: int) -> tuple[Ints, Ints]:
        """Row numbers (from 0 at `start`) and values of the rows start … stop - 1."""
        lengths = np.diff(self.offsets[start : stop + 1])
        return np.repeat(np.arange(stop - start), lengths), self.values[self.offsets[start] : self.offsets[stop]]


def half_step(
    factors: Doubles, gram: Doubles, weights: Doubles, regularisation: float, alpha: float, implicit: bool
) -> Doubles:
    """One person's factors from the factors of the items of a history: the ALS normal equations, as MLlib has them.

    Implicit: (YᵀY + Σ α r y yᵀ + λ n I) x = Σ (1 + α r) y, Hu, Koren, Volinsky 2008 with λ scaled by the length n of
    the history; explicit: (Σ y yᵀ + λ n I) x = Σ r y.

    Args:
        factors: n × rank, the items of the history.
        gram: rank × rank, YᵀY over all items; read where implicit.
        weights: n, r > 0.
        regularisation: λ.
        alpha: α, how much confidence a unit of weight adds.
        implicit: which of the two forms.

    Returns:
        rank numbers.
    """
    ridge = regularisation * len(weights) * np.eye(factors.shape[1])
    if implicit:
        left = gram + (factors.T * (alpha * weights)) @ factors + ridge
        right = factors.T @ (1.0 + alpha * weights)
    else:
        left = factors.T @ factors + ridge
        right = factors.T @ weights
    try:
        solved = np.linalg.solve(left, right)
    except np.linalg.LinAlgError:  # without a ridge a short history leaves directions open: the shortest solution
        solved = np.linalg.lstsq(left, right, rcond=None)[0]
    return np.asarray(solved, dtype=np.float64)


def top_lists(
    persons: Doubles, items: Doubles, id_order: Ints, masked: Ragged, limit: int
) -> Iterator[tuple[Ints, Doubles]]:
    """The best items of each person, masked ones left out before the cut.

    Args:
        persons: n × rank.
        items: m × rank.
        id_order: m, the place of each item in the order of ids: what breaks ties.
        masked: for each person the items never to return, as rows of `items`.
        limit: list length.

    Yields:
        For each person: rows of `items`, best first, and their scores at 9 decimals.
    """
    size = max(1, _BLOCK_BYTES // (8 * max(1, len(items))))
    for start in range(0, len(persons), size):
        stop = min(start + size, len(persons))
        scores = np.rint((persons[start:stop] @ items.T) * _DECIMALS) / _DECIMALS
        scores[masked.rows(start, stop)] = -np.inf
        for row in scores:
            yield _top(row, id_order, limit)


def pair_scores(persons: Doubles, items: Doubles, asked: Ragged) -> Doubles:
    """The scores of given pairs.

    Args:
        persons: n × rank.
        items: m × rank.
        asked: for each person the rows of `items` to score.

    Returns:
        One score at 9 decimals per value of `asked`, in its order.
    """
    parts = [np.empty(0)]
    for person, (start, stop) in enumerate(zip(asked.offsets[:-1], asked.offsets[1:], strict=True)):
        parts.append(items[asked.values[start:stop]] @ persons[person])
    return np.rint(np.concatenate(parts) * _DECIMALS) / _DECIMALS


def _top(scores: Doubles, id_order: Ints, limit: int) -> tuple[Ints, Doubles]:
    if limit < len(scores):
        threshold = np.partition(scores, len(scores) - limit)[len(scores) - limit]
        found = np.flatnonzero((scores >= threshold) & (scores > -np.inf))
    else:
        found = np.flatnonzero(scores > -np.inf)
    best = found[np.lexsort((id_order[found], -scores[found]))][:limit]
    return best, scores[best]
