"""Rows of the sparse product XᵀX, each cut to its k best before the next is begun: no pair is ever written down."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from personalake.recommend.product.compiled import compiled, compiled_unordered
from personalake.recommend.product.heap import Heap, drain, new_heap, push

Array = npt.NDArray[Any]
# Starts, columns, values: row r holds the entries starts[r] … starts[r + 1].
Csr = tuple[Array, Array, Array]
SCALE = 1e9
_BLOCK = 64
# A row that touches less than this share of all items is gathered from a list, any other scanned.
_SPARSE = 8


@compiled
def cosine_rows(
    wanted: Array, by_item: Csr, by_person: Csr, norms: Array, orders: Array, shrink: float, out: tuple[Array, ...]
) -> None:
    """The nearest items of each wanted item by Σ x·y / (‖x‖ ‖y‖ + shrink).

    Args:
        wanted: numbers of the items asked for.
        by_item: the matrix item × person; values > 0.
        by_person: the same transposed.
        norms: ‖x‖ of each item.
        orders: place of each item in the order of ids: what breaks ties.
        shrink: added to the product of norms, ≥ 0.
        out: written: found item numbers and similarities (wanted × k, best first), and how many there are (wanted).
    """
    found, scores, counts = out
    padded = (norms.size + _BLOCK - 1) // _BLOCK * _BLOCK
    sums, inverse = np.zeros(padded), np.zeros(padded)
    inverse[: norms.size] = 1.0 / norms
    touched = np.empty(norms.size + 1, np.int32)
    heap = new_heap(found.shape[1])
    for place in range(wanted.size):
        item = wanted[place]
        if _work(item, by_item, by_person) * _SPARSE < norms.size:
            seen = _gather(item, by_item, by_person, sums, touched)
            filled = _keep_touched(item, touched[:seen], sums, inverse, norms, orders, shrink, heap)
        else:
            _add(item, by_item, by_person, sums)
            filled = _keep_scanned(item, sums, inverse, norms, orders, shrink, heap)
            sums[:] = 0.0
        counts[place] = filled
        drain(heap, filled, found[place], scores[place])


@compiled
def _work(item: int, by_item: Csr, by_person: Csr) -> int:
    """How many products the row of an item takes."""
    work = 0
    for at in range(by_item[0][item], by_item[0][item + 1]):
        person = by_item[1][at]
        work += by_person[0][person + 1] - by_person[0][person]
    return work


@compiled
def _add(item: int, by_item: Csr, by_person: Csr, sums: Array) -> None:
    item_starts, persons, weights = by_item
    starts, items, values = by_person
    for at in range(item_starts[item], item_starts[item + 1]):
        person, weight = persons[at], weights[at]
        for entry in range(starts[person], starts[person + 1]):
            sums[items[entry]] += weight * values[entry]


@compiled
def _gather(item: int, by_item: Csr, by_person: Csr, sums: Array, touched: Array) -> int:
    item_starts, persons, weights = by_item
    starts, items, values = by_person
    seen = 0
    for at in range(item_starts[item], item_starts[item + 1]):
        person, weight = persons[at], weights[at]
        for entry in range(starts[person], starts[person + 1]):
            other = items[entry]
            before = sums[other]
            touched[seen] = other
            seen += before == 0
            sums[other] = before + weight * values[entry]
    return seen


@compiled
def _keep_touched(
    item: int, touched: Array, sums: Array, inverse: Array, norms: Array, orders: Array, shrink: float, heap: Heap
) -> int:
    filled, least = 0, 0.0
    for other in touched:
        total = sums[other]
        sums[other] = 0.0
        if other != item and total * inverse[other] >= least:
            filled = _offer(item, other, total, norms, orders, shrink, heap, filled)
            least = _least(heap, filled, norms[item])
    return filled


@compiled
def _keep_scanned(
    item: int, sums: Array, inverse: Array, norms: Array, orders: Array, shrink: float, heap: Heap
) -> int:
    filled, least = 0, 0.0
    sums[item] = 0.0
    for begin in range(0, sums.size, _BLOCK):
        highest = _highest(sums[begin : begin + _BLOCK], inverse[begin : begin + _BLOCK])
        if highest == 0.0 or highest < least:
            continue
        for other in range(begin, begin + _BLOCK):
            if sums[other] > 0.0 and sums[other] * inverse[other] >= least:
                filled = _offer(item, other, sums[other], norms, orders, shrink, heap, filled)
                least = _least(heap, filled, norms[item])
    return filled


@compiled_unordered
def _highest(sums: Array, inverse: Array) -> float:
    highest = 0.0
    for place in range(_BLOCK):
        highest = max(highest, sums[place] * inverse[place])
    return highest


@compiled
def _offer(
    item: int, other: int, total: float, norms: Array, orders: Array, shrink: float, heap: Heap, filled: int
) -> int:
    score = np.rint(total / (norms[item] * norms[other] + shrink) * SCALE) / SCALE
    if score > 0.0:
        return push(heap, filled, score, orders[other], other)
    return filled


@compiled
def _least(heap: Heap, filled: int, norm: float) -> float:
    """From which sum / ‖y‖ on a pair can still be kept: what the last kept one has, less the rounding."""
    if filled < heap[0].size:
        return 0.0
    least: float = (heap[0][0] - 2.0 / SCALE) * norm
    return least
