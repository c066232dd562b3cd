"""What segments can be told."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from personalake.errors import near_miss
from personalake.segments.methods import AnyMethod, default_methods
from personalake.segments.tree import TreeSegments
from personalake.settings import Section
from personalake.tables.profile_features import FEATURE_BY_NAME
from personalake.tables.segments import SEGMENT_FEATURES

_SHARES = ("discount_share", "night_share", "weekend_share", "phone_share", "tv_share")


class FeaturePreparation(Section):
    """How one feature is made comparable with the others."""

    log: bool = Field(True, description="Take log(1 + x) first; for counts and money, whose tails are long")
    fill: float = Field(0.0, ge=0, description="What stands for a missing value, in the unit of the feature")


class Segments(Section):
    """From which features, how, how many, and when a segment is still the one of the last run."""

    method: str = Field("kmeans", description="Name of the method whose segments tags, lists and the report go by")
    also: tuple[str, ...] = Field((), description="Names of further methods whose segments are kept beside it")
    methods: dict[str, AnyMethod] = Field(
        default_factory=default_methods, description="By a name of your own; `kind` says which method it is"
    )
    features: dict[str, FeaturePreparation] = Field(
        default_factory=lambda: {
            name: FeaturePreparation(log=name not in _SHARES, fill=0.0) for name in SEGMENT_FEATURES
        },
        description="Feature of profiles to its preparation; a number that is at least 0",
    )
    clip_share: float = Field(0.99, gt=0.5, le=1, description="Values above this quantile are cut to it")
    k: int | None = Field(
        None, ge=1, le=100, description="How many segments; empty: chosen by silhouette and stability"
    )
    k_min: int = Field(3, ge=2, le=100, description="Fewest segments to try")
    k_max: int = Field(7, ge=2, le=100, description="Most segments to try")
    iterations: int = Field(100, ge=1, description="Most steps of one fit")
    resamples: int = Field(
        2, ge=0, le=20, description="How often persons are halved to see whether both halves give the same; 0: never"
    )
    stability_min: float = Field(
        0.8,
        ge=0,
        le=1,
        description="Of the numbers of segments whose stability is at least this, the silhouette decides",
    )
    measure_persons: int = Field(
        100_000, ge=1000, description="About so many persons at most, drawn by hash, are measured on, and tried k on"
    )
    refit_days: int = Field(
        1, ge=1, description="A fit serves so many days: until then persons are placed by the last one; 1: fit each day"
    )
    match_distance: float = Field(
        1.0, gt=0, description="A segment is the last run's if its centre moved no further, per feature [deviations]"
    )

    @field_validator("features")
    @classmethod
    def _known(cls, value: dict[str, FeaturePreparation]) -> dict[str, FeaturePreparation]:
        numbers = _numbers()
        unknown = [
            f"{name} is no number in profiles. {near_miss(name, numbers)}" for name in value if name not in numbers
        ]
        if unknown or not value:
            raise ValueError("; ".join(unknown) or "at least one feature is needed")
        return value

    @field_validator("methods")
    @classmethod
    def _targets(cls, value: dict[str, AnyMethod]) -> dict[str, AnyMethod]:
        for name, method in value.items():
            if isinstance(method, TreeSegments) and method.predicted is None and method.target not in _numbers():
                text = f"{name}.target: {method.target} is neither prediction.TARGET nor a number in profiles."
                raise ValueError(f"{text} {near_miss(method.target, _numbers())}")
        # Those that are always there need not be named to be chosen.
        return {**default_methods(), **value}

    @model_validator(mode="after")
    def _fits(self) -> Segments:
        if self.k_min > self.k_max:
            raise ValueError(f"k_min {self.k_min} is above k_max {self.k_max}")
        for name in self.names:
            if name not in self.methods:
                raise ValueError(f"{name} is no method. {near_miss(name, self.methods)}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the methods that are made, the main one first."""
        return tuple(dict.fromkeys((self.method, *self.also)))


def _numbers() -> set[str]:
    return {name for name, feature in FEATURE_BY_NAME.items() if feature.is_number}
