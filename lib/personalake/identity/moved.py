"""Whose roll-ups of days past are no longer right, because identifiers went from one person to another."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.identity.whose import person_events
from personalake.tables.identity import IDENTIFIER


def moved_identifiers(before: DataFrame, now: DataFrame) -> DataFrame:
    """Identifiers that belong to another person than before; those that came or went too.

    Args:
        before: identifier_kind, identifier, person_id.
        now: the same later.

    Returns:
        identifier_kind, identifier, old_person_id, new_person_id; the former is null where it came, the latter where
        it went.

    Cost:
        One shuffle of both maps.
    """
    old = before.select(*IDENTIFIER, F.col("person_id").alias("old_person_id"))
    new = now.select(*IDENTIFIER, F.col("person_id").alias("new_person_id"))
    both = old.join(new, [*IDENTIFIER], how="full")
    return both.where(~F.col("old_person_id").eqNullSafe(F.col("new_person_id")))


def moved_days(sightings: DataFrame, moved: DataFrame) -> DataFrame:
    """The days of persons who lost or won events because identifiers moved.

    Args:
        sightings: columns of IDENTITY_SIGHTINGS, of the days that are asked about.
        moved: what `moved_identifiers` gives.

    Returns:
        person_id, event_date; distinct.

    Cost:
        One join by identifier, from which little comes, and a shuffle of that.
    """
    both = F.explode(F.array_compact(F.array("old_person_id", "new_person_id")))
    persons = moved.select(*IDENTIFIER, both.alias("person_id"))
    return person_events(sightings, persons).select("person_id", "event_date").distinct()
