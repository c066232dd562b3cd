"""Blocked scoring the other way round: which persons for an item."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_type
from pyspark.sql.types import DoubleType, StructField, StructType

from personalake.recommend.block_kernels import best_of, row_blocks
from personalake.recommend.block_rows import MASKED, WANTED, PersonRows, Reading, gathered, indexes_of
from personalake.recommend.block_scorers import Loaded, Scorer, item_ids
from personalake.recommend.blocks import collected_items, rows_by_person
from personalake.recommend.ragged import Doubles, Ints, Ragged
from personalake.recommend.top import top_audience

Batches = Iterator[pa.RecordBatch]


def blocked_audience(
    scorer: Scorer,
    items: DataFrame,
    limit: int,
    histories: DataFrame,
    persons: DataFrame | None = None,
    exclude: DataFrame | None = None,
    factors: DataFrame | None = None,
) -> DataFrame:
    """The persons with the highest scores for given items.

    Args:
        scorer: what scores.
        items: reads item_id: few, as their ids are collected and a block holds a score for each.
        limit: persons per item, ≥ 1.
        histories: as `packed_lists`.
        persons: person_id to choose from; None: everyone of whom something is known.
        exclude: person_id, item_id never to return; None: what is in histories.
        factors: as `packed_lists`.

    Returns:
        item_id, person_id, score, audience_rank (int, from 1: by falling score, then person_id).

    Cost:
        One shuffle of histories, exclude and persons by person_id; then one of limit rows per task and item.
    """
    reading = Reading(factors is not None, mask_histories=exclude is None, everyone=persons is None)
    rows = rows_by_person(histories, factors, {WANTED: persons, MASKED: exclude}, reading)
    wanted = collected_items(items, histories)
    arrow_type = to_arrow_type(histories.schema["item_id"].dataType)

    def choose(batches: Batches) -> Batches:
        loaded = scorer.arrays.load()
        ids = item_ids(loaded)
        known = gathered(batches, ids, reading)
        asked = indexes_of(wanted, ids)
        for item, (places, scores) in zip(*_best_persons(scorer, loaded, known, asked[asked >= 0], limit), strict=True):
            names = pa.repeat(ids[int(item)], len(places)).cast(arrow_type)
            found = [names, known.persons.take(pa.array(places)), pa.array(scores)]
            yield pa.RecordBatch.from_arrays(found, names=["item_id", "person_id", "score"])

    fields = [histories.schema["item_id"], histories.schema["person_id"], StructField("score", DoubleType())]
    return top_audience(rows.mapInArrow(choose, StructType(fields)), limit)


def _best_persons(
    scorer: Scorer, loaded: Loaded, known: PersonRows, items: Ints, limit: int
) -> tuple[Ints, list[tuple[Ints, Doubles]]]:
    """The items, and for each the places of its best persons with their scores."""
    order = np.empty(len(known), np.int64)
    order[pc.sort_indices(known.persons).to_numpy()] = np.arange(len(known))
    column = np.full(len(item_ids(loaded)), -1)
    column[items] = np.arange(len(items))
    best = [(np.empty(0, np.int64), np.empty(0)) for _ in items]
    width = max(len(items), scorer.row_bytes(len(column), len(column)) // 8)
    for start, stop in row_blocks(len(known), 8 * width):
        count = stop - start
        asked = Ragged(np.arange(count + 1) * len(items), np.tile(items, count))
        scores = scorer.pairs(loaded, known.block.rows(start, stop), asked).reshape(count, len(items))
        masked = known.masked.rows(start, stop)
        hidden = column[masked.values]
        scores[masked.row_numbers()[hidden >= 0], hidden[hidden >= 0]] = np.nan
        for place, (persons, kept) in enumerate(best):
            everyone = np.append(persons, np.arange(start, stop)), np.append(kept, scores[:, place])
            top = best_of(everyone[1], order[everyone[0]], limit)
            best[place] = everyone[0][top], everyone[1][top]
    return items, best
