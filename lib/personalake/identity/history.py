"""The map's past: what it said as of any day, and what a run changes of it."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.tables.identity import IDENTIFIER

_SAID = ("person_id", "linked_at", "key_id")


def map_as_of(versions: DataFrame, day: date, is_before: bool = False) -> DataFrame:
    """The map as the last run as of a day, or of an earlier one, published it: links as known then, ids as they were.

    Args:
        versions: rows of identity_map_versions.
        day: as of which day.
        is_before: only runs as of earlier days count.

    Returns:
        The columns of identity_map.

    Cost:
        One shuffle by identifier, of the changes up to that day.
    """
    then = F.col("effective_date") < F.lit(day) if is_before else F.col("effective_date") <= F.lit(day)
    newest = F.max_by(F.struct(*_SAID), F.col("effective_date"))
    last = versions.where(then).groupBy(*IDENTIFIER).agg(newest.alias("_said"))
    return last.where(F.col("_said.person_id").isNotNull()).select(*IDENTIFIER, *[f"_said.{name}" for name in _SAID])


def versions_with_later(
    new_map: DataFrame, versions: DataFrame, as_of: date, later: date | None
) -> tuple[DataFrame, list[date]]:
    """What a run as of a day writes into the history: its own slice, and what keeps the maps of later runs as they are.

    Args:
        new_map: the columns of identity_map.
        versions: rows of identity_map_versions, of a run as of the same day too.
        as_of: the day of the run.
        later: the first later day as of which a run published a map, where a past day is done again; None: there is
            none.

    Returns:
        The columns of identity_map_versions, and the days that they are all rows of.

    Cost:
        That of `build_identity_map_versions`, twice where there is a later day.
    """
    changed = build_identity_map_versions(new_map, map_as_of(versions, as_of, is_before=True), as_of)
    if later is None:
        return changed, [as_of]
    # The next map stays; from this one it differs by other rows than from the one before.
    stays = build_identity_map_versions(map_as_of(versions, later), new_map, later)
    return changed.unionByName(stays), [as_of, later]


def build_identity_map_versions(new_map: DataFrame, before: DataFrame, as_of: date) -> DataFrame:
    """What a run as of a day says otherwise than the runs as of earlier days.

    Args:
        new_map: the columns of identity_map.
        before: `map_as_of` the day, only earlier runs counted.
        as_of: the day of the run.

    Returns:
        The columns of identity_map_versions, effective_date = as_of: identifiers that are new or whose person,
        linked_at or key_id is another; and those that left, with nothing but their key.

    Cost:
        One join by identifier.
    """
    then = before.select(*IDENTIFIER, F.struct(*_SAID).alias("_then"))
    now = new_map.select(*IDENTIFIER, F.struct(*_SAID).alias("_now"))
    both = now.join(then, [*IDENTIFIER], how="full")
    changed = both.where(~F.col("_now").eqNullSafe(F.col("_then")))
    return changed.select(
        *IDENTIFIER, F.lit(as_of).alias("effective_date"), *[F.col(f"_now.{name}").alias(name) for name in _SAID]
    )
