"""What a person said of themselves: features from customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

GREATEST_AGE = 110
"""An age above this, or below 1, is taken for a slip of the pen and left out."""

_ATTRIBUTES = ("age_band", "gender", "occupation", "education", "income_band", "region")
_SOURCE_BREAK = ", "


def demography_by_person(
    customers: DataFrame, identity_map: DataFrame, as_of: date, age_bounds: Sequence[int]
) -> DataFrame:
    """The attributes of a person's customer records; with several logins, each as the last one says that says any.

    Args:
        customers: columns of CUSTOMERS as known at as_of.
        identity_map: identifier_kind, identifier, person_id as known at as_of.
        as_of: the day of the age.
        age_bounds: lower ages of the bands made from a year of birth, where age_band is missing; rising.

    Returns:
        person_id, age_band, gender, occupation, education, income_band, region; demography_source (the sources of
        these, by name) and age_band_origin (stated, or birth_year).

    Cost:
        A join by login and a shuffle by person, both of the size of customers.
    """
    logins = identity_map.where(F.col("identifier_kind") == "login").select(
        F.col("identifier").alias("login_id"), "person_id"
    )
    counted = age_band_of(F.lit(as_of.year) - F.col("birth_year"), age_bounds)
    origin = F.when(F.col("age_band").isNotNull(), "stated").when(counted.isNotNull(), "birth_year")
    banded = customers.withColumns({"age_band_origin": origin, "age_band": F.coalesce("age_band", counted)})
    known = banded.join(logins, on="login_id", how="inner")
    order = (F.coalesce(F.unix_micros("effective_at"), F.lit(0)).alias("at"), "login_id")
    last = [
        # A record that does not say it has no say: its struct is null, and max passes over nulls.
        F.max(
            F.when(F.col(name).isNotNull(), F.struct(*order, F.col(name).alias("said"), "source", "age_band_origin"))
        ).alias(name)
        for name in _ATTRIBUTES
    ]
    found = known.groupBy("person_id").agg(*last)
    sources = F.array_sort(F.array_distinct(F.array_compact(F.array(*[F.col(name)["source"] for name in _ATTRIBUTES]))))
    return found.select(
        "person_id",
        *[F.col(name)["said"].alias(name) for name in _ATTRIBUTES],
        F.when(F.size(sources) > 0, F.array_join(sources, _SOURCE_BREAK)).alias("demography_source"),
        F.col("age_band")["age_band_origin"].alias("age_band_origin"),
    )


def age_band_of(age: Column, bounds: Sequence[int]) -> Column:
    """The band of an age: `<18`, `18-24`, …, `65+`; null where the age is none that people reach."""
    names = [f"<{bounds[0]}", *[f"{low}-{high - 1}" for low, high in pairwise(bounds)]]
    band = F.lit(f"{bounds[-1]}+")
    for name, high in reversed(list(zip(names, bounds, strict=True))):
        band = F.when(age < high, F.lit(name)).otherwise(band)
    return F.when(age.between(1, GREATEST_AGE), band)
