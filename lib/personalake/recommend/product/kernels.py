"""Rows of the sparse product XᵀX, each cut to its k best before the next is begun: no pair is ever written down."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from personalake.recommend.product.compiled import compiled, compiled_unordered
from personalake.recommend.product.heap import Heap, drain, new_heap, push
from personalake.recommend.product.words import WORD_BITS, Rows, ask_ahead

Array = npt.NDArray[Any]
# Starts, columns, values: row r holds the entries starts[r] … starts[r + 1].
Csr = tuple[Array, Array, Array]
SCALE = 1e9
_BLOCK = 32
# Similarities are ranked at 9 decimals: what is below another by less may still be ranked beside it.
_MARGIN = 2.0 / SCALE
# A row that touches less than this share of all items is gathered from a list, any other scanned.
_SPARSE = 4


@compiled
def cosine_rows(
    wanted: Array, by_item: Csr, by_person: Rows, norms: Array, orders: Array, shrink: float, out: tuple[Array, ...]
) -> None:
    """The nearest items of each wanted item by Σ x·y / (‖x‖ ‖y‖ + shrink).

    Args:
        wanted: numbers of the items asked for.
        by_item: the matrix item × person; values > 0.
        by_person: the same transposed, in words.
        norms: ‖x‖ of each item.
        orders: place of each item in the order of ids: what breaks ties.
        shrink: added to the product of norms, ≥ 0.
        out: written: found item numbers and similarities (wanted × k, best first), and how many there are (wanted).
    """
    found, scores, counts = out
    padded = (norms.size + _BLOCK) // _BLOCK * _BLOCK
    sums, inverse, numbers = np.zeros(padded), np.zeros(padded), np.arange(padded).astype(np.int32)
    touched, totals, inverses = np.empty(padded, np.int32), np.empty(padded), np.empty(padded)
    least, most, low, high = np.empty((4, padded // _BLOCK))
    heap = new_heap(found.shape[1])
    inverse[: norms.size] = 1.0 / norms
    _reach(inverse, least, most)
    for place in range(wanted.size):
        item = wanted[place]
        unit = norms[item]
        if shrink > 0.0:
            unit = 1.0
            inverse[: norms.size] = 1.0 / (norms[item] * norms + shrink)
            _reach(inverse, least, most)
        rule = (norms, orders, shrink, unit)
        if _work(item, by_item, by_person) * _SPARSE < norms.size:
            seen = _gather(item, by_item, by_person, sums, touched)
            sums[item] = 0.0
            blocks = _compact(touched[:seen], sums, inverse, totals, inverses)
            _bounds(totals, inverses, low[:blocks], high[:blocks])
            filled = _keep(item, totals, inverses, touched, rule, low[:blocks], high[:blocks], heap)
        else:
            _add(item, by_item, by_person, sums)
            sums[item] = 0.0
            _sorted_bounds(sums, least, most, low, high)
            filled = _keep(item, sums, inverse, numbers, rule, low, high, heap)
            sums[:] = 0.0
        counts[place] = filled
        drain(heap, filled, found[place], scores[place])


@compiled
def _work(item: int, by_item: Csr, by_person: Rows) -> int:
    """How many products the row of an item takes."""
    work = 0
    for at in range(by_item[0][item], by_item[0][item + 1]):
        person = by_item[1][at]
        work += by_person[0][person + 1] - by_person[0][person]
    return work


@compiled
def _add(item: int, by_item: Csr, by_person: Rows, sums: Array) -> None:
    item_starts, persons, weights = by_item
    starts, words, values, bits = by_person
    mask, shift, end = np.uint32((1 << bits) - 1), np.uint32(bits), item_starts[item + 1]
    for at in range(item_starts[item], end):
        ask_ahead(persons, at, end, by_person)
        person, weight = persons[at], weights[at]
        if bits == WORD_BITS:
            for entry in range(starts[person], starts[person + 1]):
                sums[words[entry]] += weight * values[entry]
        else:
            for entry in range(starts[person], starts[person + 1]):
                word = words[entry]
                sums[word & mask] += weight * values[word >> shift]


@compiled
def _gather(item: int, by_item: Csr, by_person: Rows, sums: Array, touched: Array) -> int:
    item_starts, persons, weights = by_item
    starts, words, values, bits = by_person
    mask, shift, end = np.uint32((1 << bits) - 1), np.uint32(bits), item_starts[item + 1]
    seen = 0
    for at in range(item_starts[item], end):
        ask_ahead(persons, at, end, by_person)
        person, weight = persons[at], weights[at]
        for entry in range(starts[person], starts[person + 1]):
            word = words[entry]
            other = word & mask
            before = sums[other]
            touched[seen] = other
            seen += before == 0
            sums[other] = before + weight * (values[entry] if bits == WORD_BITS else values[word >> shift])
    return seen


@compiled
def _compact(touched: Array, sums: Array, inverse: Array, totals: Array, inverses: Array) -> int:
    """Move what was touched side by side, up to a full block, and leave the sums empty; gives the count of blocks."""
    for place in range(touched.size):
        other = touched[place]
        totals[place], inverses[place] = sums[other], inverse[other]
        sums[other] = 0.0
    blocks = (touched.size + _BLOCK - 1) // _BLOCK
    totals[touched.size : blocks * _BLOCK] = 0.0
    return blocks


@compiled
def _reach(inverse: Array, least: Array, most: Array) -> None:
    """The least and the most of each block; beyond the last item stand zeros, which are no item's."""
    for block in range(least.size):
        least[block], most[block] = np.inf, 0.0
        for place in range(block * _BLOCK, (block + 1) * _BLOCK):
            most[block] = max(most[block], inverse[place])
            if inverse[place] > 0.0:
                least[block] = min(least[block], inverse[place])
        least[block] = min(least[block], most[block])


