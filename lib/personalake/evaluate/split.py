"""Train on what was, test on what came: a split by time never lets a model see its test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault

PAIR = ("person_id", "item_id")


@dataclass(frozen=True)
class Split:
    """Rows before `train_as_of`, and rows from then on up to the day before `as_of`."""

    train: DataFrame
    test: DataFrame
    train_as_of: date
    as_of: date


def split_by_time(days: DataFrame, as_of: date, test_days: int) -> Split:
    """Split dated rows: train as of D − test_days, test on the days up to D.

    Args:
        days: any rows with event_date, e.g. person_item_days or person events.
        as_of: D; rows of this day and later are in neither part.
        test_days: length of the test [days], ≥ 1.

    Returns:
        train (event_date < D − test_days) and test (D − test_days ≤ event_date < D), with the columns of `days`.

    Raises:
        ConfigError: test_days is below 1.
    """
    if test_days < 1:
        raise ConfigError(Fault("evaluate.test_days", f"is {test_days}.", "Give 1 or more."))
    border = as_of - timedelta(days=test_days)
    day = F.col("event_date")
    test = days.where((day >= F.lit(border)) & (day < F.lit(as_of)))
    return Split(days.where(day < F.lit(border)), test, border, as_of)


def relevant_pairs(test: DataFrame, train: DataFrame, only_new: bool = True) -> DataFrame:
    """What a good list would have held.

    Args:
        test: rows of the test days; reads person_id, item_id; rows without an item are left out.
        train: rows before them; reads the same.
        only_new: leave out items the person had met in train.

    Returns:
        person_id, item_id, distinct.

    Cost:
        One shuffle by pair of each side.
    """
    pairs = test.select(*PAIR).dropna().distinct()
    return pairs.join(train.select(*PAIR), on=list(PAIR), how="left_anti") if only_new else pairs
