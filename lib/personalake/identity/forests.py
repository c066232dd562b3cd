"""Connected components of links held in memory, on text ids, by scipy; runs inside Spark's Arrow tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from personalake.errors import DataError, Fault

_BATCH_ROWS = 65_536


def forest(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same components with the fewest links: every node but one per component points to that one.

    Args:
        batches: columns left and right, text.

    Yields:
        Columns left and right: nodes - components rows.
    """
    kept = list(batches)
    if not any(batch.num_rows for batch in kept):
        return
    names, labels = _labels(pa.Table.from_batches(kept))
    nodes = np.arange(len(names))
    roots = _first_of_component(labels, nodes)
    apart = nodes != roots
    yield from _batches(left=names.take(pa.array(nodes[apart])), right=names.take(pa.array(roots[apart])))


def components_in_memory(batches: Iterable[pa.RecordBatch], limit: int) -> Iterator[pa.RecordBatch]:
    """Each node with the smallest node of its component, by the order of UTF-8 bytes as in Spark.

    Args:
        batches: columns left and right, text.
        limit: rows that may be held at once.

    Yields:
        Columns node and component.

    Raises:
        DataError: more than limit rows came.
    """
    kept, count = [], 0
    for batch in batches:
        kept.append(batch)
        count += batch.num_rows
        if count > limit:
            text = f"more than {limit} links are left for one task to join."
            raise DataError(Fault("identity.edges_in_one_task", text, "Raise it, or join them by rounds of stars."))
    if count == 0:
        return
    names, labels = _labels(pa.Table.from_batches(kept))
    roots = _first_of_component(labels, pc.sort_indices(names).to_numpy())
    yield from _batches(node=names, component=names.take(pa.array(roots)))


def _labels(links: pa.Table) -> tuple[pa.Array, NDArray[np.int32]]:
    """The distinct nodes, and for each the number of its component."""
    chunks = [*links["left"].chunks, *links["right"].chunks]
    coded = pa.concat_arrays(chunks).dictionary_encode()
    codes, count = coded.indices.to_numpy(), len(coded.dictionary)
    left, right = codes[: links.num_rows], codes[links.num_rows :]
    matrix = coo_matrix((np.ones(left.size), (left, right)), shape=(count, count))
    _, labels = connected_components(matrix, directed=False)
    return coded.dictionary, labels


def _first_of_component(labels: NDArray[np.int32], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each node the node of its component that comes first in the order."""
    backwards = order[::-1]
    first = np.empty(int(labels.max()) + 1, dtype=np.int64)
    first[labels[backwards]] = backwards  # of several writes to one place the last one stays
    return first[labels]


def _batches(**columns: pa.Array) -> Iterator[pa.RecordBatch]:
    return iter(pa.table(columns).to_batches(max_chunksize=_BATCH_ROWS))
