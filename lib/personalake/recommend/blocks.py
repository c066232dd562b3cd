"""Blocked scoring: top lists for everyone, scores of given pairs, and the persons for an item, one shuffle each.

All that is known of persons goes to their tasks in one shuffle of tagged rows: no join, no sort, no pair of person and
item that nobody asked for. A task gathers its persons and scores them in blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_type
from pyspark.sql.types import ArrayType, BinaryType, DoubleType, StructField, StructType

from personalake.recommend.block_kernels import row_blocks
from personalake.recommend.block_rows import (
    ASKED,
    FACTORS,
    HISTORY,
    MASKED,
    WANTED,
    Reading,
    gathered,
    indexes_of,
)
from personalake.recommend.block_scorers import Scorer, item_ids
from personalake.recommend.checks import PAIR
from personalake.recommend.ragged import Ragged

Batches = Iterator[pa.RecordBatch]


def packed_lists(
    scorer: Scorer,
    persons: DataFrame,
    histories: DataFrame,
    limit: int,
    exclude: DataFrame | None = None,
    factors: DataFrame | None = None,
    unavailable: DataFrame | None = None,
) -> DataFrame:
    """Each person's best items, one packed row per person.

    Masks are applied before the cut. Scores are rounded to 9 decimals; equal ones go by item_id.

    Args:
        scorer: what scores.
        persons: reads person_id; may repeat; those of whom nothing is known get no row.
        histories: person_id, item_id, weight; its columns' types are those of the result.
        limit: list length, ≥ 1.
        exclude: person_id, item_id never to return; None: what is in histories.
        factors: person_id, factors, where the scorer goes by factors; histories then only mask.
        unavailable: item_id never to return to anyone.

    Returns:
        person_id, item_ids, scores (best first); no row for an empty list.

    Cost:
        One shuffle of histories, exclude and persons by person_id; no sort. A task holds its persons' rows (some 40
        bytes each) and a block of scores of at most 64 MiB. unavailable is collected: one id per item.
    """
    reading = Reading(factors is not None, mask_histories=exclude is None)
    rows = rows_by_person(histories, factors, {WANTED: persons, MASKED: exclude}, reading)
    closed = None if unavailable is None else collected_items(unavailable, histories)
    item_type = histories.schema["item_id"].dataType
    kinds = {"item_ids": ArrayType(item_type, False), "scores": ArrayType(DoubleType(), False)}
    fields = [histories.schema["person_id"], *(StructField(name, kind) for name, kind in kinds.items())]
    arrow_type = to_arrow_type(item_type)

    def rank(batches: Batches) -> Batches:
        loaded = scorer.arrays.load()
        ids = item_ids(loaded)
        known = gathered(batches, ids, reading)
        hidden = np.empty(0, np.int64) if closed is None else indexes_of(closed, ids)
        for start, stop in row_blocks(len(known), scorer.row_bytes(len(ids), limit)):
            masked = known.masked.rows(start, stop)
            best = scorer.top(loaded, known.block.rows(start, stop), masked, hidden[hidden >= 0], limit)
            yield _packed(known.persons[start:stop], best, ids, arrow_type)

    return rows.mapInArrow(rank, StructType(fields))


def unpacked(lists: DataFrame) -> DataFrame:
    """One row per entry of packed lists: person_id, item_id, score, candidate_rank (int, from 1)."""
    entry = F.posexplode(F.arrays_zip("item_ids", "scores")).alias("_place", "_entry")
    item, score = F.col("_entry.item_ids").alias("item_id"), F.col("_entry.scores").alias("score")
    rank = (F.col("_place") + F.lit(1)).alias("candidate_rank")
    return lists.select("person_id", entry).select("person_id", item, score, rank)


def pair_scores(scorer: Scorer, pairs: DataFrame, histories: DataFrame, factors: DataFrame | None = None) -> DataFrame:
    """The scores of given pairs.

    Args:
        scorer: what scores.
        pairs: reads person_id, item_id; may repeat.
        histories: person_id, item_id, weight; its columns' types are those of the result.
        factors: person_id, factors, where the scorer goes by factors; histories are not read then.

    Returns:
        person_id, item_id, score, each pair once; no row where there is nothing to say.

    Cost:
        One shuffle of histories (or factors) and pairs by person_id.
    """
    reading = Reading(factors is not None, mask_histories=False)
    rows = rows_by_person(histories, factors, {WANTED: pairs, ASKED: pairs}, reading)
    arrow_type = to_arrow_type(histories.schema["item_id"].dataType)

    def score(batches: Batches) -> Batches:
        loaded = scorer.arrays.load()
        ids = item_ids(loaded)
        known = gathered(batches, ids, reading)
        for start, stop in row_blocks(len(known), scorer.row_bytes(len(ids), len(ids))):
            asked = known.asked.rows(start, stop)
            scores = scorer.pairs(loaded, known.block.rows(start, stop), asked)
            told = np.flatnonzero(np.isfinite(scores))
            person = known.persons[start:stop].take(pa.array(asked.row_numbers()[told]))
            item = ids.take(pa.array(asked.values[told])).cast(arrow_type)
            yield pa.RecordBatch.from_arrays([person, item, pa.array(scores[told])], names=[*PAIR, "score"])

    fields = [*(histories.schema[name] for name in PAIR), StructField("score", DoubleType())]
    return rows.mapInArrow(score, StructType(fields))


def rows_by_person(
    histories: DataFrame, factors: DataFrame | None, others: dict[int, DataFrame | None], reading: Reading
) -> DataFrame:
    """All rows, tagged by what they say, each person's in one partition."""
    factors = None if factors is None else _with_bytes(factors)
    # Beside factors a history is of use as a mask alone.
    own = {HISTORY: histories} if factors is None else {FACTORS: factors}
    if factors is not None and reading.mask_histories:
        own[MASKED] = histories
    given = [*own.items(), *((role, frame) for role, frame in others.items() if frame is not None)]
    tagged = [_tagged(frame, role, histories, factors) for role, frame in given]
    together = reduce(DataFrame.unionByName, tagged)
    return together.repartition(_partitions(together.sparkSession), "person_id")


