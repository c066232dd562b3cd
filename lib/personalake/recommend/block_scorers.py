"""What scores a block of persons inside a task: by factors, or by their histories times an item × item matrix."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from personalake.recommend.block_kernels import Product, dense_top, product_pairs, product_top, rounded
from personalake.recommend.node_arrays import NodeArrays
from personalake.recommend.ragged import Doubles, Ints, Ragged

Loaded = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Block:
    """Some persons side by side: their histories over item indexes, rising, and their factors where there are."""

    histories: Ragged
    factors: Doubles | None = None

    def __len__(self) -> int:
        return len(self.histories)

    def rows(self, start: int, stop: int) -> Block:
        """The persons start … stop - 1."""
        return Block(self.histories.rows(start, stop), None if self.factors is None else self.factors[start:stop])

    def matrix(self, width: int) -> sparse.csr_array:
        """The histories as persons × items."""
        parts = (self.histories.weights, self.histories.values, self.histories.offsets)
        return sparse.csr_array(parts, shape=(len(self), width))


@dataclass(frozen=True)
class Scorer(ABC):
    """Scores items for persons from arrays that lie on every node; small, so that a task's closure may hold it.

    `arrays` holds the item ids in rising order (`id_arrays`), which number the items, and what a subclass reads.
    Every method gets the loaded arrays, so that a task maps them once.
    """

    arrays: NodeArrays

    @abstractmethod
    def row_bytes(self, width: int, limit: int) -> int:
        """What scoring one person takes [bytes], for blocks that stay small."""

    @abstractmethod
    def top(self, loaded: Loaded, block: Block, masked: Ragged, closed: Ints, limit: int) -> Ragged:
        """The best items of each person of a block, as `block_kernels.dense_top` gives them."""

    @abstractmethod
    def pairs(self, loaded: Loaded, block: Block, asked: Ragged) -> Doubles:
        """A score at 9 decimals per value of `asked`, in its order; NaN where there is nothing to say."""


@dataclass(frozen=True)
class DenseScorer(Scorer):
    """A scorer with something to say of most items: a block of persons is a matrix of persons × items."""

    @abstractmethod
    def dense(self, loaded: Loaded, block: Block) -> Doubles:
        """Persons × items, the caller's to overwrite; not finite where there is nothing to say."""

    def row_bytes(self, width: int, limit: int) -> int:
        """One float64 per item."""
        return 8 * width

    def top(self, loaded: Loaded, block: Block, masked: Ragged, closed: Ints, limit: int) -> Ragged:
        """See `Scorer.top`."""
        return dense_top(self.dense(loaded, block), masked, closed, limit)

    def pairs(self, loaded: Loaded, block: Block, asked: Ragged) -> Doubles:
        """See `Scorer.pairs`."""
        scores = rounded(self.dense(loaded, block)[asked.row_numbers(), asked.values])
        return np.where(np.isfinite(scores), scores, np.nan)


@dataclass(frozen=True)
class DenseProductScorer(DenseScorer):
    """A score is Σ weight × value over a history; reads `values` (items × items, float64)."""

    def dense(self, loaded: Loaded, block: Block) -> Doubles:
        """See `DenseScorer.dense`."""
        values = loaded["values"]
        return np.asarray(block.matrix(len(values)) @ values)


@dataclass(frozen=True)
class SparseProductScorer(Scorer):
    """A score is Σ weight × value over a history; nothing is said of items that no entry of the history adds to.

    Reads a CSR matrix of items × items: row i holds what a history's item i adds to others. `indptr` (int64), `indices`
    (integers), `values` (floats).
    """

    def row_bytes(self, width: int, limit: int) -> int:
        """The list of one person: scores are added up in one row, person after person."""
        return 16 * min(width, limit)

    def top(self, loaded: Loaded, block: Block, masked: Ragged, closed: Ints, limit: int) -> Ragged:
        """See `Scorer.top`."""
        return product_top(block.histories, _product(loaded), masked, closed, limit)

    def pairs(self, loaded: Loaded, block: Block, asked: Ragged) -> Doubles:
        """See `Scorer.pairs`."""
        return product_pairs(block.histories, _product(loaded), asked)


def id_arrays(ids: pa.Array) -> dict[str, npt.NDArray[Any]]:
    """Item ids as arrays to `put_on_nodes` beside those of a scorer.

    Args:
        ids: distinct, without nulls, in rising order (strings by their bytes, as Spark and Arrow order them).
    """
    if not (pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type)):
        return {"item_ids": ids.cast(pa.int64()).to_numpy()}
    text = pa.concat_arrays([ids.cast(pa.large_string())])
    _, offsets, data = text.buffers()
    raw = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    return {"item_id_ends": np.frombuffer(offsets, np.int64, len(text) + 1), "item_id_bytes": raw}


def item_ids(loaded: Loaded) -> pa.Array:
    """The item ids that `id_arrays` laid down, as string or int64; no copy is made."""
    if "item_ids" in loaded:
        return pa.array(loaded["item_ids"])
    ends = loaded["item_id_ends"]
    parts = [None, pa.py_buffer(ends), pa.py_buffer(loaded["item_id_bytes"])]
    return pa.Array.from_buffers(pa.large_string(), len(ends) - 1, parts)


def sorted_ids(ids: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, Ints]:
    """Ids in rising order, and for each the place where it stood."""
    whole = pa.concat_arrays(ids.chunks) if isinstance(ids, pa.ChunkedArray) else ids
    order = pc.sort_indices(whole)
    return whole.take(order), order.to_numpy().astype(np.int64)


def _product(loaded: Loaded) -> Product:
    indptr = loaded["indptr"]
    return Product(indptr, loaded["indices"], loaded["values"], len(indptr) - 1)
