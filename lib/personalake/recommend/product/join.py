"""The join plan: the plain self-join of the sparse matrix. Needs nothing but Spark; what the other plans must equal."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.recommend.product.measures import CODES, WITH_MOMENTS, PairColumns, similarity
from personalake.recommend.product.rows import Rule
from personalake.recommend.top import rounded

# Per item: its id, how many persons have it, its norm.
_FACTS = {"item_id": "id", "_count": "count", "_norm": "norm"}


def join_neighbours(entries: DataFrame, persons: DataFrame, rule: Rule) -> DataFrame:
    """Each item's nearest items.

    Args:
        entries: one row per pair; reads _person and _item (any type that can be grouped and compared), item_id, _value.
        persons: reads _person; all there are, also those whose entries count nothing; may repeat.
        rule: which pairs, by what measure, how many.

    Returns:
        item_id, neighbour_id, similarity_score, neighbour_rank (int, from 1).

    Cost:
        Σ over persons of (items)² / 2 joined pairs, shuffled once by pair of items after partial sums; each pair is
        mirrored after it is summed.
    """
    facts = item_facts(entries, "item_id")
    pairs = _pair_sums(entries, rule).where(F.col("_both") >= rule.min_co_count)
    for side in "ab":
        names = {"_item": f"{side}_item"} | {old: f"{side}_{new}" for old, new in _FACTS.items()}
        pairs = pairs.join(facts.withColumnsRenamed(names), on=f"{side}_item", how="inner")
    if rule.measure == "llr":
        count = persons.agg(F.count_distinct("_person").cast("double").alias("_persons"))
        pairs = pairs.crossJoin(F.broadcast(count))
    here, there = (_alike(rule, *sides) for sides in (("a", "b"), ("b", "a")))
    directed = pairs.select(F.explode(F.array(here, there)).alias("_pair")).select("_pair.*")
    return ranked_neighbours(directed.where(F.col("similarity_score") > 0), rule.neighbours)


def neighbours_among(asked: DataFrame, known: DataFrame, rule: Rule) -> DataFrame:
    """The nearest known items of items that are not, or not yet, among them.

    Args:
        asked, known: one row per pair; read _person, item_id, _value. An item is no neighbour of itself.
        rule: which pairs, by what measure (but llr), how many.

    Returns:
        item_id (of asked), neighbour_id (of known), similarity_score, neighbour_rank (int, from 1).

    Cost:
        The products of asked with known entries, shuffled once by pair.
    """
    sides = {"a": asked, "b": known}
    left, right = (
        rows.select("_person", F.col("item_id").alias(f"{side}_item"), F.col("_value").alias(side))
        for side, rows in sides.items()
    )
    met = left.join(right, on="_person", how="inner").where(F.col("a_item") != F.col("b_item"))
    pairs = _summed(met, rule).where(F.col("_both") >= rule.min_co_count)
    for side, rows in sides.items():
        facts = item_facts(rows.withColumn("_item", F.col("item_id")), "item_id")
        names = {"_item": f"{side}_item"} | {old: f"{side}_{new}" for old, new in _FACTS.items()}
        pairs = pairs.join(facts.withColumnsRenamed(names), on=f"{side}_item", how="inner")
    directed = pairs.select(_alike(rule, "a", "b").alias("_pair")).select("_pair.*")
    return ranked_neighbours(directed.where(F.col("similarity_score") > 0), rule.neighbours)


def item_facts(entries: DataFrame, *names: str) -> DataFrame:
    """How many persons each item has, and its norm: _count, _norm (double), by _item and columns that go with it."""
    return entries.groupBy("_item", *names).agg(
        F.count(F.lit(1)).cast("double").alias("_count"),
        F.sqrt(F.sum(F.col("_value") * F.col("_value"))).alias("_norm"),
    )


def ranked_neighbours(directed: DataFrame, neighbours: int) -> DataFrame:
    """The best of each item's pairs.

    Args:
        directed: item_id, neighbour_id, similarity_score (at 9 decimals).
        neighbours: how many are kept, ≥ 1.

    Returns:
        The same plus neighbour_rank (int, from 1: by falling similarity, then neighbour_id).
    """
    order = Window.partitionBy("item_id").orderBy(F.desc("similarity_score"), F.asc("neighbour_id"))
    ranked = directed.withColumn("neighbour_rank", F.row_number().over(order))
    return ranked.where(F.col("neighbour_rank") <= neighbours)


def _pair_sums(entries: DataFrame, rule: Rule) -> DataFrame:
    """Each pair of items that some person has both of, once: a_item < b_item, _both, _dot, and moments where needed."""
    left, right = (
        entries.select("_person", F.col("_item").alias(f"{side}_item"), F.col("_value").alias(side)) for side in "ab"
    )
    return _summed(left.join(right, on="_person", how="inner").where(F.col("a_item") < F.col("b_item")), rule)


def _summed(met: DataFrame, rule: Rule) -> DataFrame:
    a, b = F.col("a"), F.col("b")
    product = (a - b) * (a - b) if rule.measure == "euclidean" else a * b
    sums = {"_both": F.count(F.lit(1)).cast("double"), "_dot": F.sum(product)}
    if CODES[rule.measure] in WITH_MOMENTS:
        sums |= {"_a_sum": F.sum(a), "_b_sum": F.sum(b), "_a_square": F.sum(a * a), "_b_square": F.sum(b * b)}
    return met.groupBy("a_item", "b_item").agg(*(total.alias(name) for name, total in sums.items()))


def _alike(rule: Rule, one: str, other: str) -> Column:
    """The pair seen from one of its items: item_id, neighbour_id, similarity_score."""

    def moment(side: str, name: str) -> Column:
        return F.col(f"_{side}_{name}") if CODES[rule.measure] in WITH_MOMENTS else F.lit(0.0)

    pair = PairColumns(
        count=F.col("_both"),
        dot=F.col("_dot"),
        a_sum=moment(one, "sum"),
        b_sum=moment(other, "sum"),
        a_square=moment(one, "square"),
        b_square=moment(other, "square"),
        a_count=F.col(f"{one}_count"),
        b_count=F.col(f"{other}_count"),
        a_norm=F.col(f"{one}_norm"),
        b_norm=F.col(f"{other}_norm"),
    )
    score = rounded(similarity(rule.measure, pair, F.col("_persons"), rule.shrink))
    ids = (F.col(f"{one}_id").alias("item_id"), F.col(f"{other}_id").alias("neighbour_id"))
    return F.struct(*ids, score.alias("similarity_score"))