def _with_bytes(factors: DataFrame) -> DataFrame:
    """Factors as the bytes of float64: Spark sizes up a list column anew for each row it sends, most of them null."""

    def pack(batches: Batches) -> Batches:
        for batch in batches:
            lists = batch["factors"]
            numbers = lists.flatten().to_numpy(zero_copy_only=False).astype(np.float64)
            ends = np.concatenate([[0], np.cumsum(pc.list_value_length(lists).to_numpy(zero_copy_only=False))]) * 8
            parts = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(numbers)]
            values = pa.Array.from_buffers(pa.binary(), len(lists), parts)
            yield pa.RecordBatch.from_arrays([batch["person_id"], values], names=["person_id", "factors"])

    known = factors.where(F.col("factors").isNotNull()).select("person_id", "factors")
    return known.mapInArrow(pack, StructType([factors.schema["person_id"], StructField("factors", BinaryType())]))


def _partitions(spark: SparkSession) -> int:
    """As many as the session shuffles into, within reason: by bytes Spark would merge them, and leave cores idle."""
    return min(int(str(spark.conf.get("spark.sql.shuffle.partitions"))), 16 * spark.sparkContext.defaultParallelism)


def _tagged(frame: DataFrame, role: int, histories: DataFrame, factors: DataFrame | None) -> DataFrame:
    person, item = (histories.schema[name].dataType for name in PAIR)
    has_item = role in (HISTORY, MASKED, ASKED)
    # An id that the model's type cannot hold is an unknown one.
    columns = [
        F.col("person_id").try_cast(person).alias("person_id"),
        F.lit(role).cast("byte").alias("role"),
        (F.col("item_id").try_cast(item) if has_item else F.lit(None).cast(item)).alias("item_id"),
        (F.col("weight").cast("double") if role == HISTORY else F.lit(None).cast("double")).alias("weight"),
    ]
    if factors is not None:
        kind = factors.schema["factors"].dataType
        columns.append((F.col("factors") if role == FACTORS else F.lit(None).cast(kind)).alias("factors"))
    return frame.where(F.col("person_id").isNotNull()).select(*columns)


def collected_items(frame: DataFrame, like: DataFrame) -> pa.Array:
    """Distinct ids: no more than there are items."""
    named = frame.select(F.col("item_id").try_cast(like.schema["item_id"].dataType).alias("item_id"))
    return pc.unique(named.where(F.col("item_id").isNotNull()).toArrow()["item_id"])


def _packed(persons: pa.Array, best: Ragged, ids: pa.Array, arrow_type: pa.DataType) -> pa.RecordBatch:
    """Lists side by side: person_id, item_ids, scores; empty ones are left out."""
    some = np.flatnonzero(np.diff(best.offsets))
    offsets = pa.array(np.append(best.offsets[some], best.offsets[-1]), pa.int32())
    values = ids.take(pa.array(best.values)).cast(arrow_type), pa.array(best.weights)
    lists = [pa.ListArray.from_arrays(offsets, part) for part in values]
    return pa.RecordBatch.from_arrays([persons.take(pa.array(some)), *lists], names=["person_id", "item_ids", "scores"])
