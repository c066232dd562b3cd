"""Re-ranking over Arrow batches: one packed row of candidates per person goes in, rows in their new order come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from personalake.recommend.rerank.kernel import NOTHING, Doubles, Ints, Lists, Order, greedy_picks
from personalake.recommend.rules.exclusions import RULE

KINDS = ("category", "brand", "price_band")
OUT = ("item_id", "score", "source", "audience", "tier_rank", "popularity_rank")
_CELLS_AT_ONCE = 1_000_000
Batches = Iterator[pa.RecordBatch]


def reranked(rows: DataFrame, order: Order, cap_codes: Sequence[str]) -> DataFrame:
    """Lists in a new order, each person's in one task.

    Args:
        rows: person_id, item_id, score (null behind the person's own), source, audience, tier_rank (0: the person's
            own), popularity_rank, taste_share, category, brand, price_band.
        order: what to go by.
        cap_codes: rule code of each of the order's caps.

    Returns:
        person_id, item_id, score (the candidate's own, no higher than that of the rank before), source, audience,
        tier_rank, popularity_rank, place_rank (int, from 1; null for what a cap kept out), rule_code (of that cap).

    Cost:
        One shuffle by person.
    """
    first = F.struct(
        F.col("tier_rank").alias("tier"),
        (-F.coalesce("score", F.lit(0.0))).alias("worst"),
        F.coalesce("popularity_rank", F.lit(0)).alias("popularity"),
        F.col("item_id").alias("item"),
    )
    kept = (*OUT, "taste_share", *KINDS)
    entries = F.sort_array(F.collect_list(F.struct(first.alias("first"), *kept)))
    lists = rows.groupBy("person_id").agg(entries.alias("entries"))
    packed = lists.select("person_id", *(F.col(f"entries.{name}").alias(name) for name in kept))
    fields = [StructField(name, rows.schema[name].dataType) for name in ("person_id", *OUT)]
    schema = StructType([*fields, StructField("place_rank", IntegerType()), StructField(RULE, StringType())])
    return packed.mapInArrow(_ordering(order, tuple(cap_codes)), schema)


def _ordering(order: Order, cap_codes: tuple[str, ...]) -> Callable[[Batches], Batches]:
    def place(batches: Batches) -> Batches:
        for batch in batches:
            start = 0
            while start < batch.num_rows:
                longest = int(pc.max(pc.list_value_length(batch["item_id"])).as_py() or 1)
                size = max(1, _CELLS_AT_ONCE // longest)
                yield _placed(batch.slice(start, size), order, cap_codes)
                start += size

    return place


def _placed(batch: pa.RecordBatch, order: Order, cap_codes: tuple[str, ...]) -> pa.RecordBatch:
    lengths = pc.list_value_length(batch["item_id"]).to_numpy(zero_copy_only=False).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    flat = {name: batch[name].flatten() for name in batch.schema.names if name != "person_id"}
    scores = flat["score"].fill_null(np.nan).to_numpy(zero_copy_only=False)
    picks, kept_out = greedy_picks(_lists(flat, scores, lengths, starts), order)
    persons, places = np.nonzero(picks != NOTHING)
    found = starts[persons] + picks[persons, places]
    out_persons, out_places = np.nonzero(kept_out != NOTHING)
    chosen = pa.array(np.concatenate([found, starts[out_persons] + out_places]))
    is_out = np.arange(len(chosen)) >= len(found)
    unranked = np.zeros(len(out_persons), np.int64)
    ranks = pa.array(np.concatenate([places + 1, unranked]).astype(np.int32), mask=is_out)
    caps = pa.array(np.concatenate([np.zeros(len(found), np.int64), kept_out[out_persons, out_places]]), mask=~is_out)
    falling = _falling(scores, picks, starts)[persons, places]
    columns = {name: flat[name].take(chosen) for name in OUT}
    columns["score"] = pa.array(np.concatenate([falling, unranked * np.nan]), from_pandas=True)
    person_ids = batch["person_id"].take(pa.array(np.concatenate([persons, out_persons])))
    codes = pa.array([*cap_codes, ""], pa.string()).take(caps)
    arrays = [person_ids, *(columns[name] for name in OUT), ranks, codes]
    return pa.RecordBatch.from_arrays(arrays, names=["person_id", *OUT, "place_rank", RULE])


def _lists(flat: dict[str, pa.Array], scores: Doubles, lengths: Ints, starts: Ints) -> Lists:
    """The candidates padded to the longest list; relevance is the score over the person's best."""
    width = int(lengths.max(initial=0))
    is_there = np.arange(width)[None, :] < lengths[:, None]
    cell = np.where(is_there, starts[:, None] + np.arange(width)[None, :], 0)
    own = is_there & (flat["tier_rank"].to_numpy(zero_copy_only=False)[cell] == 0)
    padded = np.where(own, scores[cell], 0.0)
    best = padded.max(axis=1, keepdims=True)
    attributes = np.stack([_numbered(flat[kind])[cell] for kind in KINDS], axis=2)
    taste = flat["taste_share"].fill_null(0.0).to_numpy(zero_copy_only=False)[cell]
    return Lists(padded / np.where(best > 0, best, 1.0), own, is_there, attributes, taste)


def _numbered(values: pa.Array) -> Ints:
    encoded = pc.dictionary_encode(values.cast(pa.string()))
    numbers: Ints = encoded.indices.fill_null(NOTHING).to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


def _falling(scores: Doubles, picks: Ints, starts: Ints) -> Doubles:
    """Scores of the picks, none above that of the rank before; NaN where a pick has none."""
    mine = np.where(picks == NOTHING, np.nan, scores[starts[:, None] + np.maximum(picks, 0)])
    lowest: Doubles = np.fmin.accumulate(mine, axis=1)
    return np.where(np.isnan(mine), np.nan, lowest)
