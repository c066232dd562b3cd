"""What most persons took: one order for everybody, or one for each region, segment or platform."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pydantic import Field
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.errors import DataError, Fault
from personalake.recommend.checks import PAIR, check_limit, checked_interactions
from personalake.recommend.model import Algorithm, Fitted
from personalake.recommend.top import EVERYBODY, popular_by_person, rounded, top_candidates, with_popularity_rank

Within = Literal["segment_id", "region", "top_platform"]
MICROS_PER_DAY = 86_400_000_000.0


@dataclass(frozen=True)
class FittedPopular(Fitted):
    """Items in one order per audience; persons without a history get no candidates: `top` is what falls back on.

    `popularity`: audience (`all`, or the value of the column that lists are made within), item_id, score,
    popularity_rank (from 1 within the audience). `audiences`: person_id, audience of those fitted on.
    """

    settings: AudienceList
    popularity: DataFrame
    audiences: DataFrame

    def top(self, limit: int, audience: str = EVERYBODY) -> DataFrame:
        """The popular list itself, for whom nothing is known of.

        Args:
            limit: list length, ≥ 1.
            audience: whose list, where there are several.

        Returns:
            item_id, score, popularity_rank (int, from 1).

        Raises:
            ConfigError: limit is below 1.
        """
        check_limit(limit)
        asked = (F.col("popularity_rank") <= limit) & (F.col("audience") == F.lit(audience))
        return self.popularity.where(asked).select("item_id", "score", "popularity_rank")

    def _listed(
        self,
        persons: DataFrame,
        limit: int,
        histories: DataFrame | None,
        exclude: DataFrame | None,
        unavailable: DataFrame | None,
    ) -> DataFrame:
        return self._without(unavailable)._unmasked(persons, limit, histories, exclude)

    def _unmasked(
        self, persons: DataFrame, limit: int, histories: DataFrame | None, exclude: DataFrame | None
    ) -> DataFrame:
        return super()._listed(persons, limit, histories, exclude, None)

    def _without(self, unavailable: DataFrame | None) -> FittedPopular:
        """The same lists without some items, ranked anew."""
        if unavailable is None:
            return self
        left = self.popularity.join(unavailable.select("item_id"), on="item_id", how="left_anti")
        return replace(self, popularity=with_popularity_rank(left))

    def _candidates(self, persons: DataFrame, limit: int, histories: DataFrame, masked: DataFrame) -> DataFrame:
        known = persons.join(histories, on="person_id", how="left_semi")
        masks = masked.groupBy("person_id").agg(F.count(F.lit(1)).alias("_masked"))
        reach = (F.lit(limit) + F.coalesce("_masked", F.lit(0))).alias("reach")
        deep = self._placed(known).join(masks, on="person_id", how="left").select("person_id", "audience", reach)
        open_items = popular_by_person(deep, self.popularity).join(masked, on=list(PAIR), how="left_anti")
        return top_candidates(open_items, limit)

    def _scores(self, pairs: DataFrame) -> DataFrame:
        known = self._placed(pairs.join(self.interactions, on="person_id", how="left_semi"))
        return known.join(self.popularity, on=["audience", "item_id"], how="inner").select(*PAIR, "score")

    def _placed(self, persons: DataFrame) -> DataFrame:
        """The rows plus the audience of their person; those who are in none are left out."""
        if self.settings.within is None:
            return persons.withColumn("audience", F.lit(EVERYBODY))
        return persons.join(self.audiences, on="person_id", how="inner")


class AudienceList(Algorithm):
    """Items in one order for everybody, or for each region, segment or platform."""

    fitted: ClassVar[type[Fitted]] = FittedPopular
    within: Within | None = Field(
        default=None, description="Column of persons that makes an audience with a list of its own; empty: all have one"
    )
    least_persons: int = Field(default=1, ge=1, description="Persons of the audience who must have taken an item")

    def listed(self, listed: DataFrame, rows: DataFrame, taken: DataFrame) -> FittedPopular:
        """Rank the items of each audience and keep the lists.

        Args:
            listed: audience, item_id, score.
            rows: person_id, item_id, weight: the interactions that the model keeps.
            taken: person_id, audience, one row or more a person.
        """
        audiences = taken.select("person_id", "audience").distinct()
        return FittedPopular(self, rows, with_popularity_rank(listed).persist(), audiences)


class Popular(AudienceList):
    """Items by how many persons took them, or by how much; older weight may fade."""

    reason_code: ClassVar[str] = "REC-003"
    kind: Literal["popular"] = "popular"
    by: Literal["persons", "weight"] = Field(default="persons", description="Count persons, or sum the weights")
    half_life_days: float | None = Field(
        default=None,
        gt=0,
        description="Days after which a row counts half, back from the newest last_at; None: it never fades",
    )

    def fit(self, interactions: DataFrame, check: bool = True, items: DataFrame | None = None) -> FittedPopular:
        """Fit on interactions: the popular list is computed when first asked for, then kept in Spark's cache.

        Args:
            interactions: one row per pair; reads person_id and item_id (string or integer), weight (> 0), last_at
                [UTC] where half_life_days is set, and the column that `within` names.
            check: False trusts the rows and saves the job that looks at them.
            items: not read.

        Raises:
            DataError: what `checks.checked_interactions` finds; a column that the settings need is not there.

        Cost:
            One shuffle by item; one sort of the items of an audience in one task.
        """
        rows = checked_interactions(interactions, check).select(*PAIR, "weight")
        counted = F.col("weight") if self.by == "weight" else F.lit(1.0)
        score = rounded(F.sum(counted * self._fading(interactions))).alias("score")
        taken = interactions.withColumn("audience", audience_of(interactions, self.within))
        taken = taken.where(F.col("audience").isNotNull())
        # One row is one person: the pairs are distinct.
        listed = taken.groupBy("audience", "item_id").agg(score, F.count(F.lit(1)).alias("_persons"))
        enough = listed.where(F.col("_persons") >= self.least_persons)
        return self.listed(enough.select("audience", "item_id", "score"), rows, taken)

    def _fading(self, interactions: DataFrame) -> Column:
        if self.half_life_days is None:
            return F.lit(1.0)
        return F.pow(F.lit(0.5), age_days(interactions, "last_at") / F.lit(self.half_life_days))


def age_days(interactions: DataFrame, column: str) -> Column:
    """How much older a row is than the newest [days].

    Raises:
        DataError: the column is not there.
    """
    if column not in interactions.columns:
        raise DataError(Fault(f"interactions.{column}", "is missing.", "It says how old a row is."))
    newest = interactions.select(F.max(F.unix_micros(column))).scalar()
    return (newest - F.unix_micros(column)) / F.lit(MICROS_PER_DAY)


def audience_of(interactions: DataFrame, within: str | None) -> Column:
    """Whose list a row counts for: `all`, or the value of a column; null where it has none.

    Raises:
        DataError: the column is not there.
    """
    if within is None:
        return F.lit(EVERYBODY)
    if within not in interactions.columns:
        raise DataError(Fault(f"interactions.{within}", "is missing.", "Join it to the interactions by person."))
    return F.col(within).cast("string")
