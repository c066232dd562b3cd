"""The arithmetic of blocked scoring on numpy arrays: round, mask, take the best, ties to the lower item index.

Each kernel is compiled where numba is installed and plain numpy where it is not, with identical results.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np
import numpy.typing as npt

from personalake.recommend.product.compiled import HAS_NUMBA
from personalake.recommend.ragged import Doubles, Ints, Ragged, list_room

# Scores count at 9 decimals, as `top.rounded` has them.
SCALE = 1e9
BLOCK_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Product:
    """A sparse matrix (CSR) that weighted rows are multiplied with; `width` is its number of columns."""

    indptr: Ints
    indices: npt.NDArray[np.integer]
    values: npt.NDArray[np.floating]
    width: int


def row_blocks(count: int, row_bytes: int) -> Iterator[tuple[int, int]]:
    """Cut rows into blocks of at most BLOCK_BYTES, but of one row at least: start, stop."""
    size = max(1, BLOCK_BYTES // max(1, row_bytes))
    for start in range(0, count, size):
        yield start, min(start + size, count)


def rounded(scores: Doubles) -> Doubles:
    """Scores at 9 decimals."""
    return np.asarray(np.rint(scores * SCALE) / SCALE)


def dense_top(scores: Doubles, masked: Ragged, closed: Ints, limit: int) -> Ragged:
    """The best items of each row of a block of scores.

    Args:
        scores: rows × items; what is masked is overwritten. Not finite: there is nothing to say of the item.
        masked: for each row the items never to return.
        closed: items never to return to anyone.
        limit: list length, ≥ 1.

    Returns:
        For each row item indexes, best first, equal scores by rising index; weights are the scores at 9 decimals.
    """
    compiled = _compiled()
    if compiled is None:
        scores[:, closed] = -np.inf
        scores[masked.row_numbers(), masked.values] = -np.inf
        lists = [_top(row, np.arange(scores.shape[1]), limit) for row in scores]
        return _ragged(lists)
    room, best = list_room(scores.shape[0], min(limit, scores.shape[1]))
    counts = compiled.dense_top(scores, closed, (masked.offsets, masked.values), room.shape[1], room, best)
    return Ragged.of_lists(room, best, counts)


def product_top(rows: Ragged, product: Product, masked: Ragged, closed: Ints, limit: int) -> Ragged:
    """The best items of each row of rows × product, among those that some entry of the row adds to.

    Args:
        rows: for each person the rows of the product, with their weights.
        product: the matrix.
        masked, closed, limit: as `dense_top`.

    Returns:
        As `dense_top`.
    """
    compiled = _compiled()
    if compiled is None:
        lists = []
        for row, (items, sums) in enumerate(_product_rows(rows, product)):
            is_open = ~np.isin(items, np.concatenate([closed, masked.rows(row, row + 1).values]))
            lists.append(_top(sums[is_open], items[is_open], limit))
        return _ragged(lists)
    room, best = list_room(len(rows), min(limit, product.width))
    hidden = (masked.offsets, masked.values)
    counts = compiled.product_top(*_parts(rows, product), closed, hidden, room.shape[1], room, best)
    return Ragged.of_lists(room, best, counts)


def product_pairs(rows: Ragged, product: Product, asked: Ragged) -> Doubles:
    """Given entries of rows × product.

    Args:
        rows, product: as `product_top`.
        asked: for each row the items to score.

    Returns:
        A score at 9 decimals per value of `asked`, in its order; NaN where no entry of the row adds to the item.
    """
    scores = np.full(len(asked.values), np.nan)
    compiled = _compiled()
    if compiled is not None:
        compiled.product_pairs(*_parts(rows, product), (asked.offsets, asked.values), scores)
        return scores
    for row, (items, sums) in enumerate(_product_rows(rows, product)):
        start, stop = asked.offsets[row : row + 2]
        place = np.minimum(np.searchsorted(items, asked.values[start:stop]), max(0, len(items) - 1))
        if len(items):
            is_there = items[place] == asked.values[start:stop]
            scores[start:stop] = np.where(is_there, rounded(sums[place]), np.nan)
    return scores


def best_of(scores: Doubles, order: Ints, limit: int) -> Ints:
    """Places of the best finite scores, best first, equal ones by rising `order`.

    Args:
        scores: at 9 decimals.
        order: what breaks ties, one each.
        limit: how many, ≥ 1.
    """
    found = np.flatnonzero(np.isfinite(scores))
    if limit < len(found):
        bar = np.partition(scores[found], len(found) - limit)[len(found) - limit]
        found = found[scores[found] >= bar]
    return found[np.lexsort((order[found], -scores[found]))][:limit]


@cache
def _compiled() -> ModuleType | None:
    if not HAS_NUMBA:
        return None
    from personalake.recommend import block_numba

    return block_numba


def _parts(rows: Ragged, product: Product) -> tuple[object, ...]:
    matrix = (product.indptr, product.indices, product.values)
    return (rows.offsets, rows.values, rows.weights), matrix, product.width


def _top(scores: Doubles, items: Ints, limit: int) -> tuple[Ints, Doubles]:
    exact = rounded(scores)
    best = best_of(exact, items, limit)
    return items[best], exact[best]


def _ragged(lists: list[tuple[Ints, Doubles]]) -> Ragged:
    offsets = np.cumsum([0, *(len(items) for items, _ in lists)])
    items = np.concatenate([np.empty(0, np.int64), *(items for items, _ in lists)])
    return Ragged(offsets, items, np.concatenate([np.empty(0), *(scores for _, scores in lists)]))


def _product_rows(rows: Ragged, product: Product) -> Iterator[tuple[Ints, Doubles]]:
    """Each row's items, rising, and their sums, added up in the order of the row's entries as compiled code does."""
    weights = np.empty(0) if rows.weights is None else rows.weights
    for row in range(len(rows)):
        entries = range(rows.offsets[row], rows.offsets[row + 1])
        spans = [slice(product.indptr[rows.values[e]], product.indptr[rows.values[e] + 1]) for e in entries]
        items = np.concatenate([np.empty(0, np.int64), *(product.indices[span] for span in spans)])
        parts = [weights[e] * product.values[span] for e, span in zip(entries, spans, strict=True)]
        touched, place = np.unique(items, return_inverse=True)
        sums = np.bincount(place, np.concatenate([np.empty(0), *parts]), len(touched))
        yield touched.astype(np.int64), np.asarray(sums, np.float64)
