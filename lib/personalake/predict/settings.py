"""What predictions can be told."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from personalake.errors import near_miss
from personalake.settings import Section
from personalake.tables.profile_features import DEMOGRAPHY, FEATURE_BY_NAME

ATTRIBUTES = tuple(feature.name for feature in DEMOGRAPHY if feature.person)
_DAYS = "How far ahead [days]"
Kind = Literal["decision_tree", "gbt", "linear_svm"]


class Buys(Section):
    """Buys anything, or something of a category, in the days ahead."""

    kind: Literal["buys"] = Field("buys", description="Which question it is")
    days: int = Field(30, ge=1, description=_DAYS)
    category: str = Field("", description="Only items of this category; empty: any")


class Churns(Section):
    """Of those who came lately, does nothing at all in the days ahead."""

    kind: Literal["churns"] = Field("churns", description="Which question it is")
    days: int = Field(30, ge=1, description=_DAYS)
    active_days: int = Field(30, ge=1, description="Only of persons with an event in so many days before [days]")


class Responds(Section):
    """Clicks on a campaign or a message in the days ahead."""

    kind: Literal["responds"] = Field("responds", description="Which question it is")
    days: int = Field(30, ge=1, description=_DAYS)
    campaign: str = Field("", description="Only this campaign_id; empty: any campaign or message")
    event_types: tuple[str, ...] = Field(("click", "open"), min_length=1, description="What counts as a response")


class Attribute(Section):
    """A demographic attribute, for persons who did not say it."""

    kind: Literal["attribute"] = Field("attribute", description="Which question it is")
    feature: str = Field(description=f"One of {', '.join(ATTRIBUTES)}")

    @field_validator("feature")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in ATTRIBUTES:
            raise ValueError(f"{value} is no demographic attribute. {near_miss(value, ATTRIBUTES)}")
        return value


Ahead = Buys | Churns | Responds
AnyTarget = Annotated[Buys | Churns | Responds | Attribute, Field(discriminator="kind")]


DEFAULT_TARGETS: dict[str, AnyTarget] = {"buys_30d": Buys(days=30), "churns_30d": Churns(days=30)}


class Predict(Section):
    """Which questions are asked of whom, and by which models."""

    targets: dict[str, AnyTarget] = Field(
        default_factory=lambda: dict(DEFAULT_TARGETS),
        description="Name of a target to what it is; naming any replaces these; `{}`: none",
    )
    models: tuple[Kind, ...] = Field(("decision_tree",), min_length=1, description="Models, each asked every target")
    exclude_features: tuple[str, ...] = Field(("rfm_cell",), description="Features of profiles that no model sees")
    categories: int = Field(12, ge=1, le=100, description="Most frequent values of a text feature that are told apart")
    least_positives: int = Field(
        50, ge=2, description="Persons of each answer that training and testing need; with fewer a target is left out"
    )
    train_persons: int = Field(500_000, ge=100, description="Most persons trained on: those whose ids hash lowest")
    test_share: float = Field(
        0.3, gt=0, lt=1, description="Persons held out where history is too short to test on later days, 0-1"
    )
    depth: int = Field(4, ge=1, le=10, description="decision_tree, gbt: questions from root to leaf, at most")
    least_leaf_persons: int = Field(20, ge=1, description="decision_tree, gbt: persons a leaf has at least")
    trees: int = Field(30, ge=1, le=500, description="gbt: trees")
    step: float = Field(0.1, gt=0, le=1, description="gbt: weight of each further tree")
    regularisation: float = Field(0.01, ge=0, description="linear_svm: ridge on standardised features")

    @field_validator("targets")
    @classmethod
    def _named(cls, value: dict[str, AnyTarget]) -> dict[str, AnyTarget]:
        wrong = [name for name in value if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name)]
        if wrong:
            raise ValueError(f"a target is named by letters, digits and _, a letter first: {', '.join(wrong)}")
        return value

    @field_validator("exclude_features")
    @classmethod
    def _features(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [f"{n} is no feature. {near_miss(n, FEATURE_BY_NAME)}" for n in value if n not in FEATURE_BY_NAME]
        if unknown:
            raise ValueError("; ".join(unknown))
        return value
