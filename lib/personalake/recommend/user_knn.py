"""Persons like persons: what those liked whose histories are most like one's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR, checked_interactions
from personalake.recommend.model import Algorithm, Fitted
from personalake.recommend.node_arrays import NodeArrays
from personalake.recommend.product.join import neighbours_among
from personalake.recommend.product.neighbours import Product, fit_neighbours
from personalake.recommend.product.plan import Choice, Plan
from personalake.recommend.product.rows import Rule
from personalake.recommend.product.weighting import with_centred
from personalake.recommend.top import rounded, top_candidates


@dataclass(frozen=True)
class FittedUserKnn(Fitted):
    """Each person's nearest persons.

    `neighbours`: person_id, neighbour_id, similarity_score (at 9 decimals, > 0), neighbour_rank (from 1). `choice`:
    which plan multiplied, and why; None for a model that was loaded. `arrays`: what it multiplied
    from; neighbours not yet computed are lost with it.
    """

    settings: UserKnn
    neighbours: DataFrame
    choice: Choice | None = None
    arrays: NodeArrays | None = None

    @property
    def note(self) -> str:
        """The plan line: which plan multiplied, why, and what that took."""
        return "" if self.choice is None else str(self.choice)

    def _candidates(self, persons: DataFrame, limit: int, histories: DataFrame, masked: DataFrame) -> DataFrame:
        if histories is self.interactions:
            near = self.neighbours.join(persons, on="person_id", how="left_semi")
        else:
            near = self._near(histories.join(persons, on="person_id", how="left_semi"))
        scores = self._predicted(near, histories)
        return top_candidates(scores.join(masked, on=list(PAIR), how="left_anti"), limit)

    def _scores(self, pairs: DataFrame) -> DataFrame:
        near = self.neighbours.join(pairs.select("person_id").distinct(), on="person_id", how="left_semi")
        return self._predicted(near, self.interactions).join(pairs, on=list(PAIR), how="left_semi")

    def _near(self, histories: DataFrame) -> DataFrame:
        """Neighbours of persons by given histories: the same measure, by a join."""
        ours = self.settings
        asked, known = (_entries(rows, ours) for rows in (histories, self.interactions))
        found = neighbours_among(asked, known, ours._product().rule)
        return found.withColumnRenamed("item_id", "person_id")

    def _predicted(self, near: DataFrame, histories: DataFrame) -> DataFrame:
        """What neighbours make of items: person_id, item_id, score."""
        taken = self.interactions.select(F.col("person_id").alias("neighbour_id"), "item_id", "weight")
        similar = F.col("similarity_score")
        if self.settings.predict == "sum":
            voices = near.join(taken, on="neighbour_id", how="inner")
            return voices.groupBy(*PAIR).agg(rounded(F.sum(similar * F.col("weight"))).alias("score"))
        theirs = _means(self.interactions).withColumnsRenamed({"person_id": "neighbour_id", "_mean": "_their_mean"})
        voices = near.join(taken, on="neighbour_id", how="inner").join(theirs, on="neighbour_id", how="inner")
        gap = F.sum(similar * (F.col("weight") - F.col("_their_mean"))) / F.sum(similar)
        gaps = voices.groupBy(*PAIR).agg(gap.alias("_gap"))
        own = gaps.join(_means(histories), on="person_id", how="inner")
        return own.select(*PAIR, rounded(F.col("_mean") + F.col("_gap")).alias("score"))


class UserKnn(Algorithm):
    """People with histories like yours took this: likeness between the person rows of the person × item matrix."""

    fitted: ClassVar[type[Fitted]] = FittedUserKnn
    reason_code: ClassVar[str] = "REC-002"
    kind: Literal["user_knn"] = "user_knn"
    neighbours: int = Field(default=50, ge=1, description="Nearest persons kept per person")
    measure: Literal["pearson", "cosine", "euclidean"] = Field(
        default="pearson", description="How alike two persons are; only likeness above 0 counts"
    )
    mean: Literal["co_rated", "all"] = Field(
        default="co_rated", description="pearson: a person's mean over the items both share, or over all their own"
    )
    min_overlap: int = Field(default=2, ge=1, description="Items that two persons must share")
    shrink: float = Field(default=0.0, ge=0, description="cosine: added to the product of norms")
    predict: Literal["sum", "mean_centred"] = Field(
        default="sum",
        description="sum = Σ similarity × weight, to rank; mean_centred = own mean + Σ similarity × (weight − their "
        "mean) / Σ similarity, to foretell ratings",
    )
    plan: Plan = Field(default="auto", description="As of item_cosine: the same rows by all plans")
    memory_mb: int = Field(
        default=2048, ge=1, description="What the matrix may take on the driver and on every node [MiB]"
    )

    @model_validator(mode="after")
    def _options_have_effect(self) -> Self:
        if self.shrink and self.measure != "cosine":
            found = f"shrink {self.shrink:g} does nothing to measure {self.measure}"
            raise ValueError(f"{found}: leave it at 0, or take measure cosine")
        return self

    def fit(self, interactions: DataFrame, check: bool = True, items: DataFrame | None = None) -> FittedUserKnn:
        """Fit on interactions: the neighbours are computed when first asked for, then kept in Spark's cache.

        Herlocker et al. 1999. Candidates come from the same nearest persons for every item.

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0).
            check: False trusts the rows and saves the job that looks at them.
            items: not read.

        Raises:
            DataError: what `checks.checked_interactions` finds, all at once.
            ConfigError: plan is broadcast, and the matrix takes more than memory_mb.

        Cost:
            Σ over items of (persons)² products: an item that everybody has costs most and tells least.
        """
        rows = checked_interactions(interactions, check).select(*PAIR, "weight")
        swapped = rows.select(F.col("item_id").alias("person_id"), F.col("person_id").alias("item_id"), "weight")
        neighbours, choice, arrays = fit_neighbours(swapped, self._product(), check=False)
        named = neighbours.withColumnRenamed("item_id", "person_id")
        return FittedUserKnn(self, rows, named.persist(), choice, arrays)

    def _product(self) -> Product:
        all_means = self.measure == "pearson" and self.mean == "all"
        rule = Rule(
            measure="pearson_centred" if all_means else self.measure,
            neighbours=self.neighbours,
            min_co_count=self.min_overlap,
            shrink=self.shrink,
        )
        return Product(rule, "raw", all_means, self.plan, self.memory_mb)


def _entries(rows: DataFrame, settings: UserKnn) -> DataFrame:
    """Persons as what the product calls items."""
    entries = rows.select(F.col("item_id").alias("_person"), F.col("person_id").alias("item_id"), "weight")
    entries = entries.withColumns({"_item": F.col("item_id"), "_value": F.col("weight")})
    return with_centred(entries) if settings._product().is_centred else entries


def _means(rows: DataFrame) -> DataFrame:
    return rows.groupBy("person_id").agg(F.avg("weight").alias("_mean"))
