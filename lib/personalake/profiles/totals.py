"""The catalogue at work: totals over rows, and formulas over totals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.tables.features.liking import LISTS
from personalake.tables.features.rows import ROWS
from personalake.tables.features.spec import Feature, Total, formula_steps
from personalake.tables.profile_features import CATALOGUE
from personalake.tables.spec import BIGINT, DOUBLE


@dataclass(frozen=True)
class Day:
    """The day of a profile, and what decays.

    Args:
        as_of: everything before this day counts, nothing from it on.
        half_life_days: age at which an event counts half [d]; one of the last day has age 0.
    """

    as_of: date
    half_life_days: float = 30.0

    @property
    def decay_sql(self) -> str:
        """What an event of event_date counts, 0 to 1."""
        return f"pow(0.5D, (date_diff(DATE'{self.as_of}', event_date) - 1) / {float(self.half_life_days)!r}D)"

    @property
    def decay(self) -> Column:
        """The same as a column."""
        return F.expr(self.decay_sql)


def row_columns(rows: str) -> list[Column]:
    """The columns of a kind of rows, as the catalogue says them: aggregates of a roll-up, or expressions."""
    return [F.expr(sql).alias(name) for name, sql in ROWS[rows].columns.items()]


def totals_of(rows: str) -> list[Feature]:
    """The features that add up over a kind of rows."""
    return [f for f in CATALOGUE if isinstance(f.how, Total) and f.how.rows == rows]


def total_columns(rows: str, day: Day, condition: str = "", names: Collection[str] = ()) -> list[Column]:
    """The totals over a kind of rows, as aggregates.

    Args:
        rows: the kind; its columns, event_date and as_of_date are read.
        day: the day of the profile.
        condition: SQL of which rows count; empty is all.
        names: the features wanted; empty is all.
    """
    wanted = [feature for feature in totals_of(rows) if not names or feature.name in names]
    return [_total(feature, feature.how, day, condition) for feature in wanted if isinstance(feature.how, Total)]


def _total(feature: Feature, total: Total, day: Day, condition: str) -> Column:
    """One text a total: made of columns one by one, a hundred of them take seconds to say."""
    number = f"({total.number}) * {day.decay_sql}" if total.is_decayed else total.number
    if feature.days is not None:
        first = day.as_of - timedelta(days=feature.days)
        number = f"CASE WHEN event_date >= DATE'{first}' THEN {number} END"
    if condition:
        number = f"CASE WHEN {condition} THEN {number} END"
    if total.by != "sum":
        return F.expr(f"{total.by}({number})").alias(feature.name)
    summed = f"coalesce(sum({number}), 0)"
    if feature.type == DOUBLE:
        # Rounded, because the order of a float sum must not show.
        summed = f"round({summed}, 9)"
    elif total.is_decayed:
        summed = f"round({summed})"
    return F.expr(f"cast({summed} AS {feature.type.simpleString()})").alias(feature.name)


def with_nothing(persons: DataFrame) -> DataFrame:
    """Whole numbers that no row was found for are 0 and lists empty, not null; those of formulas stay as they are."""
    there = set(persons.columns)
    counts = [f.name for f in CATALOGUE if f.type == BIGINT and not isinstance(f.how, str) and f.name in there]
    lists = {f.name: F.coalesce(f.name, F.array().cast(f.type)) for f in LISTS if f.name in there}
    return persons.fillna(0, subset=counts).withColumns(lists)


def with_formulas(persons: DataFrame, inputs: Mapping[str, Column]) -> DataFrame:
    """Add every feature whose formula names nothing but what is there, one step on the other.

    Args:
        persons: one row per person with features.
        inputs: what formulas name beside features, e.g. as_of_date.

    Returns:
        The same rows plus the formulas' features; inputs are left out again.
    """
    known = persons.withColumns({**inputs})
    for step in formula_steps(CATALOGUE, known.columns):
        known = known.withColumns(_formulas(step))
    return known.drop(*inputs)


def _formulas(step: Iterable[Feature]) -> dict[str, Column]:
    return {f.name: F.expr(f.how).cast(f.type) for f in step if isinstance(f.how, str)}
