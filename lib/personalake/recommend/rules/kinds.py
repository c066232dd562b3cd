"""The kinds of rules and what each can be told."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, InstanceOf, model_validator

from personalake.conditions import Branch, Leaf
from personalake.settings import Section

Condition = InstanceOf[Leaf] | InstanceOf[Branch]
PRICE_BANDS = ("low", "middle", "high")


class Rule(Section):
    """What every rule has."""

    code: str = Field(pattern=r"^[A-Z]{3}-\d{3}$", description="What the run and its readers call it: RUL-001")


class Timed(Rule):
    """A rule that may hold for some days only."""

    from_date: date | None = Field(default=None, alias="from", description="First as-of day it holds on")
    until: date | None = Field(default=None, description="Last as-of day it holds on")

    def holds_on(self, as_of: date | None) -> bool:
        """Whether it holds for lists of a day; a rule with dates never does where no day is known."""
        if as_of is None:
            return self.from_date is None and self.until is None
        return (self.from_date or as_of) <= as_of <= (self.until or as_of)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_date and self.until and self.from_date > self.until:
            raise ValueError(f"from {self.from_date} comes after until {self.until}")
        return self


class ExcludeBought(Rule):
    """What a person bought is not suggested again: for ever, or for so many days."""

    kind: Literal["exclude_bought"] = "exclude_bought"
    days: int | None = Field(default=None, ge=1, description="Days it holds after a buy; empty: for ever")
    days_by_category: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="Other days for items of a category, which may come back after them"
    )


class AvailableOnly(Rule):
    """An item that cannot be had is not suggested; one of which nothing is known may be."""

    kind: Literal["available_only"] = "available_only"


class Exclude(Rule):
    """Pairs of item and person that a condition holds for are not suggested."""

    kind: Literal["exclude"] = "exclude"
    when: Condition


class Allow(Rule):
    """Items that `when` holds for are suggested only where `only` does; what is not known does not hold."""

    kind: Literal["allow"] = "allow"
    when: Condition | None = None
    only: Condition


class PriceCap(Rule):
    """Items in a price band above the person's own one are not suggested."""

    kind: Literal["price_cap"] = "price_cap"
    above: int = Field(default=0, ge=0, le=1, description="Bands above the person's own that are still suggested")


class Boost(Timed):
    """The scores of some candidates are multiplied."""

    kind: Literal["boost"] = "boost"
    when: Condition
    factor: float = Field(gt=0, le=1000, allow_inf_nan=False, description="Above 1 lifts, below 1 lowers")


class Pin(Timed):
    """An item stands at a rank of the lists of an audience."""

    kind: Literal["pin"] = "pin"
    item: str = Field(min_length=1, description="item_id")
    rank: int = Field(ge=1, description="Where it stands")
    audience: Condition | None = None


class Cap(Rule):
    """A list holds no more than so many items of one brand, category or price band."""

    kind: Literal["cap"] = "cap"
    by: Literal["brand", "category", "price_band"]
    limit: int = Field(ge=1, description="Items of one value in a list")


AnyRule = Annotated[
    ExcludeBought | AvailableOnly | Exclude | Allow | PriceCap | Boost | Pin | Cap, Field(discriminator="kind")
]
CONDITIONS = ("when", "only", "audience")
