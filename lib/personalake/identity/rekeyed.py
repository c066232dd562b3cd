"""Identifiers that came by two keys: what was seen under the key before counts as seen under the key of now."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.tables.identity import DEVICE, IDENTIFIER, LOGIN

_ALIAS = ("identifier_kind", "old_identifier")


def newest_aliases(aliases: DataFrame, changes: int) -> DataFrame:
    """Each old identifier with what it is by the newest key that it came by.

    Args:
        aliases: rows of identifier_aliases.
        changes: how often the key was changed; as many steps may lie between an identifier and its newest form.

    Returns:
        identifier_kind, old_identifier, identifier.

    Cost:
        A join of the aliases with themselves for each change but the first.
    """
    found = aliases.select(*_ALIAS, "identifier")
    for _ in range(changes - 1):
        further = aliases.select(
            "identifier_kind", F.col("old_identifier").alias("identifier"), F.col("identifier").alias("_newer")
        )
        found = found.join(further, [*IDENTIFIER], how="left").select(
            *_ALIAS, F.coalesce("_newer", "identifier").alias("identifier")
        )
    return found


def with_newest_identifiers(sightings: DataFrame, newest: DataFrame) -> DataFrame:
    """Sightings with every identifier as it is by the newest key that it came by; so guards count it once.

    Args:
        sightings: rows of identity_sightings.
        newest: rows of `newest_aliases`.

    Returns:
        The same rows and columns.

    Cost:
        A join for devices and one for logins; where rows hold further identifiers, those are joined and put together
        again, one shuffle more.
    """
    renamed = _renamed(_renamed(sightings, newest, DEVICE, "device_id"), newest, LOGIN, "login_id")
    entries = renamed.where(F.size("identifiers") > 0).select(
        "event_date", "sighting_id", F.explode("identifiers").alias("identifier_kind", "old_identifier")
    )
    known = entries.join(newest, [*_ALIAS], how="left")
    put = F.map_from_entries(
        F.collect_list(F.struct("identifier_kind", F.coalesce("identifier", "old_identifier").alias("identifier")))
    )
    maps = known.groupBy("event_date", "sighting_id").agg(put.alias("_further"))
    return (
        renamed.join(maps, ["event_date", "sighting_id"], how="left")
        .withColumn("identifiers", F.coalesce("_further", "identifiers"))
        .select(*sightings.columns)
    )


def with_newest_names(rows: DataFrame, newest: DataFrame, *sides: str) -> DataFrame:
    """Rows that name identifiers, each named as it is by the newest key that it came by.

    Args:
        rows: identifier_kind and identifier, or with sides left and right their columns left_kind, left_identifier, ….
        newest: rows of `newest_aliases`.
        sides: `identifier`, or `left` and `right`.

    Returns:
        The same rows and columns.

    Cost:
        A join a side.
    """
    columns = rows.columns
    for side in sides:
        kind, name = IDENTIFIER if side == "identifier" else (f"{side}_kind", f"{side}_identifier")
        names = newest.select(
            F.col("identifier_kind").alias(kind),
            F.col("old_identifier").alias(name),
            F.col("identifier").alias("_newest"),
        )
        joined = rows.join(names, [kind, name], how="left")
        rows = joined.withColumn(name, F.coalesce("_newest", name)).drop("_newest").select(*columns)
    return rows


def with_old_identifiers(components: DataFrame, newest: DataFrame, seen: DataFrame) -> DataFrame:
    """Components with the identifiers by older keys beside those of now, so that the map finds both.

    Args:
        components: rows of `fit_components` on sightings of `with_newest_identifiers`.
        newest: rows of `newest_aliases`.
        seen: rows of `identifiers_of` on the sightings as they are: which old identifiers there are, with their times.

    Returns:
        The columns of components; one row more for each old identifier that was seen.

    Cost:
        Two joins by identifier.
    """
    home = components.select("identifier_kind", "identifier", "component")
    old = (
        newest.join(home, [*IDENTIFIER], how="inner")
        .select("identifier_kind", F.col("old_identifier").alias("identifier"), "component")
        .join(seen, [*IDENTIFIER], how="inner")
        .select(*components.columns)
    )
    there = home.select(*IDENTIFIER)
    return components.unionByName(old.join(there, [*IDENTIFIER], how="left_anti"))


def with_newest_login(rows: DataFrame, newest: DataFrame) -> DataFrame:
    """Rows with login_id as it is by the newest key that it came by; the same rows and columns."""
    return _renamed(rows, newest, LOGIN, "login_id").select(*rows.columns)


def _renamed(sightings: DataFrame, newest: DataFrame, kind: str, column: str) -> DataFrame:
    names = newest.where(F.col("identifier_kind") == kind).select(
        F.col("old_identifier").alias(column), F.col("identifier").alias("_newest")
    )
    joined = sightings.join(names, [column], how="left")
    return joined.withColumn(column, F.coalesce("_newest", column)).drop("_newest")
