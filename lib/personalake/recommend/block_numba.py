"""Compiled loops of blocked scoring. Imported where numba is; `block_kernels` has the same in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

from personalake.recommend.block_kernels import SCALE
from personalake.recommend.product.compiled import compiled

# Scores are scanned by stretches, so that a stretch without a candidate costs one vectorised comparison per score.
STRETCH = 64


@compiled
def dense_top(scores: Any, closed: Any, masked: Any, limit: int, items: Any, best: Any) -> Any:
    """The best items of each row of a dense block; see `block_kernels.dense_top`. Overwrites what is masked."""
    offsets, hidden = masked
    rows, width = scores.shape
    counts = np.zeros(rows, np.int64)
    for row in range(rows):
        line = scores[row]
        for place in range(closed.size):
            line[closed[place]] = -np.inf
        for place in range(offsets[row], offsets[row + 1]):
            line[hidden[place]] = -np.inf
        size = 0
        bar = -np.inf
        for start in range(0, width, STRETCH):
            stop = min(start + STRETCH, width)
            hits = 0
            for item in range(start, stop):
                hits += line[item] * SCALE > bar
            if hits == 0:
                continue
            for item in range(start, stop):
                value = np.rint(line[item] * SCALE)
                if value > bar and value < np.inf:
                    size = push(best[row], items[row], size, limit, value, item)
                    if size == limit:
                        bar = best[row, 0]
        settle(best[row], items[row], size)
        counts[row] = size
    return counts


@compiled
def product_top(
    rows: Any, product: Any, width: int, closed: Any, masked: Any, limit: int, items: Any, best: Any
) -> Any:
    """The best items of each row of rows × product; see `block_kernels.product_top`."""
    offsets, hidden = masked
    count = rows[0].size - 1
    counts = np.zeros(count, np.int64)
    sums, touched, marks = np.zeros(width), np.empty(width, np.int64), np.full(width, -1, np.int64)
    is_closed = np.zeros(width, np.bool_)
    for place in range(closed.size):
        is_closed[closed[place]] = True
    for row in range(count):
        found = _accumulate(row, rows, product, sums, touched, marks)
        for place in range(offsets[row], offsets[row + 1]):
            marks[hidden[place]] = -1
        size = 0
        for place in range(found):
            item = touched[place]
            value = np.rint(sums[item] * SCALE)
            sums[item] = 0.0
            if marks[item] != row or is_closed[item] or not (-np.inf < value < np.inf):
                continue
            if size < limit or value > best[row, 0] or (value == best[row, 0] and item < items[row, 0]):
                size = push(best[row], items[row], size, limit, value, item)
        settle(best[row], items[row], size)
        counts[row] = size
    return counts


@compiled
def product_pairs(rows: Any, product: Any, width: int, asked: Any, scores: Any) -> None:
    """The asked entries of rows × product, NaN where nothing was added; see `block_kernels.product_pairs`."""
    offsets, items = asked
    sums, touched, marks = np.zeros(width), np.empty(width, np.int64), np.full(width, -1, np.int64)
    for row in range(rows[0].size - 1):
        if offsets[row] == offsets[row + 1]:
            continue
        found = _accumulate(row, rows, product, sums, touched, marks)
        for place in range(offsets[row], offsets[row + 1]):
            item = items[place]
            scores[place] = np.rint(sums[item] * SCALE) / SCALE if marks[item] == row else np.nan
        for place in range(found):
            sums[touched[place]] = 0.0


@compiled
def _accumulate(row: int, rows: Any, product: Any, sums: Any, touched: Any, marks: Any) -> int:
    """Add up one row of the product in `sums`; returns how many items were touched: those `marks` has the row for."""
    row_offsets, row_items, row_weights = rows
    indptr, indices, values = product
    found = 0
    for entry in range(row_offsets[row], row_offsets[row + 1]):
        weight = row_weights[entry]
        for place in range(indptr[row_items[entry]], indptr[row_items[entry] + 1]):
            item = indices[place]
            if marks[item] != row:
                marks[item] = row
                touched[found] = item
                found += 1
            sums[item] += weight * values[place]
    return found


@compiled
def _is_worse(value: float, item: int, other_value: float, other_item: int) -> bool:
    return value < other_value or (value == other_value and item > other_item)


@compiled
def push(best: Any, items: Any, size: int, limit: int, value: float, item: int) -> int:
    """Into a heap whose root is its worst entry; a full heap gives its root up."""
    if size < limit:
        place = size
        while place > 0:
            above = (place - 1) // 2
            if not _is_worse(value, item, best[above], items[above]):
                break
            best[place], items[place] = best[above], items[above]
            place = above
        best[place], items[place] = value, item
        return size + 1
    _sink(best, items, size, value, item)
    return size


@compiled
def _sink(best: Any, items: Any, size: int, value: float, item: int) -> None:
    """Put an entry at the root and let it sink."""
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        right = below + 1
        if right < size and _is_worse(best[right], items[right], best[below], items[below]):
            below = right
        if not _is_worse(best[below], items[below], value, item):
            break
        best[place], items[place] = best[below], items[below]
        place = below
    best[place], items[place] = value, item


@compiled
def settle(best: Any, items: Any, size: int) -> None:
    """Turn the heap into a list, best first, and its scores back to their scale."""
    for last in range(size - 1, 0, -1):
        value, item = best[last], items[last]
        best[last], items[last] = best[0], items[0]
        _sink(best, items, last, value, item)
    for place in range(size):
        best[place] = best[place] / SCALE
