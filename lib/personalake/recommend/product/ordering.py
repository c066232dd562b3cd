"""Entries brought into the order of persons and items, in two passes and without a comparison."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from personalake.recommend.product.compiled import HAS_NUMBA, compiled

Array = npt.NDArray[Any]


def ordered_by_person(
    persons: Array, items: Array, values: Array, shape: tuple[int, int], is_compiled: bool = HAS_NUMBA
) -> sp.csr_matrix:
    """The matrix person × item of entries in any order; items ascend in each row, values of a repeated pair are added.

    Args:
        persons, items: numbers of each entry, ≥ 0.
        values: of each entry.
        shape: count of persons, of items.
        is_compiled: False takes scipy; the matrix is the same.
    """
    if not is_compiled:
        # Transposing walks the rows in order, so that each person's items come out ascending.
        return sp.coo_matrix((values, (items, persons)), shape=shape[::-1]).tocsr().T.tocsr()
    starts, item_starts = _starts(persons, shape[0]), _starts(items, shape[1])
    by_item = np.empty(len(items), np.int32), np.empty_like(values)
    _dealt_by_item(persons, items, values, item_starts[:-1].copy(), by_item)
    by_person = np.empty(len(items), np.int32), np.empty_like(values)
    _dealt_by_person(item_starts, by_item, starts[:-1].copy(), by_person)
    matrix = sp.csr_matrix((by_person[1], by_person[0], starts), shape=shape)
    matrix.sum_duplicates()
    return matrix


def _starts(rows: Array, count: int) -> Array:
    return np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=count), dtype=np.int64)])


@compiled
def _dealt_by_item(persons: Array, items: Array, values: Array, places: Array, out: tuple[Array, Array]) -> None:
    for entry in range(items.size):
        at = places[items[entry]]
        places[items[entry]] = at + 1
        out[0][at], out[1][at] = persons[entry], values[entry]


@compiled
def _dealt_by_person(item_starts: Array, by_item: tuple[Array, Array], places: Array, out: tuple[Array, Array]) -> None:
    persons, values = by_item
    for item in range(item_starts.size - 1):
        for entry in range(item_starts[item], item_starts[item + 1]):
            at = places[persons[entry]]
            places[persons[entry]] = at + 1
            out[0][at], out[1][at] = item, values[entry]
