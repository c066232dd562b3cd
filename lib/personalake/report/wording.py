"""Numbers as readers write them, and counts of persons that are too small to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

NOTHING = "–"


@dataclass(frozen=True)
class Wording:
    """How numbers are told.

    Args:
        suppress_below: counts of persons below this one are not told.
        currency: shown beside money, `''` for none.
    """

    suppress_below: int = 10
    currency: str = ""

    def is_small(self, person_count: int | None) -> bool:
        """Whether a group is too small to be told of."""
        return person_count is not None and 0 < person_count < self.suppress_below

    def persons(self, person_count: int | None) -> str:
        """`1,234`, or `<10`."""
        return f"<{self.suppress_below}" if self.is_small(person_count) else count(person_count)

    def money(self, minor: float | None) -> str:
        """Cents as whole units: `12,345 EUR`; with cents below a hundred units, in millions above."""
        if minor is None:
            return NOTHING
        units = minor / 100
        if abs(units) >= 1_000_000:
            text = f"{units / 1_000_000:,.2f}M"
        else:
            text = f"{units:,.2f}" if 0 < abs(units) < 100 else f"{units:,.0f}"
        return f"{text} {self.currency}".strip()

    def feature(self, value: float | None, unit: str) -> str:
        """A profile feature in its unit."""
        if value is None:
            return NOTHING
        if unit.startswith("cents"):
            return self.money(value)
        if unit == "0-1":
            return share(value)
        if unit == "s" and value >= 120:
            return f"{value / 60:,.1f} min"
        text = number(value)
        if unit == "days":
            return f"{text} day" if text == "1" else f"{text} days"
        return f"{text} {unit}" if unit in ("s", "ms") else text


def count(value: int | None) -> str:
    """`1,234`."""
    return NOTHING if value is None else f"{value:,}"


def of_kind(value: int | None, kind: str) -> str:
    """`1 order`, `3 orders`."""
    return f"{count(value)} {kind}" + ("" if value == 1 else "s")


def number(value: float | None) -> str:
    """About two figures: `1,234`, `12.3`, `5.3`, `0.12`, `5`."""
    if value is None:
        return NOTHING
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"


def share(value: float | None) -> str:
    """`12 %`, with a decimal below ten."""
    if value is None:
        return NOTHING
    percent = value * 100
    return f"{percent:.0f} %" if percent >= 9.95 or percent == 0 else f"{percent:.1f} %"


def day(value: date | None) -> str:
    """`10 March 2024`."""
    return NOTHING if value is None else f"{value.day} {value:%B %Y}"


def plain(name: str | None) -> str:
    """A column or model name as words: `item_cosine` → `item cosine`."""
    return (name or NOTHING).replace("_", " ")


def shortened(text: str, limit: int) -> str:
    """The text, cut with an ellipsis where it is longer."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
