"""The same rows for the measures that need more of a pair than Σxy: how many share it, or their moments."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from personalake.recommend.product.compiled import compiled
from personalake.recommend.product.heap import Heap, drain, new_heap, push
from personalake.recommend.product.kernels import SCALE, Csr
from personalake.recommend.product.measures import EUCLIDEAN, WITH_MOMENTS, similarities
from personalake.recommend.product.words import WORD_BITS, Rows, ask_ahead

Array = npt.NDArray[Any]


@compiled
def pair_rows(
    wanted: Array,
    by_item: Csr,
    by_person: Rows,
    of_items: tuple[Array, Array, Array, float],
    rule: tuple[int, int, float],
    out: tuple[Array, ...],
) -> None:
    """The nearest items of each wanted item by any measure.

    Args:
        wanted: numbers of the items asked for.
        by_item: the matrix item × person.
        by_person: the same transposed, in words.
        of_items: ‖x‖ of each item, its persons, its place in the order of ids, and the count of all persons.
        rule: code of the measure, persons who must share a pair (≥ 1), shrink (≥ 0).
        out: written: found item numbers and similarities (wanted × k, best first), and how many there are (wanted).
    """
    code, min_co_count, shrink = rule
    found, scores, kept = out
    norms, counts, orders, persons = of_items
    sums = np.zeros((norms.size, 6))
    touched = np.empty(norms.size, np.int32)
    heap = new_heap(found.shape[1])
    for place in range(wanted.size):
        item = wanted[place]
        seen = _gather(item, by_item, by_person, code, sums, touched)
        others = touched[:seen]
        values = similarities(
            code, sums[others], counts[item], norms[item], counts[others], norms[others], persons, shrink
        )
        filled = _keep(item, others, values, sums, orders, min_co_count, heap)
        kept[place] = filled
        drain(heap, filled, found[place], scores[place])
        for other in others:
            sums[other, :] = 0.0


@compiled
def _gather(item: int, by_item: Csr, by_person: Rows, code: int, sums: Array, touched: Array) -> int:
    item_starts, persons, weights = by_item
    starts, words, values, bits = by_person
    mask, shift, end = np.uint32((1 << bits) - 1), np.uint32(bits), item_starts[item + 1]
    moments, distance, seen = code in WITH_MOMENTS, code == EUCLIDEAN, 0
    for at in range(item_starts[item], end):
        ask_ahead(persons, at, end, by_person)
        person, mine = persons[at], weights[at]
        for entry in range(starts[person], starts[person + 1]):
            other = words[entry] & mask
            value = values[entry] if bits == WORD_BITS else values[words[entry] >> shift]
            if sums[other, 0] == 0.0:
                touched[seen] = other
                seen += 1
            sums[other, 0] += 1.0
            sums[other, 1] += (mine - value) * (mine - value) if distance else mine * value
            if moments:
                sums[other, 2] += mine
                sums[other, 3] += value
                sums[other, 4] += mine * mine
                sums[other, 5] += value * value
    return seen


@compiled
def _keep(item: int, others: Array, values: Array, sums: Array, orders: Array, min_co_count: int, heap: Heap) -> int:
    filled = 0
    for place in range(others.size):
        other = others[place]
        score = np.rint(values[place] * SCALE) / SCALE
        if other != item and score > 0.0 and sums[other, 0] >= min_co_count:
            filled = push(heap, filled, score, orders[other], other)
    return filled
