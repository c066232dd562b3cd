"""The portrait of a person as of a day, put together from roll-ups."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.profiles.activity import activity_by_person, top_platform_by_person
from personalake.profiles.demography import demography_by_person
from personalake.profiles.rfm import rfm_bounds, with_rfm
from personalake.profiles.settings import Profiles
from personalake.profiles.tastes import tastes_by_person
from personalake.profiles.visits import visits_by_person
from personalake.tables.profile_features import LIFETIME
from personalake.tables.profiles import PROFILES

_COUNTS_OF_NOTHING = ("session_count", "session_count_30d", "device_count", "item_count", "category_count")
"""Counts of a person who has none of the thing: 0, not null."""


def build_profiles(
    person_days: DataFrame,
    person_item_days: DataFrame,
    sessions: DataFrame,
    items: DataFrame,
    customers: DataFrame,
    identity_map: DataFrame,
    as_of: date,
    settings: Profiles,
) -> DataFrame:
    """One row per person with an event before the day, one column per feature of the catalogue.

    Args:
        person_days: columns of PERSON_DAYS.
        person_item_days: columns of PERSON_ITEM_DAYS.
        sessions: what `sessions_as_of(…, as_of)` gives, and person_id.
        items: columns of ITEMS as known at as_of.
        customers: columns of CUSTOMERS as known at as_of.
        identity_map: identifier_kind, identifier, person_id as known at as_of.
        as_of: everything before this day counts, nothing from it on.
        settings: new_days, age_bounds, rfm.

    Returns:
        Columns of PROFILES without run_id; those of LIFETIME are empty.

    Cost:
        Each input is shuffled once by person (person_days three times: the platforms and the bounds of RFM read a
        few of its columns again); the joins by person find their rows in place.
    """
    activity = activity_by_person(person_days, as_of, settings.new_days)
    parts = (
        top_platform_by_person(person_days, as_of),
        visits_by_person(sessions, as_of),
        tastes_by_person(person_item_days, items, as_of),
        demography_by_person(customers, identity_map, as_of, settings.age_bounds),
    )
    profiles = activity
    for part in parts:
        profiles = profiles.join(part, on="person_id", how="left")
    ranked = with_rfm(profiles, rfm_bounds(activity, settings.rfm))
    # What the lifetime models expect is told by `with_lifetime`: they are fitted on everybody first.
    expected = {feature.name: F.lit(None).cast(feature.type) for feature in LIFETIME}
    profiles = ranked.withColumns(expected).fillna(0, subset=list(_COUNTS_OF_NOTHING))
    return profiles.withColumn("as_of_date", F.lit(as_of)).select(*[c.name for c in PROFILES.cols])
