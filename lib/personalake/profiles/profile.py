"""The portrait of a person as of a day, put together from roll-ups."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault
from personalake.profiles.activity import (
    orders_by_person,
    platforms_by_person,
    totals_by_person,
)
from personalake.profiles.demography import demography_by_person
from personalake.profiles.paths import paths_by_person
from personalake.profiles.rfm import MEASURED_ON, MEASURES, rfm_bounds, with_rfm
from personalake.profiles.settings import Profiles
from personalake.profiles.tastes import tastes_by_person, words_by_person
from personalake.profiles.totals import Day, with_formulas, with_nothing
from personalake.profiles.visits import visits_by_person
from personalake.tables.features.liking import LIFETIME
from personalake.tables.features.spec import Feature, Made, Total, with_needs
from personalake.tables.profile_features import CATALOGUE
from personalake.tables.profiles import PROFILES


@dataclass(frozen=True)
class RollUps:
    """What people did, by day.

    Args:
        person_days: columns of PERSON_DAYS.
        person_item_days: columns of PERSON_ITEM_DAYS.
        person_word_days: columns of PERSON_WORD_DAYS.
        sessions: what `sessions_as_of` gives for the day of the profile, and person_id.
    """

    person_days: DataFrame
    person_item_days: DataFrame
    person_word_days: DataFrame
    sessions: DataFrame


@dataclass(frozen=True)
class Known:
    """What was known on the day of the profile.

    Args:
        items: columns of ITEMS.
        customers: columns of CUSTOMERS.
        identity_map: identifier_kind, identifier, person_id.
    """

    items: DataFrame
    customers: DataFrame
    identity_map: DataFrame


BUILDERS: Mapping[str, Callable[[RollUps, Known, Day, Profiles], DataFrame]] = {
    "visits": lambda rolled, _, day, __: visits_by_person(rolled.sessions, day),
    "platforms": lambda rolled, _, day, __: platforms_by_person(rolled.person_days, day.as_of),
    "orders": lambda rolled, _, day, __: orders_by_person(rolled.person_days, day.as_of),
    "paths": lambda rolled, _, day, __: paths_by_person(rolled.person_days, day.as_of),
    "tastes": lambda rolled, known, day, s: tastes_by_person(rolled.person_item_days, known.items, day, s),
    "words": lambda rolled, _, day, s: words_by_person(rolled.person_word_days, day, s),
    "demography": lambda _, known, day, s: demography_by_person(
        known.customers, known.identity_map, day.as_of, s.age_bounds
    ),
}  # fmt: skip
"""What makes the features that no sum can say, by its name in the catalogue; rfm and lifetime come last."""

_ADDED_BY = {"day": "", "visit": "visits", "item": "tastes"}
"""Kind of rows to the builder that adds them up; days are added up for everyone."""


def build_profiles(
    rolled: RollUps, known: Known, as_of: date, settings: Profiles, features: Collection[str] = ()
) -> DataFrame:
    """One row per person with an event before the day, one column per feature of the catalogue.

    Args:
        rolled: the roll-ups; days from as_of on are not read.
        known: items, customers and whose identifier is whose, as known at as_of.
        as_of: everything before this day counts, nothing from it on.
        settings: new_days, feature_half_life_days, taste_limit, taste_event_count, age_bounds, rfm.
        features: those wanted, columns of PROFILES; empty is all. Only the parts that they need are made.

    Returns:
        Columns of PROFILES without run_id, or person_id, as_of_date and the features; those of LIFETIME are empty. No
        row where nothing happened before the day.

    Cost:
        Each input is shuffled once by person (person_days five times: platforms, orders, paths and the bounds of RFM
        read a few of its columns again; person_item_days and person_word_days also once by item and by word), and each
        part of the portrait once more, a row per person, so that the parts are made one after the other.
    """
    day = Day(as_of, settings.feature_half_life_days)
    columns = [c.name for c in PROFILES.cols if not features or c.name in {"person_id", "as_of_date", *features}]
    needed = with_needs(columns, CATALOGUE)
    makers = {_maker_of(feature) for feature in CATALOGUE if feature.name in needed}
    if "rfm" in makers:
        needed |= with_needs(MEASURES.values(), CATALOGUE)
    parts = {"days": totals_by_person(rolled.person_days, day, needed | {"event_count"})}
    parts |= {name: build(rolled, known, day, settings) for name, build in BUILDERS.items() if name in makers}
    inputs = {"as_of_date": F.lit(as_of), "new_days": F.lit(settings.new_days)}
    persons = with_formulas(with_nothing(_beside_each_other(parts)), inputs)
    if "rfm" in makers:
        measured = totals_by_person(rolled.person_days, day, MEASURED_ON)
        persons = with_rfm(persons, rfm_bounds(with_formulas(measured, inputs), settings.rfm))
    # What the lifetime models expect is told by `with_lifetime`: they are fitted on everybody first.
    profiles = persons.withColumns({f.name: F.lit(None).cast(f.type) for f in LIFETIME if f.name in needed})
    return profiles.withColumn("as_of_date", F.lit(as_of)).select(*columns)


def _maker_of(feature: Feature) -> str:
    """The builder of a feature; empty for formulas and for what is added up over days."""
    how = feature.how
    return how.by if isinstance(how, Made) else _ADDED_BY[how.rows] if isinstance(how, Total) else ""


def _beside_each_other(parts: Mapping[str, DataFrame]) -> DataFrame:
    """One row per person of the first part, with the columns of all.

    On the way each part is one column: a join then copies some bytes a row, not two hundred fields one by one. And each
    is shuffled by person once more, as if it did not lie so already: what is made before a shuffle is a stage of its
    own, and the sorts of all parts at once would leave no memory for any.
    """
    first, *others = (
        rows.select(
            "person_id", F.struct(*[c for c in rows.columns if c != "person_id"]).alias(f"_{name}")
        ).repartition("person_id")
        for name, rows in parts.items()
    )
    persons = first
    for rows in others:
        persons = persons.join(rows, on="person_id", how="left")
    return persons.select("person_id", *[f"_{name}.*" for name in parts])


def _check_builders() -> None:
    """Every builder that the catalogue names is there, and none is there for nothing."""
    named = {maker: feature.name for feature in reversed(CATALOGUE) if (maker := _maker_of(feature))}
    there = {*BUILDERS, "rfm", "lifetime"}
    faults = [
        Fault(f"feature {named[by]}", f"is made by {by}, which is no builder.") for by in sorted({*named} - there)
    ]
    faults += [Fault(f"builder {by}", "makes no feature of the catalogue.") for by in sorted(there - {*named})]
    if faults:
        raise ConfigError(*faults)


_check_builders()