@compiled_unordered
def _bounds(totals: Array, inverses: Array, low: Array, high: Array) -> None:
    """What the best of each block comes to."""
    for block in range(low.size):
        best = 0.0
        for place in range(block * _BLOCK, (block + 1) * _BLOCK):
            best = max(best, totals[place] * inverses[place])
        low[block] = high[block] = best


@compiled_unordered
def _sorted_bounds(sums: Array, least: Array, most: Array, low: Array, high: Array) -> None:
    """What the best of each block comes to at least and at most.

    Items lie by falling count, so that a block's norms are nearly equal, and reading the sums alone tells enough.
    """
    for block in range(low.size):
        best = 0.0
        for place in range(block * _BLOCK, (block + 1) * _BLOCK):
            best = max(best, sums[place])
        low[block], high[block] = best * least[block], best * most[block]


@compiled
def _keep(
    item: int,
    totals: Array,
    inverses: Array,
    numbers: Array,
    rule: tuple[Array, Array, float, float],
    low: Array,
    high: Array,
    heap: Heap,
) -> int:
    """Offer the heap what can be among the k best.

    The k-th of the blocks' lower bounds is reached by no fewer than k entries, each of another block: a block that
    cannot reach it is out before an entry of it is looked at.
    """
    norms, orders, shrink, unit = rule
    filled, size, enough = 0, heap[0].size, 0.0
    if low.size > size:
        enough = np.partition(low, low.size - size)[low.size - size] - _MARGIN * unit
    for block in range(high.size):
        if high[block] == 0.0 or high[block] < enough:
            continue
        for place in range(block * _BLOCK, (block + 1) * _BLOCK):
            if totals[place] > 0.0 and totals[place] * inverses[place] >= enough:
                other = numbers[place]
                score = np.rint(totals[place] / (norms[item] * norms[other] + shrink) * SCALE) / SCALE
                if score > 0.0:
                    filled = push(heap, filled, score, orders[other], other)
                if filled == size:
                    enough = max(enough, (heap[0][0] - _MARGIN) * unit)
    return filled
