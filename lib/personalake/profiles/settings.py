"""What profiles can be told."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, field_validator

from personalake.settings import Section

DEFAULT_WEIGHTS = {
    "view": 1.0,
    "click": 1.0,
    "favourite": 2.0,
    "rate": 2.0,
    "bookmark": 2.5,
    "cart": 3.0,
    "follow": 3.0,
    "comment": 4.0,
    "buy": 5.0,
}


class Rfm(Section):
    """How recency, frequency and money become ranks from 1 to 5."""

    method: Literal["quantiles", "thresholds"] = Field(
        "quantiles", description="quantiles: fifths of the buyers as of the day; thresholds: the bounds given here"
    )
    recency_days: tuple[int, ...] = Field(
        (30, 90, 180, 365), description="thresholds: the most days since the last order of ranks 5, 4, 3 and 2"
    )
    order_counts: tuple[int, ...] = Field(
        (1, 2, 4, 9), description="thresholds: the most orders of ranks 1, 2, 3 and 4"
    )
    money_minor: tuple[int, ...] = Field(
        (10_000, 30_000, 100_000, 300_000),
        description="thresholds: the most money of ranks 1, 2, 3 and 4 [cents, base currency]",
    )

    @field_validator("recency_days", "order_counts", "money_minor")
    @classmethod
    def _four_rising(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if len(value) != 4 or list(value) != sorted(set(value)) or value[0] < 0:
            raise ValueError("must be four rising numbers from 0")
        return value


class Profiles(Section):
    """Visits, the weights of interactions, and the bounds that profiles use."""

    session_gap_seconds: int = Field(1800, gt=0, description="A longer silence on a device starts a new visit [s]")
    own_session_sources: tuple[str, ...] = Field((), description="Sources whose own session ids make the visits")
    visit_event_types: tuple[str, ...] = Field(
        (), description="A visit without an event of these types is none; empty: whatever happened is a visit"
    )
    own_session_days: int = Field(
        0, ge=0, description="Events of such a visit later than this after its first are left out [d]; 0: none is"
    )
    event_weights: dict[str, float] = Field(
        default_factory=lambda: dict(DEFAULT_WEIGHTS),
        description="Verb to what one event of it means in interactions; a verb that is not named counts 0",
    )
    weight_transform: Literal["none", "log"] = Field(
        "log", description="What is done to the summed weight of a person and an item; log is log2(1 + x)"
    )
    half_life_days: float | None = Field(None, gt=0, description="Age at which an event counts half; empty: no decay")
    new_days: int = Field(30, gt=0, description="A person is new for so many days after the first event")
    slow_load_millis: float = Field(3000.0, gt=0, description="A load that takes longer is slow [ms]")
    feature_half_life_days: float = Field(
        30.0, gt=0, description="Age at which an event counts half in decayed features and in tastes"
    )
    taste_limit: int = Field(5, gt=0, description="Foremost names that a list of tastes holds")
    taste_event_count: int = Field(3, gt=0, description="Events from which on a taste can be called a favoured one")
    age_bounds: tuple[int, ...] = Field(
        (18, 25, 35, 45, 55, 65), description="Lower ages of the bands made from a year of birth, rising"
    )

    rfm: Rfm = Field(Rfm(), description="How recency, frequency and money become ranks")

    @field_validator("event_weights")
    @classmethod
    def _weights(cls, value: dict[str, float]) -> dict[str, float]:
        wrong = sorted(name for name, weight in value.items() if not math.isfinite(weight) or weight < 0)
        if wrong:
            raise ValueError(f"weights must be finite and at least 0: {', '.join(wrong)}")
        return value

    @field_validator("age_bounds")
    @classmethod
    def _rising(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or value[0] <= 0 or list(value) != sorted(set(value)):
            raise ValueError("must be rising numbers above 0")
        return value
