"""A person and an item, weighted by what the person did."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.profiles.settings import Profiles

LEAST_WEIGHT = 1e-9
"""A pair that has decayed to less keeps this: it still met, and was perhaps bought."""


def build_interactions(person_item_days: DataFrame, as_of: date, settings: Profiles) -> DataFrame:
    """Every weighted pair before the as-of day, with the weights of conf; `with_index` makes INTERACTIONS of it.

    Args:
        person_item_days: columns of PERSON_ITEM_DAYS.
        as_of: days from this one on are not read.
        settings: event_weights, half_life_days, weight_transform.

    Returns:
        Columns of INTERACTIONS without run_id, person_index and item_index.

    Cost:
        One shuffle by person and item. Put the rows down before they are numbered: numbering reads them three times.
    """
    return interactions_by_person_item(
        person_item_days, as_of, settings.event_weights, settings.half_life_days, settings.weight_transform
    )


def interactions_by_person_item(
    person_item_days: DataFrame,
    as_of: date,
    weights: Mapping[str, float],
    half_life_days: float | None = None,
    transform: Literal["none", "log"] = "none",
) -> DataFrame:
    """One row per person and item that met before the as-of day.

    Args:
        person_item_days: columns of PERSON_ITEM_DAYS.
        as_of: days from this one on are not read.
        weights: verb to the weight of one event; verbs with weight 0 or unnamed leave no trace, in counts neither.
        half_life_days: age at which an event counts half, measured from the last day before as_of; None: no decay.
        transform: `log` makes log2(1 + x) of the summed weight.

    Returns:
        person_id, item_id, weight (double > 0), event_count, buy_count, first_at, last_at, last_bought_at.

    Cost:
        One shuffle by person and item.
    """
    used = {name: weight for name, weight in weights.items() if weight > 0}
    rows = person_item_days.where(F.col("event_date") < F.lit(as_of)).where(F.col("event_type").isin(sorted(used)))
    is_buy = F.col("event_type") == "buy"
    mass = F.sum(_weight(used) * F.col("event_count") * _decay(as_of, half_life_days))
    pairs = rows.groupBy("person_id", "item_id").agg(
        mass.alias("_mass"),
        F.sum("event_count").alias("event_count"),
        F.coalesce(F.sum(F.when(is_buy, F.col("event_count"))), F.lit(0)).cast("bigint").alias("buy_count"),
        F.min("first_at").alias("first_at"),
        F.max("last_at").alias("last_at"),
        F.max(F.when(is_buy, F.col("last_at"))).alias("last_bought_at"),
    )
    grown = F.log2(F.col("_mass") + 1) if transform == "log" else F.col("_mass")
    # Rounded, because the order of a float sum must not show; never to 0, because a pair that met has a weight.
    weight = F.greatest(F.round(grown, 9), F.lit(LEAST_WEIGHT))
    return pairs.select(
        *("person_id", "item_id"),
        weight.alias("weight"),
        *("event_count", "buy_count", "first_at", "last_at", "last_bought_at"),
    )


def _weight(weights: Mapping[str, float]) -> Column:
    column = F.lit(0.0)
    for name, weight in sorted(weights.items()):
        column = F.when(F.col("event_type") == name, F.lit(float(weight))).otherwise(column)
    return column


def _decay(as_of: date, half_life_days: float | None) -> Column:
    """0.5 to the age in half lives; an event of the last day has age 0."""
    if half_life_days is None:
        return F.lit(1.0)
    age = F.date_diff(F.lit(as_of), "event_date") - 1
    return F.pow(F.lit(0.5), age / F.lit(half_life_days))
