"""The fold-in of ALS over Arrow batches: the item factors travel to every worker, histories stream past them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DoubleType, StructField, StructType

from personalake.errors import ConfigError, Fault
from personalake.recommend.als_solve import Form, principal_axes, solved_rows
from personalake.recommend.checks import PAIR
from personalake.recommend.ragged import Doubles, Ragged

Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True)
class ItemFactors:
    """All item factors on this machine: row i of `factors` belongs to `ids[i]`."""

    ids: pa.Array
    factors: Doubles


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
    return ItemFactors(ids, factor_matrix(table["factors"].combine_chunks()))


def histories_by_person(histories: DataFrame, item_factors: DataFrame) -> DataFrame:
    """Pack histories.

    Args:
        histories: one row per pair; reads person_id, item_id, weight. Items without factors are left out.
        item_factors: item_id, item_index.

    Returns:
        person_id, indexes (array of item_index, rising), weights (array of double, in the same order).

    Cost:
        One shuffle by person.
    """
    pairs = histories.select(*PAIR, "weight")
    indexed = pairs.join(item_factors.select("item_id", "item_index"), on="item_id", how="inner")
    entry = F.struct("item_index", F.col("weight").cast("double").alias("weight"))
    lists = indexed.groupBy("person_id").agg(F.sort_array(F.collect_list(entry)).alias("_entries"))
    parts = (F.col("_entries.item_index").alias("indexes"), F.col("_entries.weight").alias("weights"))
    return lists.select("person_id", *parts)


def folded_factors(histories: DataFrame, items: ItemFactors, form: Form) -> DataFrame:
    """Factors of persons from their histories, by one exact half-step: a batch of persons is solved at once.

    Args:
        histories: what `histories_by_person` gave.
        items: what `collected_items` gave.
        form: the normal equations fitted with.

    Returns:
        person_id, factors (array of double).
    """
    schema = StructType([histories.schema["person_id"], StructField("factors", ArrayType(DoubleType()))])
    spectrum, axes = principal_axes(items.factors, form.implicit)
    source = items.factors @ axes

    def fold(batches: Batches) -> Batches:
        for batch in batches:
            indexes, weights = ragged(batch["indexes"]), batch["weights"].flatten().to_numpy(zero_copy_only=False)
            start = np.zeros((batch.num_rows, len(axes)))
            solved, _ = solved_rows((indexes.offsets, indexes.values, weights), source, spectrum, form, start)
            offsets = pa.array(np.arange(len(solved) + 1, dtype=np.int32) * len(axes), pa.int32())
            packed = pa.ListArray.from_arrays(offsets, pa.array((solved @ axes.T).ravel()))
            yield pa.RecordBatch.from_arrays([batch["person_id"], packed], names=["person_id", "factors"])

    return histories.mapInArrow(fold, schema)


def factor_matrix(lists: pa.Array | pa.ChunkedArray) -> Doubles:
    """Lists of one length as the rows of a matrix."""
    array = pa.concat_arrays(lists.chunks) if isinstance(lists, pa.ChunkedArray) else lists
    if len(array) == 0:
        return np.empty((0, 0))
    flat: Doubles = array.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    return flat.reshape(len(array), -1)


def ragged(lists: pa.Array) -> Ragged:
    """Lists of numbers, as they lie in memory."""
    lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Ragged(offsets, lists.flatten().to_numpy(zero_copy_only=False).astype(np.int64))
