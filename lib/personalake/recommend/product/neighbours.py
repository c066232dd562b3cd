"""Rows that are like rows: the one door to the sparse product, whichever plan multiplies."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_type

from personalake.errors import ConfigError, Fault
from personalake.recommend.checks import INDEXES, PAIR, checked_interactions
from personalake.recommend.index import indexed_ids
from personalake.recommend.node_arrays import NodeArrays
from personalake.recommend.packed import fetched
from personalake.recommend.product.broadcast import broadcast_neighbours
from personalake.recommend.product.join import item_facts, join_neighbours
from personalake.recommend.product.matrix import Matrix, Numbers, matrix_in_order, numbers_of, renamed
from personalake.recommend.product.plan import Choice, Plan, chosen, megabytes
from personalake.recommend.product.rows import Rule
from personalake.recommend.product.shuffle import fewest_stripes, shuffle_neighbours
from personalake.recommend.product.weighting import Weights, centred, weighted, with_centred, with_value

Array = npt.NDArray[Any]
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Product:
    """What to multiply and how.

    Args:
        rule: which pairs count, by what measure, how many are kept.
        weights: what an entry counts.
        is_centred: whether each item's mean over all its entries is taken off first.
        plan: which plan.
        memory_mb: what the matrix may take on the driver and on every node [MiB].
    """

    rule: Rule
    weights: Weights = "raw"
    is_centred: bool = False
    plan: Plan = "auto"
    memory_mb: int = 2048


def fit_neighbours(
    interactions: DataFrame, product: Product, check: bool = True
) -> tuple[DataFrame, Choice, NodeArrays | None]:
    """Each item's nearest items, computed when first asked for.

    Args:
        interactions: one row per pair; reads person_id, item_id, weight, and the two indexes where they are there.
        product: what to multiply and how.
        check: False trusts the rows.

    Returns:
        item_id, neighbour_id, similarity_score, neighbour_rank; which plan was taken; what to release afterwards.

    Raises:
        DataError: what `checks.checked_interactions` finds, all at once.
        ConfigError: the broadcast plan is asked for, and the matrix does not fit memory_mb.

    Cost:
        A count, then that of the plan. The broadcast plan looks at the rows where it collects them anyway.
    """
    rows = checked_interactions(interactions, check=False)
    choice = _chosen(rows, product)
    if choice.plan == "broadcast":
        if megabytes(choice.row_count) > product.memory_mb:
            found = f"is {product.memory_mb:,}, and the matrix takes {megabytes(choice.row_count):,} MiB."
            raise ConfigError(Fault("memory_mb", found, "Raise it to what the driver can hold, or take plan shuffle."))
        matrix = fit_matrix(rows, check)
        choice = replace(choice, pair_count=matrix.pair_count)
        values = weighted(matrix.by_person, product.weights)
        values = centred(values) if product.is_centred else values
        id_type = rows.schema["item_id"].dataType
        neighbours, arrays = broadcast_neighbours(rows.sparkSession, matrix, values, product.rule, id_type)
        LOG.info("%s", choice)
        return neighbours, choice, arrays
    checked_interactions(interactions, check)
    if choice.plan == "join":
        LOG.info("%s", choice)
        numbered = _numbered(rows)
        return join_neighbours(_entries(numbered, product), numbered, product.rule), choice, None
    return _fit_shuffled(rows, product, choice)


def _chosen(rows: DataFrame, product: Product) -> Choice:
    """The plan, with a warning where no pair can be alike."""
    if product.rule.measure not in ("pearson", "pearson_centred"):
        return chosen(product.plan, rows.count(), product.memory_mb)
    kinds = (F.count(F.lit(1)).alias("rows"), F.min("weight").alias("least"), F.max("weight").alias("most"))
    found = rows.agg(*kinds).collect()[0]
    choice = chosen(product.plan, found["rows"], product.memory_mb)
    # By tfidf and bm25 equal weights come to differ by person and item.
    is_same = product.weights in ("raw", "log") and found["least"] == found["most"]
    is_even = product.weights == "unit" or is_same
    if not (found["rows"] and is_even):
        return choice
    text = "; all weights are equal, so that pearson finds nothing alike: take measure cosine"
    return replace(choice, warning=text)


def fit_matrix(rows: DataFrame, check: bool) -> Matrix:
    """Collect the entries and order them; the caller knows that they fit.

    Args:
        rows: what `checks.checked_interactions` gives.
        check: whether to look at the rows; the indexes are used only where they are trusted.

    Raises:
        DataError: what `checks.checked_interactions` finds, all at once.
    """
    by_index = not check and set(INDEXES) <= set(rows.columns)
    matrix = matrix_in_order(*_numbers_and_weights(rows, INDEXES if by_index else PAIR, check))
    if check and matrix.repeated:
        checked_interactions(rows)
    if by_index:
        names = rows.select("item_index", "item_id").distinct().toArrow().sort_by("item_index")
        places = pc.index_in(matrix.ids, names["item_index"])
        matrix = renamed(matrix, names["item_id"].combine_chunks().take(places))
    return replace(matrix, ids=matrix.ids.cast(to_arrow_type(rows.schema["item_id"].dataType)))


def _numbers_and_weights(rows: DataFrame, ids: Sequence[str], check: bool) -> tuple[Numbers, Array]:
    """What the matrix is ordered from: the rows as they were fetched are let go of here."""
    table = fetched(rows.select(*ids, "weight"))
    if check and not _is_sound(table):
        checked_interactions(rows)
    return numbers_of(table.column(0), table.column(1)), table["weight"].to_numpy()


def _is_sound(table: pa.Table) -> bool:
    if any(column.null_count for column in table.columns):
        return False
    weights = table["weight"].to_numpy()
    return bool(np.isfinite(weights).all() and (weights > 0).all())


def _numbered(rows: DataFrame) -> DataFrame:
    """The rows by small integers where it pays: _person, _item, item_id, weight."""
    if set(INDEXES) <= set(rows.columns):
        return rows.select(
            F.col("person_index").alias("_person"), F.col("item_index").alias("_item"), "item_id", "weight"
        )
    if dict(rows.dtypes)["item_id"] == "string":
        named = rows.join(indexed_ids(rows, "item_id", "_item"), on="item_id", how="inner")
        return named.select(F.col("person_id").alias("_person"), "_item", "item_id", "weight")
    return rows.select(F.col("person_id").alias("_person"), F.col("item_id").alias("_item"), "item_id", "weight")


def _entries(numbered: DataFrame, product: Product) -> DataFrame:
    rows = with_value(numbered, product.weights)
    return with_centred(rows) if product.is_centred else rows


def _fit_shuffled(rows: DataFrame, product: Product, choice: Choice) -> tuple[DataFrame, Choice, NodeArrays]:
    """Items are numbered by falling count of persons: every so-many-th of them is a stripe with its share of each."""
    counts = rows.groupBy("item_id").agg(F.count(F.lit(1)).alias("_persons"))
    numbers = counts.select(
        "item_id",
        (F.row_number().over(Window.orderBy(F.desc("_persons"), "item_id")) - 1).alias("_item"),
        (F.row_number().over(Window.orderBy("item_id")) - 1).alias("_order"),
    )
    persons = indexed_ids(rows, "person_id", "_person")
    numbered = rows.join(numbers, on="item_id", how="inner").join(persons, on="person_id", how="inner")
    entries = _entries(numbered.select("_person", "_item", "item_id", "_order", "weight"), product)
    lengths = {
        int(row["_length"]): int(row["_count"])
        for row in rows.groupBy("person_id")
        .agg(F.count(F.lit(1)).alias("_length"))
        .groupBy("_length")
        .agg(F.count(F.lit(1)).alias("_count"))
        .collect()
    }
    facts = item_facts(entries, "_order")
    stripes = max(fewest_stripes(lengths, product.memory_mb), rows.sparkSession.sparkContext.defaultParallelism)
    choice = replace(choice, pair_count=sum(count * length * length for length, count in lengths.items()))
    LOG.info("%s, %d stripes", choice, stripes)
    found, arrays = shuffle_neighbours(entries, facts, sum(lengths.values()), stripes, product.rule)
    ids = numbers.select("item_id", "_item")
    named = found.join(ids, on="_item", how="inner")
    others = ids.select(F.col("item_id").alias("neighbour_id"), F.col("_item").alias("_neighbour"))
    rows_out = named.join(others, on="_neighbour", how="inner")
    return rows_out.select("item_id", "neighbour_id", "similarity_score", "neighbour_rank"), choice, arrays
