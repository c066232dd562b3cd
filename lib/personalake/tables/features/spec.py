"""What a profile feature is, and how it says what it is computed from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pyspark.sql.types import DataType

from personalake.tables.features.chinese import title_zh
from personalake.tables.spec import BIGINT, DOUBLE, INT, Col

INPUTS: tuple[str, ...] = ("as_of_date", "new_days")
"""What a formula can name beside features: the day of the profile, and settings."""

_TEXT = re.compile(r"'[^']*'")
_NAME = re.compile(r"\b[A-Za-z_]\w*\b(?!\s*\()")
_SQL_WORDS = frozenset({"and", "or", "not", "is", "null", "case", "when", "then", "else", "end", "as", "bigint", "int"})


@dataclass(frozen=True)
class Rows:
    """One kind of rows that totals are taken over; `event_date` is a column of each.

    Args:
        meaning: what one row is, and which roll-up it comes from.
        columns: column to its SQL: an aggregate of the roll-up where a row stands for several of its rows.
        dates: what event_date is of such a row, and what else of days it has.
    """

    meaning: str
    columns: Mapping[str, str]
    dates: tuple[str, ...] = ("event_date",)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything a total over such rows can name."""
        return (*self.columns, *self.dates, "as_of_date")


@dataclass(frozen=True)
class Total:
    """A feature that adds up a number over the person's rows of the window; 0 where there is none.

    Args:
        number: SQL over the columns of a row.
        rows: which rows, a key of the catalogue's kinds.
        by: `sum`; `min` and `max` give null where there is none.
        is_decayed: each row counts half with every half life of its age.
    """

    number: str
    rows: str = "day"
    by: Literal["sum", "min", "max"] = "sum"
    is_decayed: bool = False

    def __str__(self) -> str:
        return f"{self.by} of {self.number} over {self.rows} rows{', decayed' if self.is_decayed else ''}"


@dataclass(frozen=True)
class Made:
    """A feature that a builder makes which no sum can say.

    Args:
        by: name of the builder in `profiles.profile.BUILDERS`.
        words: how, in words.
    """

    by: str
    words: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Feature:
    """One feature of a person as of a day.

    Args:
        name: column name; its suffix tells unit and kind. One that starts with `_` is a step on the way, no column.
        type: Spark type.
        meaning: what it says, in words.
        unit: unit of the number, `''` where it has none.
        window: `life`, or the days before the as-of day, e.g. `30d`.
        person: it can tell who somebody is (erasure and log statistics know it).
        how: a total, a formula in SQL over other features, or the builder that makes it.
    """

    name: str
    type: DataType
    meaning: str
    unit: str = ""
    window: str = "life"
    person: bool = False
    how: Total | Made | str = ""

    @property
    def is_number(self) -> bool:
        """Whether thresholds, quantiles and distances make sense on it."""
        return self.type in (BIGINT, INT, DOUBLE)

    @property
    def is_column(self) -> bool:
        """Whether profiles has it; else it is a step on the way to others."""
        return not self.name.startswith("_")

    @property
    def is_money(self) -> bool:
        """Whether it is money in cents, which people read in units."""
        return self.unit.startswith("cents")

    @property
    def title_zh(self) -> str:
        """What it is called in Chinese, the window included."""
        return title_zh(self.name)

    @property
    def days(self) -> int | None:
        """Days of the window; None is life."""
        return None if self.window == "life" else int(self.window.removesuffix("d"))

    @property
    def needs(self) -> tuple[str, ...]:
        """The features and inputs that its formula names, in order; none where it is no formula."""
        return names_in(self.how) if isinstance(self.how, str) else ()

    @property
    def col(self) -> Col:
        """The feature as a column of `profiles`."""
        notes = [part for part in (f"[{self.unit}]" if self.unit else "", f"({self.window})") if part]
        return Col(self.name, self.type, " ".join([self.meaning, *notes]), person=self.person)


WINDOWS: tuple[int, ...] = (1, 7, 30, 90, 365)
"""Days before the as-of day that the main features are also counted over."""


def over_windows(feature: Feature, *days: int) -> tuple[Feature, ...]:
    """The feature over life, and over the last so many days as `<name>_<days>d`."""
    return (feature, *(replace(feature, name=f"{feature.name}_{d}d", window=f"{d}d") for d in days))


def share(part: str, whole: str) -> str:
    """SQL of a share from 0 to 1, null where there is no whole."""
    return f"CASE WHEN {whole} > 0 THEN greatest(0, least({part}, {whole})) / {whole} END"


def ratio(above: str, below: str) -> str:
    """SQL of a ratio, null where there is nothing to divide by; rounded, where the order of a sum could show."""
    return f"CASE WHEN {below} > 0 THEN round({above} / {below}, 9) END"


def names_in(sql: str) -> tuple[str, ...]:
    """The columns that an SQL expression names, in order, each once."""
    found = _NAME.findall(_TEXT.sub("''", sql))
    return tuple(dict.fromkeys(name for name in found if name.lower() not in _SQL_WORDS))


def with_needs(names: Iterable[str], features: Iterable[Feature]) -> frozenset[str]:
    """Features, and everything that their formulas name on the way.

    Args:
        names: the features, and inputs.
        features: the catalogue.
    """
    needs = {feature.name: feature.needs for feature in features}
    found: set[str] = set()
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(needs.get(name, ()))
    return frozenset(found)


def formula_steps(features: Iterable[Feature], known: Iterable[str]) -> Iterator[tuple[Feature, ...]]:
    """The formulas that can be computed from what is known, in steps: each needs only what came before it.

    Args:
        features: the catalogue, or a part of it; formulas that need more than there is are passed over.
        known: features that are computed already, and inputs.
    """
    there = set(known)
    waiting = [f for f in features if isinstance(f.how, str) and f.name not in there]
    while ready := tuple(f for f in waiting if there.issuperset(f.needs)):
        yield ready
        there.update(f.name for f in ready)
        waiting = [f for f in waiting if f.name not in there]
