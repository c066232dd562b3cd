"""The person × item matrix on one machine: dense numbers for ids, and both orders of its entries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp

from personalake.recommend.product.ordering import ordered_by_person

Array = npt.NDArray[Any]
# What an entry takes while the matrix is built [bytes]: as it arrives (two numbers and a weight), then in both orders.
ENTRY_BYTES = 16 + 2 * (4 + 8)


@dataclass(frozen=True)
class Matrix:
    """Who took what, by how much.

    Items are numbered by falling count of persons, so that the sums most often added to lie side by side; persons in
    the order of their ids. `ids` and `orders` are by item number: the id, and its place in the order of ids;
    `person_ids` by person number.
    """

    by_person: sp.csr_matrix
    ids: pa.Array
    orders: Array
    repeated: int
    person_ids: pa.Array

    @property
    def by_item(self) -> sp.csr_matrix:
        """The matrix item × person, persons ascending in each row."""
        return self.by_person.T.tocsr()

    @property
    def pair_count(self) -> int:
        """Σ over persons of (items)²: the products that the full XᵀX takes."""
        return int((np.diff(self.by_person.indptr).astype(np.int64) ** 2).sum())


@dataclass(frozen=True)
class Numbers:
    """Numbers for the ids of entries, in the order of the ids: of each entry, and the ids themselves."""

    persons: Array
    person_ids: pa.Array
    items: Array
    item_ids: pa.Array


def numbers_of(persons: pa.ChunkedArray, items: pa.ChunkedArray) -> Numbers:
    """Number the ids of entries; integer or string, dictionary-encoded or not, no nulls."""
    with ThreadPoolExecutor(2) as both:  # numpy and Arrow let go of the interpreter while they look up and sort
        (person_numbers, person_ids), (item_numbers, item_ids) = both.map(_numbered, (persons, items))
    return Numbers(person_numbers, person_ids, item_numbers, item_ids)


def matrix_of(persons: pa.ChunkedArray, items: pa.ChunkedArray, weights: Array) -> Matrix:
    """Number the ids and order the entries.

    Args:
        persons, items: as `numbers_of`.
        weights: of each entry, float64.

    Returns:
        The matrix; entries of a repeated pair are added up, and `repeated` says how many rows were too many.
    """
    return matrix_in_order(numbers_of(persons, items), weights)


def matrix_in_order(numbers: Numbers, weights: Array) -> Matrix:
    """The same of numbers: what they were made from need not be held any more."""
    counts = np.bincount(numbers.items, minlength=len(numbers.item_ids))
    by_count = np.lexsort((np.arange(len(counts)), -counts)).astype(np.int32)
    new_numbers = np.empty_like(by_count)
    new_numbers[by_count] = np.arange(len(by_count), dtype=np.int32)
    shape = (len(numbers.person_ids), len(counts))
    by_person = ordered_by_person(numbers.persons, new_numbers[numbers.items], weights, shape)
    ids = numbers.item_ids.take(pa.array(by_count))
    return Matrix(by_person, ids, by_count, len(weights) - by_person.nnz, numbers.person_ids)


def renamed(matrix: Matrix, ids: pa.Array) -> Matrix:
    """The same matrix with other ids; by item number."""
    order = pc.sort_indices(ids).to_numpy()
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    return replace(matrix, ids=ids, orders=places)


def _numbered(ids: pa.ChunkedArray) -> tuple[Array, pa.Array]:
    """Numbers in the order of the ids, and the ids in that order."""
    if pa.types.is_integer(ids.type):
        dense = _dense(ids.to_numpy())
        if dense is not None:
            return dense[0], pa.array(dense[1], ids.type)
    encoded = ids if pa.types.is_dictionary(ids.type) else ids.dictionary_encode()
    dictionary = _whole(encoded.unify_dictionaries())
    order = pc.sort_indices(dictionary.dictionary)
    place = np.empty(len(order), np.int32)
    place[order.to_numpy()] = np.arange(len(order), dtype=np.int32)
    numbers = dictionary.indices.to_numpy(zero_copy_only=False)
    return place[numbers], dictionary.dictionary.take(order)


def _whole(ids: pa.ChunkedArray) -> pa.Array:
    joined = ids.combine_chunks()
    return joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)


def _dense(values: Array) -> tuple[Array, Array] | None:
    """The same for small integers, by one table look-up; None where they reach too far for a table."""
    if len(values) == 0 or values.min() < 0 or values.max() >= 4 * len(values):
        return None
    present = np.zeros(int(values.max()) + 1, np.bool_)
    present[values] = True
    places = (np.cumsum(present, dtype=np.int64) - 1).astype(np.int32)
    return places[values], np.flatnonzero(present)
