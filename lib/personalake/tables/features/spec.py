"""What a profile feature is, how it says what it is computed from, and the check that a catalogue holds together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pyspark.sql.types import DataType

from personalake.errors import ConfigError, Fault, near_miss
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


def checked(features: Sequence[Feature], rows: Mapping[str, Rows]) -> tuple[Feature, ...]:
    """The catalogue, where it holds together.

    Args:
        features: the catalogue.
        rows: kinds of rows that totals may name.

    Raises:
        ConfigError: with every feature that is declared twice, names what is not there, or needs itself.
    """
    faults = [*_twice(features), *_unknown(features, rows), *_cycles(features)]
    if faults:
        raise ConfigError(*faults)
    return tuple(features)


def _twice(features: Sequence[Feature]) -> Iterator[Fault]:
    names = [feature.name for feature in features]
    for name in dict.fromkeys(names):
        if (count := names.count(name)) > 1:
            yield Fault(f"feature {name}", f"is declared {count} times.", "Keep one, or call the others otherwise.")


def _unknown(features: Sequence[Feature], rows: Mapping[str, Rows]) -> Iterator[Fault]:
    known = [*(feature.name for feature in features), *INPUTS]
    for feature in features:
        where, how = f"feature {feature.name}", feature.how
        if isinstance(how, str) and not how:
            yield Fault(where, "says not how it is computed.", "Give it a total, a formula or a builder.")
        elif isinstance(how, Total) and how.rows not in rows:
            yield Fault(where, f"is a total over {how.rows} rows, which do not exist.", near_miss(how.rows, rows))
        elif isinstance(how, Total):
            columns = rows[how.rows].names
            for name in (n for n in names_in(how.number) if n not in columns):
                yield Fault(where, f"adds up {name}, which {how.rows} rows have not.", near_miss(name, columns))
        for name in (n for n in feature.needs if n not in known):
            yield Fault(where, f"needs {name}, which is no feature.", near_miss(name, known))


def _cycles(features: Sequence[Feature]) -> Iterator[Fault]:
    """Each feature that needs itself by way of others, told once by the first of them."""
    needs = {feature.name: feature.needs for feature in features}
    told: set[str] = set()
    for name in needs:
        way = [] if name in told else _way_back(name, needs)
        if way:
            told.update(way)
            yield Fault(f"feature {name}", f"needs itself: {' → '.join([*way, name])}.", "Break the circle.")


def _way_back(name: str, needs: Mapping[str, Sequence[str]]) -> list[str]:
    """The shortest way from a feature to itself; empty where there is none."""
    ways, seen = [[name]], set[str]()
    for way in ways:
        for needed in needs.get(way[-1], ()):
            if needed == name:
                return way
            if needed not in seen:
                seen.add(needed)
                ways.append([*way, needed])
    return []
