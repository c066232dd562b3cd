"""Scores by content inside a task: a person is the mean of the items of a history, and is compared with every item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from personalake.recommend.block_kernels import Product, best_of, dense_top, product_pairs, product_top, rounded
from personalake.recommend.block_scorers import Block, Loaded, Scorer, id_arrays
from personalake.recommend.ragged import Doubles, Ints, Ragged


@dataclass(frozen=True)
class ContentScorer(Scorer):
    """Cosine or closeness of a person's mean item to every item; nothing is said of items with a cosine of 0 or less.

    Reads items × features (`indptr`, `indices`, `values`), the same by feature (`by_feature_…`, each item at length 1),
    `lengths` of the items, and `vectors` (items × dimensions) where there are.

    `closeness`: 1 / (1 + Euclidean distance) instead of the cosine. `profile_features`: of a mean, only so many of the
    largest features are compared; None: all.
    """

    closeness: bool
    has_vectors: bool
    profile_features: int | None

    def row_bytes(self, width: int, limit: int) -> int:
        """A score per item where all items are scored, else the list."""
        return 8 * width if self._is_dense else 16 * min(width, limit)

    def top(self, loaded: Loaded, block: Block, masked: Ragged, closed: Ints, limit: int) -> Ragged:
        """See `Scorer.top`."""
        if self._is_dense:
            return dense_top(self._dense(loaded, block), masked, closed, limit)
        return product_top(self._directions(loaded, block), _by_feature(loaded), masked, closed, limit)

    def pairs(self, loaded: Loaded, block: Block, asked: Ragged) -> Doubles:
        """See `Scorer.pairs`."""
        if self._is_dense:
            scores = rounded(self._dense(loaded, block)[asked.row_numbers(), asked.values])
            return np.where(np.isfinite(scores), scores, np.nan)
        return product_pairs(self._directions(loaded, block), _by_feature(loaded), asked)

    @property
    def _is_dense(self) -> bool:
        return self.closeness or self.has_vectors

    def _directions(self, loaded: Loaded, block: Block) -> Ragged:
        """Persons as rows over features, at length 1: their products with items at length 1 are cosines."""
        means = self._means(loaded, block)
        lengths = np.sqrt(np.asarray(means.multiply(means).sum(axis=1)).ravel())
        scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        values = means.data * np.repeat(scale, np.diff(means.indptr))
        return Ragged(means.indptr.astype(np.int64), means.indices.astype(np.int64), values)

    def _means(self, loaded: Loaded, block: Block) -> sparse.csr_array:
        means = sparse.csr_array(_shares(loaded, block) @ _features(loaded))
        means.sort_indices()
        return means if self.profile_features is None else _strongest(means, self.profile_features)

    def _dense(self, loaded: Loaded, block: Block) -> Doubles:
        means, lengths = self._means(loaded, block), loaded["lengths"]
        scaled = _by_feature(loaded)
        by_feature = sparse.csr_array((scaled.values, scaled.indices, scaled.indptr), (means.shape[1], scaled.width))
        products: Doubles = (means @ by_feature).toarray() * lengths
        squares = np.asarray(means.multiply(means).sum(axis=1)).ravel()
        if self.has_vectors:
            vectors = np.asarray(_shares(loaded, block) @ loaded["vectors"])
            products += vectors @ loaded["vectors"].T
            squares += np.einsum("ij,ij->i", vectors, vectors)
        if self.closeness:
            apart = squares[:, None] + lengths**2 - 2.0 * products
            return np.asarray(1.0 / (1.0 + np.sqrt(np.maximum(apart, 0.0))))
        norms = np.sqrt(squares)[:, None] * lengths
        cosines: Doubles = np.divide(products, norms, out=np.zeros_like(products), where=norms > 0)
        cosines[rounded(cosines) <= 0.0] = -np.inf
        return cosines


def content_arrays(features: pa.Table, vectors: pa.Table, vector_weight: float) -> dict[str, np.ndarray]:
    """What a `ContentScorer` reads.

    Args:
        features: item_id, feature, value, each pair once, without nulls.
        vectors: item_id, vector (lists of one length), each item once; may be empty.
        vector_weight: the length that vectors are brought to, as the kinds of features have theirs.
    """
    known = pc.unique(pa.chunked_array([*features["item_id"].chunks, *vectors["item_id"].chunks], _kind(features)))
    ids = known.take(pc.sort_indices(known))
    names = pc.unique(features["feature"])
    names = names.take(pc.sort_indices(names))
    row, column = (_places(features[name], values) for name, values in (("item_id", ids), ("feature", names)))
    matrix = sparse.coo_array((features["value"].to_numpy(), (row, column)), shape=(len(ids), len(names))).tocsr()
    matrix.sort_indices()
    dense = _unit_vectors(vectors, ids) * vector_weight
    squares = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel() + np.einsum("ij,ij->i", dense, dense)
    lengths = np.sqrt(squares)
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    by_feature = sparse.csr_array(matrix.multiply(scale[:, None])).T.tocsr()
    by_feature.sort_indices()
    return {
        **id_arrays(ids),
        **_csr_arrays("", matrix),
        **_csr_arrays("by_feature_", by_feature),
        "lengths": lengths,
        "vectors": dense,
    }


def _unit_vectors(vectors: pa.Table, ids: pa.Array) -> Doubles:
    if vectors.num_rows == 0:
        return np.zeros((len(ids), 0))
    lists = pa.concat_arrays(vectors["vector"].chunks)
    given: Doubles = lists.flatten().to_numpy(zero_copy_only=False).reshape(len(lists), -1)
    lengths = np.sqrt(np.einsum("ij,ij->i", given, given))[:, None]
    dense = np.zeros((len(ids), given.shape[1]))
    dense[_places(vectors["item_id"], ids)] = np.divide(given, lengths, out=np.zeros_like(given), where=lengths > 0)
    return dense


def _places(values: pa.ChunkedArray, among: pa.Array) -> Ints:
    return np.asarray(pc.index_in(values, value_set=among).to_numpy(), dtype=np.int64)


def _kind(features: pa.Table) -> pa.DataType:
    return features.schema.field("item_id").type


def _csr_arrays(prefix: str, matrix: sparse.csr_array) -> dict[str, np.ndarray]:
    return {
        f"{prefix}indptr": matrix.indptr.astype(np.int64),
        f"{prefix}indices": matrix.indices.astype(np.int32),
        f"{prefix}values": matrix.data,
    }


def _by_feature(loaded: Loaded) -> Product:
    indptr, indices, values = (loaded[f"by_feature_{name}"] for name in ("indptr", "indices", "values"))
    return Product(indptr, indices, values, len(loaded["lengths"]))


def _features(loaded: Loaded) -> sparse.csr_array:
    shape = (len(loaded["lengths"]), len(loaded["by_feature_indptr"]) - 1)
    return sparse.csr_array((loaded["values"], loaded["indices"], loaded["indptr"]), shape=shape)


def _shares(loaded: Loaded, block: Block) -> sparse.csr_array:
    """Persons × items, each person's weights at a sum of 1."""
    histories = block.matrix(len(loaded["lengths"]))
    sums = np.asarray(histories.sum(axis=1)).ravel()
    scale = np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0)
    return sparse.csr_array(histories.multiply(scale[:, None]))


def _strongest(means: sparse.csr_array, count: int) -> sparse.csr_array:
    """Each row with its largest values only; equal ones by rising feature."""
    is_kept = np.ones(means.nnz, np.bool_)
    for row in np.flatnonzero(np.diff(means.indptr) > count):
        start, stop = means.indptr[row : row + 2]
        best = best_of(np.abs(means.data[start:stop]), means.indices[start:stop], count)
        is_kept[start:stop] = False
        is_kept[start + best] = True
    kept = means.copy()
    kept.data[~is_kept] = 0.0
    kept.eliminate_zeros()
    return kept
