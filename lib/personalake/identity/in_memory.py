"""Connected components of links held in memory, on text ids, by scipy; runs inside one of Spark's Arrow tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from personalake.errors import DataError, Fault

_BATCH_ROWS = 65_536
_FOUND = pa.schema({"node": pa.string(), "component": pa.string()})


def components_in_memory(batches: Iterable[pa.RecordBatch], limit: int) -> Iterator[pa.RecordBatch]:
    """Each node with the smallest node of its component, by the order of UTF-8 bytes as in Spark.

    Args:
        batches: columns left and right, text; left_hash and right_hash, 64 bits that are equal for equal text. They
            make it fast and never decide: of different text with one hash the text is what counts.
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
            text = f"more than {limit} links came to the one task that joins them."
            raise DataError(Fault("identity.edges_in_one_task", text, "Raise it, or join them by rounds of stars."))
    if count == 0:
        return
    names, codes = _numbered([b[end] for end in ("left", "right") for b in kept], _hashes(kept))
    kept.clear()
    links = coo_matrix((np.ones(count, np.int8), (codes[:count], codes[count:])), shape=(len(names), len(names)))
    _, labels = connected_components(links, directed=False)
    smallest = _smallest(names, labels).take(pa.array(labels))
    found = pa.table({"node": names, "component": smallest}).to_batches(max_chunksize=_BATCH_ROWS)
    yield from (batch.cast(_FOUND) for batch in found)


def _hashes(batches: Sequence[pa.RecordBatch]) -> pa.Array:
    return pa.concat_arrays([batch[f"{end}_hash"] for end in ("left", "right") for batch in batches])


def _numbered(texts: Sequence[pa.Array], hashes: pa.Array) -> tuple[pa.Array, NDArray[np.int32]]:
    """The distinct texts in the order in which they come first, and of each text its number among them.

    Numbers are cheap to tell apart, texts are not (a third of the time); so texts are only compared, each with the one
    text that its hash stands for.
    """
    coded = hashes.dictionary_encode()
    codes = coded.indices.to_numpy()
    is_first = _first_of_each(codes, len(coded.dictionary))
    starts = np.cumsum([0, *(len(text) for text in texts)])
    parts = [(text, slice(start, start + len(text))) for text, start in zip(texts, starts.tolist(), strict=False)]
    names = _as_one([text.filter(pa.array(is_first[part])) for text, part in parts])
    if all(names.take(pa.array(codes[part])).equals(text.cast(names.type)) for text, part in parts):
        return names, codes
    by_text = _as_one(texts).dictionary_encode()
    return by_text.dictionary, by_text.indices.to_numpy()


def _first_of_each(codes: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    places = np.empty(count, dtype=np.int64)
    places[codes[::-1]] = np.arange(codes.size)[::-1]  # of several writes to one place the last one stays
    is_first = np.zeros(codes.size, dtype=bool)
    is_first[places] = True
    return is_first


def _as_one(texts: Sequence[pa.Array]) -> pa.Array:
    """One array of what may be more than the 2 GB that short offsets reach."""
    return pa.concat_arrays([text.cast(pa.large_string()) for text in texts])


def _smallest(names: pa.Array, labels: NDArray[np.int32]) -> pa.Array:
    """For each component, by number, the first of its names."""
    found = pa.table({"label": labels, "name": names}).group_by("label", use_threads=False).aggregate([("name", "min")])
    order = np.argsort(found["label"].to_numpy())
    return found["name_min"].combine_chunks().take(pa.array(order))
