"""The broadcast plan: the whole matrix on every node, items dealt to tasks, nothing shuffled, no pair written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sp
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DataType, DoubleType, IntegerType, StructField, StructType

from personalake.recommend.node_arrays import NodeArrays, put_on_nodes
from personalake.recommend.product.deal import dealt, work_by_item
from personalake.recommend.product.kernels import Csr
from personalake.recommend.product.matrix import Matrix
from personalake.recommend.product.rows import Items, Rule, batches_of, nearest, ranks_of
from personalake.recommend.product.words import Rows, rows_of

Array = npt.NDArray[Any]
# The deal is even, and starting a Python task costs more than a finer one could save.
_STRIPES_PER_CORE = 1


@dataclass(frozen=True)
class Stripes:
    """What a task needs to multiply its stripe of items."""

    arrays: NodeArrays
    rule: Rule
    person_count: int

    def rows(self, stripe: int) -> Iterator[pa.RecordBatch]:
        """The neighbours of the items of one stripe: item_id, neighbour_id, similarity_score, neighbour_rank."""
        here = self.arrays.load()
        ids = ids_of(here["ids"])
        items = Items(here["norms"], here["counts"], here["orders"], self.person_count)
        by_item, by_person = both_orders(here)
        mine = np.flatnonzero(here["stripe_of"] == stripe).astype(np.int32)
        for wanted in batches_of(mine, items, self.rule):
            yield neighbour_batch(ids, wanted, *nearest(wanted, by_item, by_person, items, self.rule))


def broadcast_neighbours(
    spark: SparkSession, matrix: Matrix, values: sp.csr_matrix, rule: Rule, id_type: DataType
) -> tuple[DataFrame, NodeArrays]:
    """Each item's nearest items, computed when first asked for.

    Args:
        spark: the session whose tasks multiply.
        matrix: numbers and ids.
        values: the same matrix person × item, weighted.
        rule: which pairs, by what measure, how many.
        id_type: type of the item ids.

    Returns:
        item_id, neighbour_id, similarity_score, neighbour_rank; and the handle to release when they were computed.

    Cost:
        Σ over persons of (items)² multiply-adds, dealt evenly over the tasks; no shuffle.
    """
    stripes = max(1, min(len(matrix.ids), _STRIPES_PER_CORE * spark.sparkContext.defaultParallelism))
    arrays = put_on_nodes(spark, laid_out(matrix, values, stripes))
    work = Stripes(arrays, rule, values.shape[0])
    numbers = spark.range(0, stripes, 1, stripes)
    return numbers.mapInArrow(_task(work), neighbour_schema(id_type)), arrays


def _task(work: Stripes) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def multiply(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for stripe in batch.column(0).to_pylist():
                yield from work.rows(stripe)

    return multiply


def laid_out(matrix: Matrix, values: sp.csr_matrix, stripes: int) -> dict[str, Array]:
    """What `Stripes` reads: the weighted matrix in both orders, facts of items, their stripes and ids."""
    by_item = values.T.tocsr()
    starts, item_starts = values.indptr.astype(np.int64), by_item.indptr.astype(np.int64)
    _, words, table, bits = rows_of(starts, values.indices, values.data, values.shape[1])
    return {
        "starts": starts,
        "words": words,
        "values": table,
        "bits": np.array([bits]),
        "item_starts": item_starts,
        "item_persons": by_item.indices,
        "item_values": by_item.data,
        "norms": norms_of(values),
        "counts": np.diff(item_starts).astype(np.float64),
        "orders": matrix.orders,
        "stripe_of": dealt(work_by_item(item_starts, by_item.indices, starts), stripes),
        "ids": packed_ids(matrix.ids),
    }


def both_orders(here: dict[str, Array]) -> tuple[Csr, Rows]:
    """The matrix by item and by person, of what `laid_out` gave."""
    by_item = (here["item_starts"], here["item_persons"], here["item_values"])
    return by_item, (here["starts"], here["words"], here["values"], int(here["bits"][0]))


def norms_of(values: sp.csr_matrix) -> Array:
    """‖x‖ of each item; 1 where it has no entry, so that nothing is divided by zero."""
    squares = np.bincount(values.indices, weights=values.data * values.data, minlength=values.shape[1])
    return np.where(squares > 0, np.sqrt(squares), 1.0)


def packed_ids(ids: pa.Array) -> Array:
    """Ids as bytes that `ids_of` reads in place."""
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_arrays([ids], names=["id"])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return np.frombuffer(sink.getvalue(), np.uint8)


def ids_of(packed: Array) -> pa.Array:
    """The ids that `packed_ids` wrote, without a copy."""
    batch: pa.RecordBatch = pa.ipc.open_stream(pa.py_buffer(packed)).read_next_batch()
    return batch.column(0)


def neighbour_schema(id_type: DataType) -> StructType:
    """Of every plan's rows."""
    ids = [StructField(name, id_type) for name in ("item_id", "neighbour_id")]
    ranked = [StructField("similarity_score", DoubleType()), StructField("neighbour_rank", IntegerType())]
    return StructType([*ids, *ranked])


def neighbour_batch(ids: pa.Array, wanted: Array, found: Array, scores: Array, kept: Array) -> pa.RecordBatch:
    """Rows of what `nearest` gave, with ids for numbers."""
    columns = [
        ids.take(pa.array(np.repeat(wanted, kept))),
        ids.take(pa.array(found)),
        pa.array(scores),
        pa.array(ranks_of(kept)),
    ]
    return pa.RecordBatch.from_arrays(columns, names=["item_id", "neighbour_id", "similarity_score", "neighbour_rank"])
