"""Between the two halves of the work: records packed by shard on one side, unpacked, ordered and written on the other.

A shard is a few files of one source. Spark moves one compressed binary per part and shard, not single records.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np
import pyarrow as pa

from personalake.sample.catalogue import make_catalogue
from personalake.sample.files import write_file
from personalake.sample.parts import make_part
from personalake.sample.plan import Plan

SHARDS_PER_SOURCE = 12
PACKED = pa.schema([("shard", pa.string()), ("part", pa.int64()), ("packed", pa.binary())])
TOLD = pa.schema([("source", pa.string()), ("file", pa.string()), ("what", pa.string()), ("number", pa.int64())])


def ddl(schema: pa.Schema) -> str:
    """The schema in Spark's words.

    Args:
        schema: of strings, 64-bit integers and binaries.
    """
    names = {pa.string(): "string", pa.int64(): "bigint", pa.binary(): "binary"}
    return ", ".join(f"{field.name} {names[field.type]}" for field in schema)


def pack_parts(plan: Plan, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Make the parts named in the batches' first column; one row per part and shard.

    Args:
        plan: the arguments.
        batches: part numbers.
    """
    catalogue = make_catalogue(plan)
    width = -(-len(plan.periods) // SHARDS_PER_SOURCE)
    for batch in batches:
        for part in batch.column(0).to_pylist():
            for source, table in make_part(plan, catalogue, part):
                shards = table["period"].to_numpy() // width
                for shard in np.unique(shards).tolist():
                    packed = _pack(table.filter(pa.array(shards == shard)))
                    row = {"shard": f"{source}#{shard:02d}", "part": part, "packed": packed}
                    yield pa.RecordBatch.from_pylist([row], PACKED)


def write_shards(plan: Plan, out: str, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Write the files of each shard and tell what is in them.

    Args:
        plan: the arguments.
        out: folder of the sample.
        batches: rows of pack_parts, sorted by shard and part.
    """
    rows = (row for batch in batches for row in batch.to_pylist())
    for shard, packed in groupby(rows, key=lambda row: str(row["shard"])):
        # the parts come in order, and the sort is stable: equal times stay in the order of parts
        table = pa.concat_tables([_unpack(row["packed"]) for row in packed])
        period = table["period"].to_numpy().astype(np.int64)
        order = np.argsort((period << 40) + table["arrived"].to_numpy() + (1 << 38), kind="stable")
        table = table.take(pa.array(order))
        edges = [*np.searchsorted(period[order], np.unique(period)).tolist(), table.num_rows]
        for number, start, end in zip(np.unique(period).tolist(), edges, edges[1:], strict=False):
            told = write_file(plan, out, shard.split("#")[0], number, table.slice(start, end - start))
            yield pa.RecordBatch.from_arrays([pa.array(c) for c in zip(*told, strict=True)], schema=TOLD)


def _pack(table: pa.Table) -> bytes:
    index = table.schema.get_field_index("line")
    if index >= 0:  # long strings: a file may hold more than 2 GiB of text
        table = table.set_column(index, "line", table["line"].cast(pa.large_string()))
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


def _unpack(packed: bytes) -> pa.Table:
    with pa.ipc.open_stream(packed) as reader:
        return reader.read_all()
