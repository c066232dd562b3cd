"""Compiled loop of lists by factors. Imported where numba is."""

from __future__ import annotations

from typing import Any

import numpy as np

from personalake.recommend.block_kernels import SCALE
from personalake.recommend.block_numba import STRETCH, push, settle
from personalake.recommend.product.compiled import compiled


@compiled
def screened_top(
    rough: Any, persons: Any, factors: Any, margins: Any, closed: Any, masked: Any, items: Any, best: Any
) -> Any:
    """The best items of each row of persons × factorsᵀ.

    Args:
        rough: the products in float32; what is masked is overwritten.
        persons, factors: what they are products of, in float64.
        margins: for each row by how much `rough` may be off at most.
        closed: items never to return to anyone.
        masked: for each row the items never to return: offsets and values.
        items, best: where the lists go, a row each: items and scores at 9 decimals, best first.

    Returns:
        The length of each list.
    """
    offsets, hidden = masked
    limit = best.shape[1]
    counts = np.zeros(rough.shape[0], np.int64)
    for row in range(rough.shape[0]):
        line = rough[row]
        for place in range(closed.size):
            line[closed[place]] = -np.inf
        for place in range(offsets[row], offsets[row + 1]):
            line[hidden[place]] = -np.inf
        # The list's last place by rough scores: nothing below it by twice the error can be on the list.
        floor = _last(line, limit, items[row], best[row]) - 2 * margins[row]
        counts[row] = _reckoned(line, np.float32(floor), persons[row], factors, limit, items[row], best[row])
        settle(best[row], items[row], counts[row])
    return counts


@compiled
def _last(line: Any, limit: int, items: Any, best: Any) -> float:
    """The limit-th best of rough scores; -inf where there are fewer."""
    size, bar = 0, np.float32(-np.inf)
    for start in range(0, line.size, STRETCH):
        stop = min(start + STRETCH, line.size)
        hits = 0
        for item in range(start, stop):
            hits += line[item] > bar
        if hits == 0:
            continue
        for item in range(start, stop):
            if line[item] > bar:
                size = push(best, items, size, limit, float(line[item]), item)
                if size == limit:
                    bar = np.float32(best[0])
    return float(bar) if size == limit else -np.inf


@compiled
def _reckoned(line: Any, floor: Any, person: Any, factors: Any, limit: int, items: Any, best: Any) -> int:
    """The best of the items whose rough score is at least the floor, by scores in float64."""
    size = 0
    for start in range(0, line.size, STRETCH):
        stop = min(start + STRETCH, line.size)
        hits = 0
        for item in range(start, stop):
            hits += line[item] >= floor
        if hits == 0:
            continue
        for item in range(start, stop):
            if line[item] < floor or line[item] == -np.inf:
                continue
            score = 0.0
            for f in range(person.size):
                score += person[f] * factors[item, f]
            value = np.rint(score * SCALE)
            if size < limit or value > best[0]:
                size = push(best, items, size, limit, value, item)
    return size
