"""The rows of one partition, gathered by person without a sort: what blocked scoring works on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from personalake.recommend.block_scorers import Block
from personalake.recommend.ragged import Doubles, Ints, Ragged

# What a row says of its person: it is asked for, it has this item in its history, it must not get it, it asks for its
# score, it has these factors.
WANTED, HISTORY, MASKED, ASKED, FACTORS = range(5)


@dataclass
class _Codes:
    """Values to numbers, batch by batch: only distinct values are kept."""

    batches: list[pa.Array] = field(default_factory=list)
    codes: list[Ints] = field(default_factory=list)
    size: int = 0

    def add(self, values: pa.Array) -> None:
        encoded = pc.dictionary_encode(values)
        codes = pc.fill_null(encoded.indices, -self.size - 1).to_numpy(zero_copy_only=False)
        self.codes.append(codes.astype(np.int64) + self.size)
        self.batches.append(encoded.dictionary)
        self.size += len(encoded.dictionary)

    def distinct(self) -> tuple[pa.Array, Ints]:
        """The distinct values, and the number of each value added; -1 for a null."""
        if not self.batches:
            return pa.array([]), np.empty(0, np.int64)
        encoded = pc.dictionary_encode(pa.concat_arrays(self.batches))
        merged: Ints = np.append(encoded.indices.to_numpy(), -1).astype(np.int64)
        return encoded.dictionary, merged[np.concatenate(self.codes)]


@dataclass(frozen=True)
class Reading:
    """How the rows of a partition are meant: by factors or by histories, what is masked, who is wanted."""

    by_factors: bool
    mask_histories: bool
    everyone: bool = False


@dataclass(frozen=True)
class PersonRows:
    """The persons of a partition, side by side; items by their index."""

    persons: pa.Array
    block: Block
    masked: Ragged
    asked: Ragged

    def __len__(self) -> int:
        return len(self.persons)


@dataclass(frozen=True)
class _Rows:
    person: Ints
    item: Ints
    role: npt.NDArray[np.int8]
    weight: Doubles
    shape: tuple[int, int]

    def matrix(self, *roles: int) -> sparse.csr_array:
        """Persons × items of the rows of these roles; equal pairs are summed."""
        kept = np.flatnonzero(np.isin(self.role, roles) & (self.item >= 0) & (self.person >= 0))
        entries = sparse.coo_array((self.weight[kept], (self.person[kept], self.item[kept])), shape=self.shape)
        rows: sparse.csr_array = entries.tocsr()
        rows.sort_indices()  # sums are added up in one order, however the rows arrived
        return rows

    def persons(self, role: int) -> Ints:
        """Who has rows of this role, in the order of the rows."""
        return np.asarray(self.person[(self.role == role) & (self.person >= 0)])


def gathered(batches: Iterator[pa.RecordBatch], item_ids: pa.Array, reading: Reading) -> PersonRows:
    """Read a partition to its end and put each person's rows together.

    Args:
        batches: person_id, role (WANTED …), item_id, weight, and factors (float64 as bytes) where persons have them.
        item_ids: what numbers the items; rows with another id are left out.
        reading: how the rows are meant.

    Returns:
        The wanted persons of whom something is known. Memory: some 40 bytes per row.
    """
    persons, items = _Codes(), _Codes()
    roles, weights = [np.empty(0, np.int8)], [np.empty(0)]
    factors: list[Doubles] = []
    for batch in batches:
        persons.add(batch["person_id"])
        items.add(_like(batch["item_id"], item_ids))
        roles.append(batch["role"].to_numpy())
        weights.append(pc.fill_null(batch["weight"], 0.0).to_numpy(zero_copy_only=False))
        if reading.by_factors and len(packed := batch["factors"].drop_null()):
            factors.append(np.frombuffer(b"".join(packed.to_pylist())).reshape(len(packed), -1))
    names, person = persons.distinct()
    found, code = items.distinct()
    index = np.append(indexes_of(found, item_ids), -1)
    shape = (len(names), len(item_ids))
    rows = _Rows(person, index[code], np.concatenate(roles), np.concatenate(weights), shape)
    return _chosen(names, rows, np.concatenate(factors) if factors else None, reading)


def indexes_of(ids: pa.Array, item_ids: pa.Array) -> Ints:
    """Where ids stand among the item ids; -1 for those that do not."""
    places = pc.index_in(_like(ids, item_ids), value_set=item_ids)
    indexes: Ints = np.array(pc.fill_null(places, -1), dtype=np.int64)
    return indexes


def _chosen(names: pa.Array, rows: _Rows, factors: Doubles | None, reading: Reading) -> PersonRows:
    histories = rows.matrix(HISTORY)
    place = np.full(len(names), -1)
    if reading.by_factors:
        owners = rows.persons(FACTORS)
        place[owners] = np.arange(len(owners))
    else:
        place[np.diff(histories.indptr) > 0] = 0
    wanted = np.full(len(names), reading.everyone)
    wanted[rows.persons(WANTED)] = True
    chosen = np.flatnonzero(wanted & (place >= 0))
    own = None if factors is None else factors[place[chosen]]
    masked = rows.matrix(MASKED, HISTORY) if reading.mask_histories else rows.matrix(MASKED)
    lists = [_ragged(part[chosen]) for part in (histories, masked, rows.matrix(ASKED))]
    return PersonRows(names.take(pa.array(chosen)), Block(lists[0], own), *lists[1:])


def _ragged(matrix: sparse.csr_array) -> Ragged:
    return Ragged(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int64), matrix.data)


def _like(values: pa.Array, item_ids: pa.Array) -> pa.Array:
    return values if values.type == item_ids.type else values.cast(item_ids.type)
