"""The rows of a matrix as a product reads them: item and value of an entry in one word where they fit.

A product waits for memory, not for arithmetic: rows of persons are met in no order. Most matrices hold few distinct
values (counts, ratings, their logarithms), so that an entry can be the item's number with the place of its value in a
table above it: 4 bytes in place of 12.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from personalake.recommend.product.compiled import compiled, prefetch

Array = npt.NDArray[Any]
# Starts, words (uint32), values, and how many bits of a word are the item. Below 32 the bits above are the place in
# values; at 32 values has one number an entry.
Rows = tuple[Array, Array, Array, int]
WORD_BITS = 32
# A table of so many values stays in the cache nearest to the core.
_MOST_VALUES = 1 << 12
_SAMPLE = 1 << 16
# How far ahead rows are asked for, and how much of each [entries of 4 and of 8 bytes to a cache line].
_STARTS_AHEAD = 12
_ROWS_AHEAD = 4
_WORDS_A_LINE = 16
_VALUES_A_LINE = 8


def rows_of(starts: Array, items: Array, values: Array, item_count: int) -> Rows:
    """Rows in words, packed where the values allow it.

    Args:
        starts: row r holds the entries starts[r] … starts[r + 1].
        items: item number of each entry, ≥ 0.
        values: of each entry.
        item_count: how many items there are.
    """
    bits = max(1, int(item_count - 1).bit_length())
    if len(np.unique(values[:_SAMPLE])) > _MOST_VALUES:
        return plain_rows(starts, items, values)
    encoded = pa.array(values).dictionary_encode()
    if len(encoded.dictionary) > min(_MOST_VALUES, 1 << (WORD_BITS - bits)):
        return plain_rows(starts, items, values)
    codes = encoded.indices.to_numpy().astype(np.uint32)
    codes <<= np.uint32(bits)
    codes |= items.astype(np.uint32, copy=False)
    return starts, codes, encoded.dictionary.to_numpy(), bits


def plain_rows(starts: Array, items: Array, values: Array) -> Rows:
    """Rows whose values stand beside the items."""
    return starts, items.astype(np.int32, copy=False).view(np.uint32), values, WORD_BITS


def items_and_values(rows: Rows, entries: Array) -> tuple[Array, Array]:
    """Item numbers and values of some entries."""
    _, words, values, bits = rows
    found = words[entries]
    if bits == WORD_BITS:
        return found.view(np.int32), values[entries]
    return (found & np.uint32((1 << bits) - 1)).view(np.int32), values[found >> np.uint32(bits)]


@compiled
def ask_ahead(persons: Array, at: int, end: int, rows: Rows) -> None:
    """Tell the processor which rows come next: those of the persons after place `at`, before place `end`."""
    starts, words, values, bits = rows
    if at + _STARTS_AHEAD < end:
        prefetch(starts, persons[at + _STARTS_AHEAD])
    if at + _ROWS_AHEAD < end:
        start = starts[persons[at + _ROWS_AHEAD]]
        for line in range(3):
            prefetch(words, start + line * _WORDS_A_LINE)
            if bits == WORD_BITS:
                prefetch(values, start + line * _VALUES_A_LINE)
