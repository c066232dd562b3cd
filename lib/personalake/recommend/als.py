"""Alternating least squares: MLlib's fit with its traps handled, exact fold-in, and masked top lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.recommend.als_arrow import ItemFactors, collected_items, folded_factors, packed_lists, packed_scores
from personalake.recommend.als_mllib import fit_mllib
from personalake.recommend.checks import PAIR, checked_interactions
from personalake.recommend.model import Algorithm, Fitted


@dataclass(frozen=True)
class FittedAls(Fitted):
    """Factors of persons and items; a score is their product.

    `person_factors`: person_id, factors (array of float). `item_factors`: item_id, item_index (from 0), factors.
    """

    settings: Als
    person_factors: DataFrame
    item_factors: DataFrame

    def folded(self, histories: DataFrame) -> DataFrame:
        """Factors of persons from given histories: one exact half-step against the fitted item factors, no refit.

        Args:
            histories: one row per pair; reads person_id, item_id, weight. Items the model does not know are left out.

        Returns:
            person_id, factors (array of double); a person without a known item gets no row.
        """
        return self._folded(histories, self._collected())

    def _candidates(self, persons: DataFrame, limit: int, histories: DataFrame, masked: DataFrame) -> DataFrame:
        items = self._collected()
        if histories is self.interactions:
            known = self.person_factors.join(persons, on="person_id", how="left_semi")
        else:
            known = self._folded(histories.join(persons, on="person_id", how="left_semi"), items)
        masks = self._indexes_by_person(masked, "masked")
        none = F.array().cast("array<int>")
        asked = known.join(masks, on="person_id", how="left").withColumn("masked", F.coalesce("masked", none))
        lists = packed_lists(asked, items, limit, self.item_factors.schema["item_id"].dataType)
        rank = (F.col("_place") + 1).cast("int").alias("candidate_rank")
        return _unpacked(lists).select(*PAIR, "score", rank)

    def _scores(self, pairs: DataFrame) -> DataFrame:
        asked = self.person_factors.join(self._indexes_by_person(pairs, "asked"), on="person_id", how="inner")
        lists = packed_scores(asked, self._collected(), self.item_factors.schema["item_id"].dataType)
        return _unpacked(lists).select(*PAIR, "score")

    def _indexes_by_person(self, pairs: DataFrame, name: str) -> DataFrame:
        known = pairs.join(self.item_factors.select("item_id", "item_index"), on="item_id", how="inner")
        return known.groupBy("person_id").agg(F.collect_list("item_index").alias(name))

    def _folded(self, histories: DataFrame, items: ItemFactors) -> DataFrame:
        indexed = histories.join(self.item_factors.select("item_id", "item_index"), on="item_id", how="inner")
        entries = F.sort_array(F.collect_list(F.struct("item_index", "weight"))).alias("_entries")
        lists = indexed.groupBy("person_id").agg(entries)
        parts = (F.col("_entries.item_index").alias("indexes"), F.col("_entries.weight").alias("weights"))
        ours = self.settings
        rows = lists.select("person_id", *parts)
        return folded_factors(rows, items, ours.regularisation, ours.alpha, ours.implicit)

    def _collected(self) -> ItemFactors:
        return collected_items(self.item_factors, self.settings.item_factors_mb)


def _unpacked(lists: DataFrame) -> DataFrame:
    """One row per entry of packed lists: person_id, item_id, score, _place (from 0)."""
    entry = F.posexplode(F.arrays_zip("item_ids", "scores")).alias("_place", "_entry")
    parts = (F.col("_entry.item_ids").alias("item_id"), F.col("_entry.scores").alias("score"))
    return lists.select("person_id", entry).select("person_id", *parts, "_place")


class Als(Algorithm):
    """People with tastes like these: a low-rank model of the person × item matrix."""

    fitted: ClassVar[type[Fitted]] = FittedAls
    reason_code: ClassVar[str] = "REC-002"
    kind: Literal["als"] = "als"
    rank: int = Field(default=64, ge=1, description="Length of a factor")
    iterations: int = Field(default=15, ge=1, description="Full iterations; each solves the persons, then the items")
    regularisation: float = Field(
        default=0.5, ge=0, description="Ridge, scaled by the length of a history as MLlib does"
    )
    alpha: float = Field(default=2.0, ge=0, description="Implicit: confidence in a pair is 1 + alpha × weight")
    implicit: bool = Field(
        default=True, description="Weights are strength of interest (True) or ratings to predict (False)"
    )
    engine: Literal["mllib"] = Field(default="mllib", description="What solves the iterations")
    seed: int = Field(default=7, description="Seed of the first factors")
    blocks: int = Field(default=8, ge=1, description="Blocks of persons and of items; another number is another model")
    checkpoint_interval: int = Field(
        default=10, ge=1, le=10, description="Iterations between checkpoints, which keep long fits off the stack"
    )
    item_factors_mb: int = Field(default=512, ge=1, description="Most that all item factors may take on a worker [MiB]")

    def fit(self, interactions: DataFrame, check: bool = True) -> FittedAls:
        """Fit on interactions, at once; the factors are kept in Spark's cache.

        The same interactions give the same model however they are ordered or partitioned, up to float32.

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0), and
                person_index with item_index where both are there.
            check: False trusts the rows and saves the job that looks at them.

        Raises:
            DataError: what `checks.checked_interactions` finds, all at once.
            ConfigError: more than 10 iterations on a cluster whose session has no checkpoint folder.

        Cost:
            MLlib: two shuffles of factors per iteration.
        """
        rows = checked_interactions(interactions, check)
        person_factors, item_factors = fit_mllib(rows, self)
        return FittedAls(self, rows.select(*PAIR, "weight"), person_factors, item_factors)
