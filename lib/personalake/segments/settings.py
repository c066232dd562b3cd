"""What segments can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from personalake.errors import near_miss
from personalake.settings import Section
from personalake.tables.profile_features import FEATURE_BY_NAME
from personalake.tables.segments import SEGMENT_FEATURES

_SHARES = ("discount_share", "night_share", "weekend_share", "phone_share", "tv_share")


class FeaturePreparation(Section):
    """How one feature is made comparable with the others."""

    log: bool = Field(True, description="Take log(1 + x) first; for counts and money, whose tails are long")
    fill: float = Field(0.0, ge=0, description="What stands for a missing value, in the unit of the feature")


class Segments(Section):
    """From which features, how many, and when a segment is still the one of the last run."""

    method: Literal["kmeans"] = Field("kmeans", description="How segments are made")
    features: dict[str, FeaturePreparation] = Field(
        default_factory=lambda: {
            name: FeaturePreparation(log=name not in _SHARES, fill=0.0) for name in SEGMENT_FEATURES
        },
        description="Feature of profiles to its preparation; a number that is at least 0",
    )
    clip_share: float = Field(0.99, gt=0.5, le=1, description="Values above this quantile are cut to it")
    k: int | None = Field(None, ge=1, le=100, description="How many segments; empty: chosen by silhouette")
    k_min: int = Field(3, ge=2, le=100, description="Fewest segments to try")
    k_max: int = Field(7, ge=2, le=100, description="Most segments to try")
    iterations: int = Field(100, ge=1, description="Most steps of one fit")
    match_distance: float = Field(
        1.0, gt=0, description="A segment is the last run's if its centre moved no further, per feature [deviations]"
    )

    @field_validator("features")
    @classmethod
    def _known(cls, value: dict[str, FeaturePreparation]) -> dict[str, FeaturePreparation]:
        numbers = {name for name, feature in FEATURE_BY_NAME.items() if feature.is_number}
        unknown = [
            f"{name} is no number in profiles. {near_miss(name, numbers)}" for name in value if name not in numbers
        ]
        if unknown or not value:
            raise ValueError("; ".join(unknown) or "at least one feature is needed")
        return value

    @model_validator(mode="after")
    def _range(self) -> Segments:
        if self.k_min > self.k_max:
            raise ValueError(f"k_min {self.k_min} is above k_max {self.k_max}")
        return self
