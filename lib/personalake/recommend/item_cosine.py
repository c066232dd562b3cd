"""Item-item cosine over the sparse person × item matrix, exact, by one self-join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.recommend.checks import INDEXES, PAIR, check_ids, checked_interactions
from personalake.recommend.index import indexed_ids
from personalake.recommend.model import Algorithm, Fitted
from personalake.recommend.top import rounded, top_candidates

Weights = Literal["raw", "log", "unit"]


@dataclass(frozen=True)
class FittedItemCosine(Fitted):
    """Each item's nearest items.

    A person's score for an item is Σ weight × similarity over those of the item's neighbours that are in the person's
    history (Sarwar et al. 2001).

    `neighbours`: item_id, neighbour_id, similarity_score (0–1, at 9 decimals), neighbour_rank (from 1).
    """

    settings: ItemCosine
    neighbours: DataFrame

    def explain(self, pairs: DataFrame) -> DataFrame:
        """The item of a person's history that adds most to the score of another item.

        Args:
            pairs: reads person_id, item_id.

        Returns:
            person_id, item_id, because_item_id (the largest weight × similarity, then the smallest id); pairs without
            a score are left out.

        Raises:
            ConfigError: a column is missing, or ids are of another kind than the model's.
        """
        check_ids(pairs, PAIR, self.interactions, "pairs")
        reasons = self.because(pairs.select("person_id").distinct())
        return reasons.join(pairs.select(*PAIR).distinct(), on=list(PAIR), how="left_semi")

    def because(self, persons: DataFrame) -> DataFrame:
        """For every item that has a score for a person, the item of the history that adds most to it.

        Args:
            persons: reads person_id; each once.

        Returns:
            person_id, item_id, because_item_id (the largest weight × similarity, then the smallest id).

        Cost:
            That of scoring: one shuffle by pair.
        """
        shares = self._shares(self._histories(persons, self.interactions))
        first = F.min(F.struct((-rounded(F.col("share"))).alias("share"), F.col("because_item_id"))).alias("_first")
        named = F.col("_first.because_item_id").alias("because_item_id")
        return shares.groupBy(*PAIR).agg(first).select(*PAIR, named)

    def _candidates(self, persons: DataFrame, limit: int, histories: DataFrame, masked: DataFrame) -> DataFrame:
        shares = self._shares(self._histories(persons, histories))
        return top_candidates(_summed(shares).join(masked, on=list(PAIR), how="left_anti"), limit)

    def _scores(self, pairs: DataFrame) -> DataFrame:
        histories = self._histories(pairs.select("person_id").distinct(), self.interactions)
        return _summed(self._shares(histories))

    def _histories(self, persons: DataFrame, histories: DataFrame) -> DataFrame:
        return histories.join(persons, on="person_id", how="left_semi")

    def _shares(self, histories: DataFrame) -> DataFrame:
        """What each item of a history adds: person_id, item_id, because_item_id, share."""
        value = strength(self.settings.weights)
        mine = histories.select("person_id", F.col("item_id").alias("because_item_id"), value.alias("_value"))
        near = self.neighbours.select(F.col("neighbour_id").alias("because_item_id"), "item_id", "similarity_score")
        share = (F.col("_value") * F.col("similarity_score")).alias("share")
        return mine.join(near, on="because_item_id", how="inner").select(*PAIR, "because_item_id", share)


class ItemCosine(Algorithm):
    """People who took this also took that: cosine between the item columns of the person × item matrix."""

    fitted: ClassVar[type[Fitted]] = FittedItemCosine
    reason_code: ClassVar[str] = "REC-001"
    kind: Literal["item_cosine"] = "item_cosine"
    neighbours: int = Field(default=50, ge=1, description="Nearest items kept per item")
    shrink: float = Field(
        default=0.0, ge=0, description="Added to the product of norms: damps pairs that few persons share"
    )
    min_co_count: int = Field(default=1, ge=1, description="Persons who must share a pair of items for it to count")
    weights: Weights = Field(default="raw", description="What a weight w counts: raw = w, log = ln(1 + w), unit = 1")

    def fit(self, interactions: DataFrame, check: bool = True) -> FittedItemCosine:
        """Fit on interactions: the neighbours are computed when first asked for, then kept in Spark's cache.

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0), and
                person_index with item_index where both are there.
            check: False trusts the rows and saves the job that looks at them.

        Raises:
            DataError: what `checks.checked_interactions` finds, all at once.

        Cost:
            Σ over persons of (history length)² / 2 joined pairs, shuffled once by pair of items after partial sums.
        """
        rows = checked_interactions(interactions, check)
        return FittedItemCosine(self, rows.select(*PAIR, "weight"), item_neighbours(rows, self).persist())


def strength(weights: Weights) -> Column:
    """What the column weight counts in the matrix."""
    return {"raw": F.col("weight"), "log": F.log1p("weight"), "unit": F.lit(1.0)}[weights]


def item_neighbours(interactions: DataFrame, settings: ItemCosine) -> DataFrame:
    """Each item's nearest items by cosine: Σ x·y / (‖x‖ ‖y‖ + shrink).

    Sums are float64 (exact for unit weights). Ranked on the similarity at 9 decimals, then neighbour_id, so neither row
    order nor partitioning can change a rank.

    Args:
        interactions: one row per pair; reads person_id, item_id, weight, and the two indexes where they are there.
        settings: neighbours, shrink, min_co_count, weights.

    Returns:
        item_id, neighbour_id, similarity_score, neighbour_rank (int, from 1).

    Cost:
        See `ItemCosine.fit`; each pair is joined once (i < j) and mirrored after it is summed.
    """
    entries, items = _matrix(interactions, strength(settings.weights))
    names = {"_item": "item", "item_id": "id", "_square": "square"}
    left, right = (items.withColumnsRenamed({old: f"{side}_{new}" for old, new in names.items()}) for side in "ab")
    pairs = (
        _co_sums(entries)
        .where(F.col("_co_count") >= settings.min_co_count)
        .join(left, on="a_item", how="inner")
        .join(right, on="b_item", how="inner")
    )
    norms = F.sqrt("a_square") * F.sqrt("b_square") + F.lit(float(settings.shrink))
    pairs = pairs.select("a_id", "b_id", rounded(F.col("_dot") / norms).alias("similarity_score"))
    both = [_directed("a_id", "b_id"), _directed("b_id", "a_id")]
    directed = pairs.select(F.explode(F.array(*both)).alias("_pair"), "similarity_score").select(
        "_pair.*", "similarity_score"
    )
    order = Window.partitionBy("item_id").orderBy(F.desc("similarity_score"), F.asc("neighbour_id"))
    ranked = directed.withColumn("neighbour_rank", F.row_number().over(order))
    return ranked.where(F.col("neighbour_rank") <= settings.neighbours)


def _matrix(interactions: DataFrame, value: Column) -> tuple[DataFrame, DataFrame]:
    """The entries (_person, _item, _value) and the items (_item, item_id, _square), by small integers where it pays."""
    if set(INDEXES) <= set(interactions.columns):
        rows = interactions.withColumnsRenamed({"person_index": "_person", "item_index": "_item"})
    elif dict(interactions.dtypes)["item_id"] == "string":
        rows = interactions.withColumn("_person", F.col("person_id"))
        rows = rows.join(indexed_ids(interactions, "item_id", "_item"), on="item_id", how="inner")
    else:
        rows = interactions.withColumns({"_person": F.col("person_id"), "_item": F.col("item_id")})
    entries = rows.select("_person", "_item", "item_id", value.alias("_value"))
    square = F.sum(F.col("_value") * F.col("_value")).alias("_square")
    return entries.select("_person", "_item", "_value"), entries.groupBy("_item", "item_id").agg(square)


def _co_sums(entries: DataFrame) -> DataFrame:
    """Each pair of items that some person has both of, once: a_item < b_item, _dot, _co_count."""
    left, right = (
        entries.select("_person", F.col("_item").alias(f"{side}_item"), F.col("_value").alias(f"{side}_value"))
        for side in "ab"
    )
    pairs = left.join(right, on="_person", how="inner").where(F.col("a_item") < F.col("b_item"))
    dot = F.sum(F.col("a_value") * F.col("b_value")).alias("_dot")
    return pairs.groupBy("a_item", "b_item").agg(dot, F.count(F.lit(1)).alias("_co_count"))


def _directed(item: str, neighbour: str) -> Column:
    return F.struct(F.col(item).alias("item_id"), F.col(neighbour).alias("neighbour_id"))


def _summed(shares: DataFrame) -> DataFrame:
    return shares.groupBy(*PAIR).agg(rounded(F.sum("share")).alias("score"))
