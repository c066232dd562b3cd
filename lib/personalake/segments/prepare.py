"""Features made comparable: filled, logged, clipped, standardised. The preparation is a value of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.segments.placement import Vector
from personalake.segments.settings import Segments


@dataclass(frozen=True)
class PreparedFeature:
    """One feature's way into the comparable space, and back.

    Args:
        name: column of profiles.
        log: whether log(1 + x) is taken.
        fill: what stands for null, in the unit of the feature.
        high: values above are cut to it [after the log].
        mean: mean after log and clip.
        deviation: standard deviation after log and clip; 1 where all persons are alike.
    """

    name: str
    log: bool
    fill: float
    high: float
    mean: float
    deviation: float

    @property
    def column(self) -> Column:
        """The standardised value."""
        return (F.least(_grown(self.name, self.log, self.fill), F.lit(self.high)) - self.mean) / self.deviation

    def standard(self, value: float) -> float:
        """A value in the unit of the feature, standardised."""
        grown = float(np.log1p(max(value, 0.0))) if self.log else max(value, 0.0)
        return (min(grown, self.high) - self.mean) / self.deviation

    def in_units(self, standard: float) -> float:
        """A standardised value, back in the unit of the feature; at least 0."""
        grown = standard * self.deviation + self.mean
        return max(0.0, float(np.expm1(grown)) if self.log else grown)


@dataclass(frozen=True)
class Preparation:
    """All features of a segmentation, in order."""

    features: tuple[PreparedFeature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names."""
        return tuple(feature.name for feature in self.features)

    def prepared(self, profiles: DataFrame, raw: Sequence[str] = ()) -> DataFrame:
        """The persons in the comparable space.

        Args:
            profiles: one row per person.
            raw: columns of profiles to take along as they are.

        Returns:
            person_id, features (array<double>), raw (array<double>, null where the column is).
        """
        return profiles.select(
            "person_id",
            F.array(*[feature.column for feature in self.features]).alias("features"),
            F.array(*[F.col(name).cast("double") for name in raw]).cast("array<double>").alias("raw"),
        )

    def standard(self, centre: Mapping[str, float]) -> Vector:
        """A centre in the units of profiles, standardised; NaN where it does not know a feature."""
        values = [f.standard(centre[f.name]) if f.name in centre else np.nan for f in self.features]
        return np.array(values, dtype=np.float64)

    def in_units(self, centre: Vector) -> dict[str, float]:
        """A standardised centre in the units of profiles."""
        return {f.name: f.in_units(float(z)) for f, z in zip(self.features, centre, strict=True)}


def fit_preparation(profiles: DataFrame, settings: Segments) -> Preparation:
    """Learn clips, means and deviations from the persons.

    Args:
        profiles: one row per person; reads the features that settings name.
        settings: features and clip_share.

    Cost:
        Two aggregates over the persons; the first holds the distinct values of each feature, as exact quantiles must.
    """
    grown = {name: _grown(name, how.log, how.fill) for name, how in settings.features.items()}
    quantiles = [F.percentile(column, settings.clip_share).alias(name) for name, column in grown.items()]
    highs = profiles.agg(*quantiles).first()
    if highs is None or highs[0] is None:
        return Preparation(())
    clipped = {name: F.least(column, F.lit(highs[name])) for name, column in grown.items()}
    means = [F.avg(column).alias(f"mean_{name}") for name, column in clipped.items()]
    deviations = [F.stddev_pop(column).alias(f"deviation_{name}") for name, column in clipped.items()]
    found = profiles.agg(*means, *deviations).head(1)[0]
    # Rounded, because the order of a float sum must not show.
    return Preparation(
        tuple(
            PreparedFeature(
                name,
                how.log,
                how.fill,
                float(highs[name]),
                round(found[f"mean_{name}"], 9),
                round(found[f"deviation_{name}"], 9) or 1.0,
            )
            for name, how in settings.features.items()
        )
    )


def _grown(name: str, log: bool, fill: float) -> Column:
    """The filled value, or log(1 + value); what is below 0 counts as 0."""
    value = F.greatest(F.coalesce(F.col(name).cast("double"), F.lit(fill)), F.lit(0.0))
    return F.log1p(value) if log else value
