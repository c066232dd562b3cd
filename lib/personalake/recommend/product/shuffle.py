"""The shuffle plan, for a matrix that no node can hold: each stripe of items is sent the histories it needs, packed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault
from personalake.recommend.node_arrays import NodeArrays, put_on_nodes
from personalake.recommend.product.rows import Items, Rule, batches_of, entries_of, nearest, ranks_of
from personalake.recommend.product.words import rows_of

Array = npt.NDArray[Any]
_PACKED = "stripe int, lengths binary, items binary, values binary"
_FOUND = "_item int, _neighbour int, similarity_score double, neighbour_rank int"
_FOUND_SCHEMA = pa.schema(
    {"_item": pa.int32(), "_neighbour": pa.int32(), "similarity_score": pa.float64(), "neighbour_rank": pa.int32()}
)
# What an entry takes in a stripe [bytes]: packed, unpacked by person, and by item.
STRIPE_BYTES = 3 * (4 + 8)
_MOST_STRIPES = 1 << 24


def fewest_stripes(lengths: dict[int, int], memory_mb: int) -> int:
    """How many stripes keep each below a limit: a stripe gets the full history of everyone who has an item of it.

    Args:
        lengths: history length → how many persons have it.
        memory_mb: what one stripe may take in a task [MiB].

    Raises:
        ConfigError: no count of stripes that Spark could go through does.
    """
    stripes = 1
    while (needed := _stripe_mb(lengths, stripes)) > memory_mb:
        if stripes == _MOST_STRIPES:
            found = f"is {memory_mb:,}, and one of {stripes:,} stripes still takes {math.ceil(needed):,} MiB."
            todo = "Raise it to what a task can hold, or cut the longest histories (item_cosine: set history_cap)."
            raise ConfigError(Fault("memory_mb", found, todo))
        stripes *= 2
    return stripes


def _stripe_mb(lengths: dict[int, int], stripes: int) -> float:
    entries = sum(persons * length * min(stripes, length) for length, persons in lengths.items())
    return entries * STRIPE_BYTES / (stripes << 20)


def shuffle_neighbours(
    entries: DataFrame, facts: DataFrame, person_count: int, stripes: int, rule: Rule
) -> tuple[DataFrame, NodeArrays]:
    """Each item's nearest items.

    Args:
        entries: one row per pair; reads _person and _item (dense int from 0), _value.
        facts: one row per item; reads _item, _order (place in the order of ids), _count, _norm; collected: one row per
            item, 20 bytes each.
        person_count: of all persons.
        stripes: parts the items are dealt to, ≥ 1; see `fewest_stripes`.
        rule: which pairs, by what measure, how many.

    Returns:
        _item, _neighbour, similarity_score, neighbour_rank; and the handle to release when they were computed.

    Cost:
        One shuffle by person, one of Σ min(stripes, history) × history entries of 12 bytes by stripe.
    """
    table = facts.select("_item", "_order", "_count", "_norm").toArrow()
    arrays = put_on_nodes(entries.sparkSession, _by_number(table))
    history = F.sort_array(F.collect_list(F.struct("_item", "_value"))).alias("_history")
    lists = entries.groupBy("_person").agg(history)
    parts = (F.col("_history._item").alias("items"), F.col("_history._value").alias("values"))
    packed = lists.select(*parts).mapInArrow(_packer(stripes), _PACKED)
    multiply = _multiplier(arrays, stripes, person_count, rule)
    return packed.groupBy("stripe").applyInArrow(multiply, _FOUND), arrays


def _by_number(facts: pa.Table) -> dict[str, Array]:
    """Facts at the place of their item's number; an item whose entries count nothing has none, and leaves a gap."""
    numbers = facts["_item"].to_numpy()
    size = int(numbers.max()) + 1 if len(numbers) else 0
    found: dict[str, Array] = {"orders": np.zeros(size, np.int32), "counts": np.zeros(size), "norms": np.ones(size)}
    for name, column in (("orders", "_order"), ("counts", "_count"), ("norms", "_norm")):
        found[name][numbers] = facts[column].to_numpy()
    return found


def _packer(stripes: int) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            lengths = np.diff(batch["items"].offsets.to_numpy())
            items = batch["items"].flatten().to_numpy()
            values = batch["values"].flatten().to_numpy()
            starts = np.concatenate([[0], np.cumsum(lengths)])
            rows = np.repeat(np.arange(len(lengths)), lengths)
            # A person counts once per stripe that has an item of the history.
            needed = np.unique((items % stripes).astype(np.int64) * len(lengths) + rows)
            for stripe in np.unique(needed // max(1, len(lengths))):
                persons = needed[needed // len(lengths) == stripe] % len(lengths)
                at = entries_of(starts[persons], lengths[persons])
                parts = [lengths[persons].astype(np.int32), items[at].astype(np.int32), values[at]]
                columns = [pa.array([int(stripe)], pa.int32())]
                columns += [pa.array([part.tobytes()], pa.binary()) for part in parts]
                yield pa.RecordBatch.from_arrays(columns, names=["stripe", "lengths", "items", "values"])

    return pack


def _multiplier(
    arrays: NodeArrays, stripes: int, person_count: int, rule: Rule
) -> Callable[[tuple[pa.Scalar, ...], pa.Table], pa.Table]:
    def multiply(key: tuple[pa.Scalar, ...], table: pa.Table) -> pa.Table:
        here = arrays.load()
        items = Items(here["norms"], here["counts"], here["orders"], person_count)
        lengths, columns = _unpacked(table, "lengths", np.int32), _unpacked(table, "items", np.int32)
        values = _unpacked(table, "values", np.float64)
        starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        persons = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        wanted, by_item = _by_item(columns, persons, values, key[0].as_py(), stripes, items.norms.size)
        by_person = rows_of(starts, columns, values, items.norms.size)
        batches = []
        for part in batches_of(wanted, items, rule):
            found, scores, kept = nearest(part, by_item, by_person, items, rule)
            rows = [pa.array(column) for column in (np.repeat(part, kept), found, scores, ranks_of(kept))]
            batches.append(pa.RecordBatch.from_arrays(rows, schema=_FOUND_SCHEMA))
        return pa.Table.from_batches(batches, _FOUND_SCHEMA)

    return multiply


def _by_item(
    columns: Array, persons: Array, values: Array, stripe: int, stripes: int, item_count: int
) -> tuple[Array, tuple[Array, Array, Array]]:
    """The stripe's items, and the matrix by item of these alone."""
    mine = np.flatnonzero(columns % stripes == stripe)
    mine = mine[np.argsort(columns[mine], kind="stable")]
    counts = np.bincount(columns[mine], minlength=item_count)
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    return np.flatnonzero(counts).astype(np.int32), (starts, persons[mine], values[mine])


def _unpacked(table: pa.Table, name: str, dtype: Any) -> Array:
    parts = [np.frombuffer(part.as_buffer(), dtype) for part in table[name]]
    return np.concatenate(parts) if parts else np.empty(0, dtype)
