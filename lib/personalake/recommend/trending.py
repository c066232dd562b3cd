"""What is being taken up faster than before: each item against its own past."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR, checked_interactions
from personalake.recommend.popular import AudienceList, FittedPopular, age_days, audience_of
from personalake.recommend.top import rounded

LONGEST_PAST_DAYS = 365


class Trending(AudienceList):
    """Items by how many persons took them up lately, against as many as their own past foretold.

    A person takes an item up once, when they first meet. In the window each counts 0.5 ^ (age / half_life_days); what
    the item's past foretells is its take-ups per day before the window, over days weighted in the same way. The score
    is (recent + smoothing × usual) / (foretold + smoothing): a ratio of counts, drawn to what is usual among all items
    of the audience by as many persons as `smoothing` says (a gamma prior, as in DuMouchel 1999).
    """

    reason_code: ClassVar[str] = "REC-009"
    kind: Literal["trending"] = "trending"
    window_days: float = Field(default=14.0, gt=0, description="Days at the end that count as recent")
    half_life_days: float = Field(default=7.0, gt=0, description="Days after which a take-up in the window counts half")
    smoothing: float = Field(default=10.0, gt=0, description="Persons by whom a ratio is drawn to the usual one")

    def fit(self, interactions: DataFrame, check: bool = True, items: DataFrame | None = None) -> FittedPopular:
        """Fit on interactions: the list is computed when first asked for, then kept in Spark's cache.

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0), first_at
                [UTC], and the column that `within` names.
            check: False trusts the rows and saves the job that looks at them.
            items: not read.

        Returns:
            Items that were taken up in the window more than foretold (a score above 1), the fastest rising first.

        Raises:
            DataError: what `checks.checked_interactions` finds; a column that the settings need is not there.

        Cost:
            One shuffle by item and one by audience; one sort of the items of an audience in one task.
        """
        rows = checked_interactions(interactions, check).select(*PAIR, "weight")
        taken = interactions.withColumns(
            {"audience": audience_of(interactions, self.within), "_age": age_days(interactions, "first_at")}
        ).where(F.col("audience").isNotNull())
        listed = self._ratios(self._counts(taken)).where(F.col("_persons") >= self.least_persons)
        return self.listed(listed.select("audience", "item_id", "score"), rows, taken)

    def _counts(self, taken: DataFrame) -> DataFrame:
        """Of each item of an audience: _recent and _foretold (decayed take-ups), _persons."""
        age = F.col("_age")
        is_recent = age < F.lit(self.window_days)
        fading = F.pow(F.lit(0.5), age / F.lit(self.half_life_days))
        lately = taken.where(age < F.lit(self.window_days + LONGEST_PAST_DAYS))
        counts = lately.groupBy("audience", "item_id").agg(
            rounded(F.sum(F.when(is_recent, fading).otherwise(F.lit(0.0)))).alias("_recent"),
            F.count_if(~is_recent).alias("_past"),
            (F.max("_age") - F.lit(self.window_days)).alias("_past_days"),
            F.count(F.lit(1)).alias("_persons"),
        )
        # A day of weight w foretells w days of the item's past; an item younger than a day has no rate of its own.
        weight = self.half_life_days / 0.6931471805599453 * (1 - 0.5 ** (self.window_days / self.half_life_days))
        rate = F.col("_past") / F.greatest("_past_days", F.lit(1.0))
        return counts.withColumn("_foretold", rate * F.lit(weight))

    def _ratios(self, counts: DataFrame) -> DataFrame:
        usual = counts.groupBy("audience").agg(
            F.coalesce(F.try_divide(F.sum("_recent"), F.sum("_foretold")), F.lit(1.0)).alias("_usual")
        )
        prior = F.lit(self.smoothing)
        ratio = (F.col("_recent") + prior * F.col("_usual")) / (F.col("_foretold") + prior)
        rising = counts.join(F.broadcast(usual), on="audience", how="inner").where(F.col("_recent") > 0)
        # Who is told that an item rises must not be told so of one that falls.
        return rising.withColumn("score", rounded(ratio)).where(F.col("score") > 1)
