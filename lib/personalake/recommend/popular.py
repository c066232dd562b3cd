"""What most persons took: the same order for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.errors import DataError, Fault
from personalake.recommend.checks import PAIR, check_limit, checked_interactions
from personalake.recommend.model import Algorithm, Fitted
from personalake.recommend.top import popular_by_person, rounded, top_candidates, with_popularity_rank


@dataclass(frozen=True)
class FittedPopular(Fitted):
    """Items by popularity; persons without a history get no candidates: `top` is what falls back on.

    `popularity`: item_id, score, popularity_rank (from 1).
    """

    settings: Popular
    popularity: DataFrame

    def top(self, limit: int) -> DataFrame:
        """The popular list itself, for whom nothing is known of.

        Args:
            limit: list length, ≥ 1.

        Returns:
            item_id, score, popularity_rank (int, from 1).

        Raises:
            ConfigError: limit is below 1.
        """
        check_limit(limit)
        return self.popularity.where(F.col("popularity_rank") <= limit)

    def _candidates(self, persons: DataFrame, limit: int, histories: DataFrame, masked: DataFrame) -> DataFrame:
        known = persons.join(histories, on="person_id", how="left_semi")
        masks = masked.groupBy("person_id").agg(F.count(F.lit(1)).alias("_masked"))
        reach = F.lit(limit) + F.coalesce("_masked", F.lit(0))
        deep = known.join(masks, on="person_id", how="left").select("person_id", reach.alias("reach"))
        open_items = popular_by_person(deep, self.popularity).join(masked, on=list(PAIR), how="left_anti")
        return top_candidates(open_items, limit)

    def _scores(self, pairs: DataFrame) -> DataFrame:
        known = pairs.join(self.interactions, on="person_id", how="left_semi")
        return known.join(self.popularity, on="item_id", how="inner").select(*PAIR, "score")


class Popular(Algorithm):
    """Items by how many persons took them, or by how much; older weight may fade."""

    fitted: ClassVar[type[Fitted]] = FittedPopular
    reason_code: ClassVar[str] = "REC-003"
    kind: Literal["popular"] = "popular"
    by: Literal["persons", "weight"] = Field(default="persons", description="Count persons, or sum the weights")
    half_life_days: float | None = Field(
        default=None,
        gt=0,
        description="Days after which a row counts half, back from the newest last_at; None: it never fades",
    )

    def fit(self, interactions: DataFrame, check: bool = True) -> FittedPopular:
        """Fit on interactions: the popular list is computed when first asked for, then kept in Spark's cache.

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0), and last_at
                [UTC] where half_life_days is set.
            check: False trusts the rows and saves the job that looks at them.

        Raises:
            DataError: what `checks.checked_interactions` finds; half_life_days is set and last_at is not there.

        Cost:
            One shuffle by item; one sort of the items in one task.
        """
        rows = checked_interactions(interactions, check).select(*PAIR, "weight")
        counted = F.col("weight") if self.by == "weight" else F.lit(1.0)
        scored = interactions.withColumn("_counted", counted * self._fading(interactions))
        popularity = scored.groupBy("item_id").agg(rounded(F.sum("_counted")).alias("score"))
        return FittedPopular(self, rows, with_popularity_rank(popularity).persist())

    def _fading(self, interactions: DataFrame) -> Column:
        if self.half_life_days is None:
            return F.lit(1.0)
        if "last_at" not in interactions.columns:
            raise DataError(
                Fault("interactions.last_at", "is missing.", "half_life_days needs to know how old a row is.")
            )
        newest = interactions.select(F.max(F.unix_micros("last_at"))).scalar()
        age_days = (newest - F.unix_micros("last_at")) / F.lit(86_400_000_000.0)
        return F.pow(F.lit(0.5), age_days / F.lit(self.half_life_days))
