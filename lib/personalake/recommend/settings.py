"""Settings of the stage recommend."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from personalake.recommend.als import Als
from personalake.recommend.blend import Method
from personalake.recommend.item_cosine import ItemCosine
from personalake.recommend.popular import Popular
from personalake.recommend.registry import AnyAlgorithm
from personalake.settings import Section


class Blend(Section):
    """How several algorithms' candidates become one list."""

    method: Method = Field(
        default="reciprocal_rank", description="reciprocal_rank heeds ranks only, weighted_score scores too"
    )
    weights: dict[str, float] = Field(default_factory=dict, description="By algorithm name, from 0; 1 where not named")

    @field_validator("weights")
    @classmethod
    def _usable(cls, weights: dict[str, float]) -> dict[str, float]:
        wrong = sorted(name for name, weight in weights.items() if not (math.isfinite(weight) and weight >= 0))
        if wrong:
            raise ValueError(f"weights from 0 are allowed, not those of {', '.join(wrong)}")
        return weights


def _default_algorithms() -> dict[str, AnyAlgorithm]:
    return {"item_cosine": ItemCosine(), "als": Als(), "popular": Popular()}


class Recommend(Section):
    """Which algorithms propose, how they are blended, and how long the lists are."""

    algorithms: dict[str, AnyAlgorithm] = Field(
        default_factory=_default_algorithms, description="By a name of your own; `kind` says which algorithm it is"
    )
    fallback: str = Field(default="popular", description="Name of the popular algorithm that fills up short lists")
    blend: Blend = Field(default=Blend(), description="How candidates are blended")
    candidates: int = Field(default=100, ge=1, description="Candidates per person and algorithm")
    limit: int = Field(default=20, ge=1, description="Items suggested per person")
    exclude_seen: bool = Field(
        default=True, description="Suggest only items a person has not met; False leaves out bought ones alone"
    )
    targets: tuple[Literal["brand", "category", "price_band"], ...] = Field(
        default=("brand", "category", "price_band"), description="What else is ranked, from the suggested items"
    )
    target_limit: int = Field(default=5, ge=1, description="Brands, categories, price bands suggested per person, each")
    policy: str = Field(default="default", description="Name of this way of making lists, kept with every row")

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        faults = [
            f"blend.weights.{name} names no algorithm" for name in self.blend.weights if name not in self.algorithms
        ]
        if not isinstance(self.algorithms.get(self.fallback), Popular):
            faults.append(f"fallback: {self.fallback} is no algorithm of kind popular")
        if not self.blended:
            faults.append("algorithms: none is left to blend beside the fallback")
        if faults:
            raise ValueError(f"{'; '.join(faults)}. Algorithms: {', '.join(sorted(self.algorithms))}")
        return self

    @property
    def blended(self) -> tuple[str, ...]:
        """Names whose candidates are blended: all with a weight, the fallback only where a weight is given for it."""
        weights = {name: 0.0 if name == self.fallback else 1.0 for name in self.algorithms} | self.blend.weights
        return tuple(name for name in self.algorithms if weights[name] > 0)
