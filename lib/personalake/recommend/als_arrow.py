"""ALS kernels over Arrow batches: the item factors travel to every worker, the persons stream past them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql.types import ArrayType, DataType, DoubleType, StructField, StructType

from personalake.errors import ConfigError, Fault
from personalake.recommend.als_kernels import Doubles, Ints, Ragged, half_step, pair_scores, top_lists

Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class ItemFactors:
    """All item factors on this machine: row i of `factors` belongs to `ids[i]`."""

    ids: pa.Array
    factors: Doubles
    id_order: Ints


def collected_items(item_factors: DataFrame, limit_mb: int) -> ItemFactors:
    """Fetch the item factors, once their size is known to fit.

    Args:
        item_factors: item_id, item_index (from 0 without gaps), factors.
        limit_mb: the most they may take as float64 [MiB]; each worker process holds them once.

    Raises:
        ConfigError: they take more.

    Cost:
        Two jobs: the size is asked for before the factors are.
    """
    head = item_factors.selectExpr("count(1) AS rows", "max(size(factors)) AS rank").first()
    size_mb = 0 if head is None or not head["rows"] else head["rows"] * head["rank"] * 8 / 2**20
    if size_mb > limit_mb:
        found = f"allows {limit_mb} MiB, and the item factors take {size_mb:.0f} MiB."
        raise ConfigError(Fault("als.item_factors_mb", found, "Raise it to what a worker can hold."))
    table = item_factors.select("item_id", "item_index", "factors").toArrow().combine_chunks().sort_by("item_index")
    ids = table["item_id"].combine_chunks()
    ids = ids.chunk(0) if isinstance(ids, pa.ChunkedArray) else ids
    order = np.empty(len(ids), dtype=np.int64)
    order[pc.sort_indices(ids).to_numpy()] = np.arange(len(ids))
    return ItemFactors(ids, _matrix(table["factors"].combine_chunks()), order)


def packed_lists(person_factors: DataFrame, items: ItemFactors, limit: int, id_type: DataType) -> DataFrame:
    """Each person's best items, one packed row per person.

    Args:
        person_factors: person_id, factors, masked (array of item_index never to return).
        items: what `collected_items` gave.
        limit: list length.
        id_type: type of the item ids.

    Returns:
        person_id, item_ids, scores (best first).
    """
    schema = _packed_schema(person_factors, id_type)
    return person_factors.select("person_id", "factors", "masked").mapInArrow(_ranker(items, limit), schema)


def packed_scores(person_factors: DataFrame, items: ItemFactors, id_type: DataType) -> DataFrame:
    """The scores of given pairs, one packed row per person.

    Args:
        person_factors: person_id, factors, asked (array of item_index to score).
        items: what `collected_items` gave.
        id_type: type of the item ids.

    Returns:
        person_id, item_ids, scores (in the order asked).
    """

    def score(batches: Batches) -> Batches:
        for batch in batches:
            if batch.num_rows == 0:
                continue
            asked = _ragged(batch["asked"])
            scores = pair_scores(_matrix(batch["factors"]), items.factors, asked)
            yield _packed(batch["person_id"], asked.offsets, items.ids.take(pa.array(asked.values)), pa.array(scores))

    schema = _packed_schema(person_factors, id_type)
    return person_factors.select("person_id", "factors", "asked").mapInArrow(score, schema)


def folded_factors(
    histories: DataFrame, items: ItemFactors, regularisation: float, alpha: float, implicit: bool
) -> DataFrame:
    """Factors of persons from their histories, by one exact half-step.

    Args:
        histories: person_id, indexes (array of item_index), weights (array of double, in the same order).
        items: what `collected_items` gave.
        regularisation, alpha, implicit: the settings fitted with.

    Returns:
        person_id, factors (array of double).
    """
    schema = StructType([histories.schema["person_id"], StructField("factors", ArrayType(DoubleType()))])
    gram = items.factors.T @ items.factors

    def fold(batches: Batches) -> Batches:
        for batch in batches:
            indexes, weights = _ragged(batch["indexes"]), batch["weights"].flatten().to_numpy(zero_copy_only=False)
            solved = np.empty((batch.num_rows, items.factors.shape[1]))
            for row, (start, stop) in enumerate(zip(indexes.offsets[:-1], indexes.offsets[1:], strict=True)):
                mine = items.factors[indexes.values[start:stop]]
                solved[row] = half_step(mine, gram, weights[start:stop], regularisation, alpha, implicit)
            offsets = np.arange(batch.num_rows + 1, dtype=np.int32) * solved.shape[1]
            packed = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(solved.ravel()))
            yield pa.RecordBatch.from_arrays([batch["person_id"], packed], names=["person_id", "factors"])

    return histories.select("person_id", "indexes", "weights").mapInArrow(fold, schema)


def _ranker(items: ItemFactors, limit: int) -> Callable[[Batches], Batches]:
    def rank(batches: Batches) -> Batches:
        for batch in batches:
            if batch.num_rows == 0:
                continue
            masked = _ragged(batch["masked"])
            lists = list(top_lists(_matrix(batch["factors"]), items.factors, items.id_order, masked, limit))
            offsets = np.cumsum([0, *(len(found) for found, _ in lists)])
            ids = items.ids.take(pa.array(np.concatenate([found for found, _ in lists])))
            yield _packed(batch["person_id"], offsets, ids, pa.array(np.concatenate([scores for _, scores in lists])))

    return rank


def _packed_schema(person_factors: DataFrame, id_type: DataType) -> StructType:
    fields = [person_factors.schema["person_id"], StructField("item_ids", ArrayType(id_type))]
    return StructType([*fields, StructField("scores", ArrayType(DoubleType()))])


def _packed(persons: pa.Array, offsets: Ints, ids: pa.Array, scores: pa.Array) -> pa.RecordBatch:
    places = pa.array(offsets, pa.int32())
    lists = [pa.ListArray.from_arrays(places, values) for values in (ids, scores)]
    return pa.RecordBatch.from_arrays([persons, *lists], names=["person_id", "item_ids", "scores"])


def _matrix(lists: pa.Array | pa.ChunkedArray) -> Doubles:
    array = pa.concat_arrays(lists.chunks) if isinstance(lists, pa.ChunkedArray) else lists
    if len(array) == 0:
        return np.empty((0, 0))
    flat: Doubles = array.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    return flat.reshape(len(array), -1)


def _ragged(lists: pa.Array) -> Ragged:
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Ragged(offsets, lists.flatten().to_numpy(zero_copy_only=False).astype(np.int64))
