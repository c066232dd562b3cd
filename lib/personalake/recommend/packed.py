"""Rows fetched from Spark packed: each task encodes and lays down its own part, and the driver puts the parts together.

`DataFrame.toArrow` sends every value through the heap of the driver's JVM, ids in full length at every row. Here the
tasks do the numbering, in parallel, and in local mode nothing passes the JVM a second time.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyspark import TaskContext
from pyspark.sql import DataFrame

from personalake.recommend.node_arrays import scratch_folder, shares_disk

_PARTS = "task long, part int, path string, bytes binary"
# What one row of an answer holds at most [bytes].
_PART_BYTES = 1 << 24


def fetched(rows: DataFrame) -> pa.Table:
    """All rows on the driver; the caller knows that they fit.

    Args:
        rows: columns of integers, doubles and strings.

    Returns:
        The same columns in the same order, rows in no order. Strings are dictionary-encoded, chunk by chunk; integers
        are int32 where every one fits.

    Cost:
        One pass over the rows, no shuffle. A task holds its partition once.
    """
    spark = rows.sparkSession
    folder = tempfile.mkdtemp(dir=scratch_folder(spark)) if shares_disk(spark) else None
    try:
        answers = rows.mapInArrow(_packer(folder), _PARTS).toArrow()
        tables = [_read(part) for part in _tasks(answers)]
    finally:
        if folder:  # What is mapped stays readable until it is let go.
            shutil.rmtree(folder, ignore_errors=True)
    if not tables:
        return rows.limit(0).toArrow()
    return pa.Table.from_arrays([_alike(tables, n) for n in range(tables[0].num_columns)], tables[0].column_names)


def _packer(folder: str | None) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        columns: dict[str, list[pa.Array]] = {}
        for batch in batches:
            for name, values in zip(batch.schema.names, batch.columns, strict=True):
                columns.setdefault(name, []).append(_narrowed(values))
        context = TaskContext.get()
        if not columns or context is None:
            return
        task = context.taskAttemptId()
        # One column after the other: what is encoded lets go of what it was made of.
        table = pa.table({name: _encoded(columns.pop(name)) for name in list(columns)})
        if folder:
            path = str(Path(folder) / str(task))
            with pa.ipc.new_file(path, table.schema) as writer:
                writer.write_table(table)
            del table
            # The worker lives on for the next task: what Arrow keeps for itself would stay with it.
            pa.default_memory_pool().release_unused()
            yield _answer(task, 0, path, b"")
            return
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        bytes_ = sink.getvalue()
        for part, begin in enumerate(range(0, bytes_.size, _PART_BYTES)):
            yield _answer(task, part, "", bytes_.slice(begin, min(_PART_BYTES, bytes_.size - begin)).to_pybytes())

    return pack


def _answer(task: int, part: int, path: str, held: bytes) -> pa.RecordBatch:
    columns = [pa.array([task]), pa.array([part], pa.int32()), pa.array([path]), pa.array([held], pa.binary())]
    return pa.RecordBatch.from_arrays(columns, names=["task", "part", "path", "bytes"])


def _narrowed(values: pa.Array) -> pa.Array:
    """Integers as int32 where they fit, floats apart from their batch, which can go: a task holds half as much."""
    if pa.types.is_floating(values.type):
        return pa.concat_arrays([values, values.slice(0, 0)])
    if not pa.types.is_integer(values.type):
        return values
    bounds = pc.min_max(values).as_py()
    fits = bounds["min"] is None or (bounds["min"] >= -(1 << 31) and bounds["max"] < 1 << 31)
    return values.cast(pa.int32()) if fits else values.cast(pa.int64())


def _encoded(chunks: list[pa.Array]) -> pa.Array:
    whole = pa.concat_arrays(_of_one_kind(chunks))
    is_text = pa.types.is_string(whole.type) or pa.types.is_large_string(whole.type)
    return whole.dictionary_encode() if is_text else whole


def _of_one_kind(chunks: list[pa.Array]) -> list[pa.Array]:
    """Chunks as they are; where only some hold small integers alone, all as int64."""
    if len({chunk.type for chunk in chunks}) > 1:
        return [chunk.cast(pa.int64()) for chunk in chunks]
    return chunks


def _tasks(answers: pa.Table) -> Iterator[pa.Table]:
    """The rows of each task, its parts in order."""
    ordered = answers.sort_by([("task", "ascending"), ("part", "ascending")])
    for task in pc.unique(ordered["task"]):
        yield ordered.filter(pc.equal(ordered["task"], task))


def _read(parts: pa.Table) -> pa.Table:
    path = parts["path"][0].as_py()
    if path:
        return pa.ipc.open_file(pa.memory_map(path)).read_all()
    return pa.ipc.open_file(pa.py_buffer(b"".join(parts["bytes"].to_pylist()))).read_all()


def _alike(tables: list[pa.Table], number: int) -> pa.ChunkedArray:
    return pa.chunked_array(_of_one_kind([chunk for table in tables for chunk in table.column(number).chunks]))
