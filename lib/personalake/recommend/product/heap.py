"""The k best of a stream, in compiled code: a heap whose root is the last of those kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from personalake.recommend.product.compiled import compiled

Array = npt.NDArray[Any]
Heap = tuple[Array, Array, Array]


@compiled
def new_heap(size: int) -> Heap:
    """Scores, places in the order of ids, and row numbers of at most `size` entries."""
    return np.empty(size), np.empty(size, np.int32), np.empty(size, np.int32)


@compiled
def is_before(score: float, order: int, other_score: float, other_order: int) -> bool:
    """Whether an entry ranks before another: by falling score, then by the order of ids."""
    return score > other_score or (score == other_score and order < other_order)


@compiled
def push(heap: Heap, filled: int, score: float, order: int, row: int) -> int:
    """Offer an entry; gives how many are kept afterwards."""
    scores, orders, _ = heap
    if filled < scores.size:
        _rise(heap, filled, score, order, row)
        return filled + 1
    if is_before(score, order, scores[0], orders[0]):
        _sink(heap, score, order, row)
    return filled


@compiled
def drain(heap: Heap, filled: int, rows_out: Array, scores_out: Array) -> None:
    """Write the entries, best first."""
    scores, orders, rows = heap
    by_order = np.argsort(orders[:filled])
    ranked = by_order[np.argsort(-scores[:filled][by_order], kind="mergesort")]
    for place in range(filled):
        rows_out[place] = rows[ranked[place]]
        scores_out[place] = scores[ranked[place]]


@compiled
def _rise(heap: Heap, place: int, score: float, order: int, row: int) -> None:
    scores, orders, rows = heap
    while place > 0:
        parent = (place - 1) >> 1
        if not is_before(scores[parent], orders[parent], score, order):
            break
        scores[place], orders[place], rows[place] = scores[parent], orders[parent], rows[parent]
        place = parent
    scores[place], orders[place], rows[place] = score, order, row


@compiled
def _sink(heap: Heap, score: float, order: int, row: int) -> None:
    scores, orders, rows = heap
    place, child = 0, 1
    while child < scores.size:
        other = child + 1
        if other < scores.size and is_before(scores[child], orders[child], scores[other], orders[other]):
            child = other
        if not is_before(score, order, scores[child], orders[child]):
            break
        scores[place], orders[place], rows[place] = scores[child], orders[child], rows[child]
        place, child = child, 2 * child + 1
    scores[place], orders[place], rows[place] = score, order, row
