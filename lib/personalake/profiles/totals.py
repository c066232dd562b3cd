"""The catalogue at work: totals over rows, and formulas over totals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    def decay(self) -> Column:
        """What an event of event_date counts, 0 to 1."""
        age = F.date_diff(F.lit(self.as_of), "event_date") - 1
        return F.pow(F.lit(0.5), age / F.lit(self.half_life_days))


def row_columns(rows: str) -> list[Column]:
    """The columns of a kind of rows, as the catalogue says them: aggregates of a roll-up, or expressions."""
    return [F.expr(sql).alias(name) for name, sql in ROWS[rows].columns.items()]


def totals_of(rows: str) -> list[Feature]:
    """The features that add up over a kind of rows."""
    return [f for f in CATALOGUE if isinstance(f.how, Total) and f.how.rows == rows]


def total_columns(rows: str, day: Day, condition: Column | None = None) -> list[Column]:
    """The totals over a kind of rows, as aggregates.

    Args:
        rows: the kind; its columns, event_date and as_of_date are read.
        day: the day of the profile.
        condition: which rows count; None is all.
    """
    return [
        _total(feature, feature.how, day, condition) for feature in totals_of(rows) if isinstance(feature.how, Total)
    ]


def _total(feature: Feature, total: Total, day: Day, condition: Column | None) -> Column:
    number = F.expr(total.number)
    if total.is_decayed:
        number = number * day.decay
    if feature.days is not None:
        first = F.lit(day.as_of - timedelta(days=feature.days))
        number = F.when(F.col("event_date") >= first, number)
    if condition is not None:
        number = F.when(condition, number)
    if total.by != "sum":
        return (F.min if total.by == "min" else F.max)(number).alias(feature.name)
    summed = F.coalesce(F.sum(number), F.lit(0))
    if feature.type == DOUBLE:
        # Rounded, because the order of a float sum must not show.
        summed = F.round(summed, 9)
    elif total.is_decayed:
        summed = F.round(summed)
    return summed.cast(feature.type).alias(feature.name)


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
