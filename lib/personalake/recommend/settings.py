"""Settings of the stage recommend."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from personalake.recommend.als import Als
from personalake.recommend.item_cosine import ItemCosine
from personalake.recommend.learned.settings import Learned
from personalake.recommend.popular import AudienceList, Popular
from personalake.recommend.registry import AnyAlgorithm
from personalake.recommend.rerank.settings import Rerank
from personalake.settings import Section

CATALOGUE = "catalogue"
"""What `source` says where no algorithm had anything to go by."""


class Blend(Section):
    """How several algorithms' candidates become one list."""

    method: Literal["reciprocal_rank", "weighted_score", "learned"] = Field(
        default="reciprocal_rank",
        description="reciprocal_rank heeds ranks only, weighted_score scores too, learned what was taken up before",
    )
    weights: dict[str, float] = Field(
        default_factory=dict, description="By algorithm name, from 0; 1 where not named; learned heeds 0 only"
    )
    learned: Learned = Field(default=Learned(), description="How method learned is trained")

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
    fallback: str = Field(
        default="popular", description="Name of the popular algorithm for everybody: the last to fill up short lists"
    )
    fallbacks: tuple[str, ...] = Field(
        default=(), description="Names of popular or trending algorithms that fill up before it, the first one first"
    )
    blend: Blend = Field(default=Blend(), description="How candidates are blended")
    rerank: Rerank = Field(default=Rerank(), description="How candidates are re-ranked")
    candidates: int = Field(default=100, ge=1, description="Candidates per person and algorithm")
    limit: int = Field(default=20, ge=1, description="Items suggested per person")
    exclude_seen: bool = Field(
        default=True, description="Suggest only items a person has not met; False leaves out bought ones alone"
    )
    targets: tuple[Literal["brand", "category", "price_band"], ...] = Field(
        default=("brand", "category", "price_band"), description="What else is ranked, from candidates and tastes"
    )
    target_limit: int = Field(default=5, ge=1, description="Brands, categories, price bands suggested per person, each")
    policy: str = Field(default="default", description="Name of this way of making lists, kept with every row")

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        faults = [
            f"blend.weights.{name} names no algorithm" for name in self.blend.weights if name not in self.algorithms
        ]
        last = self.algorithms.get(self.fallback)
        if not isinstance(last, Popular):
            faults.append(f"fallback: {self.fallback} is no algorithm of kind popular")
        elif last.within is not None:
            faults.append(f"fallback: {self.fallback} is not for everybody, but within {last.within}")
        faults += [
            f"fallbacks: {name} is no algorithm of kind popular or trending"
            for name in self.fallbacks
            if not isinstance(self.algorithms.get(name), AudienceList)
        ]
        if CATALOGUE in self.algorithms:
            faults.append(f"algorithms: {CATALOGUE} is what lists are called that no algorithm makes")
        if not self.blended:
            faults.append("algorithms: none is left to blend beside the fallback")
        if faults:
            raise ValueError(f"{'; '.join(faults)}. Algorithms: {', '.join(sorted(self.algorithms))}")
        return self

    @property
    def chain(self) -> tuple[str, ...]:
        """Names of the popular lists that short lists are filled up from, in order; the one for everybody is last."""
        return (*dict.fromkeys(name for name in self.fallbacks if name != self.fallback), self.fallback)

    @property
    def blended(self) -> tuple[str, ...]:
        """Names whose candidates are blended: all with a weight, those fallen back on only where one is given."""
        weights = {name: 0.0 if name in self.chain else 1.0 for name in self.algorithms} | self.blend.weights
        return tuple(name for name in self.algorithms if weights[name] > 0)
