"""What a person said of themselves: features from customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

GREATEST_AGE = 110
"""An age above this, or below 1, is taken for a slip of the pen and left out."""

_ATTRIBUTES = ("age_band", "gender", "occupation", "education", "income_band", "region", "age_band_origin")


def demography_by_person(
    customers: DataFrame, identity_map: DataFrame, as_of: date, age_bounds: Sequence[int]
) -> DataFrame:
    """The attributes of a person's customer record; with several logins, of the one that changed last.

    Args:
        customers: columns of CUSTOMERS as known at as_of.
        identity_map: identifier_kind, identifier, person_id as known at as_of.
        as_of: the day of the age.
        age_bounds: lower ages of the bands made from a year of birth, where age_band is missing; rising.

    Returns:
        person_id, age_band, gender, occupation, education, income_band, region; demography_source (the source of the
        record) and age_band_origin (stated, or birth_year).

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
    record = F.struct(*_ATTRIBUTES, F.col("source").alias("demography_source"))
    order = F.struct(F.coalesce(F.unix_micros("effective_at"), F.lit(0)), "login_id")
    last = known.groupBy("person_id").agg(F.max_by(record, order).alias("_record"))
    return last.select("person_id", "_record.*")


def age_band_of(age: Column, bounds: Sequence[int]) -> Column:
    """The band of an age: `<18`, `18-24`, …, `65+`; null where the age is none that people reach."""
    names = [f"<{bounds[0]}", *[f"{low}-{high - 1}" for low, high in pairwise(bounds)]]
    band = F.lit(f"{bounds[-1]}+")
    for name, high in reversed(list(zip(names, bounds, strict=True))):
        band = F.when(age < high, F.lit(name)).otherwise(band)
    return F.when(age.between(1, GREATEST_AGE), band)
