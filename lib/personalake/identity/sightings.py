"""Which identifiers were seen, and which of them together: the one pass over events that identity needs."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

LOGIN = "login"
DEVICE = "device"


def sightings_by_identifiers(events: DataFrame) -> DataFrame:
    """Events rolled up to the distinct sets of identifiers they show.

    A visit is the source's own session, or the day where the source has no sessions.

    Args:
        events: one row per event; reads device_id, login_id, identifiers, key_id, source_session_id, event_date,
            event_at [UTC].

    Returns:
        device_id, login_id, identifiers (array of kind and identifier, by kind; empty for none), key_id, visit_count,
        event_count, first_at, last_at [UTC]. Events that show no identifier give no row. Everything else in this
        package starts from here: keep it (persist or write) when it is read more than once.

    Cost:
        One pass over seven columns, then two shuffles of partly aggregated rows (visits, then sets).
    """
    further = F.filter(
        F.transform(
            F.coalesce(F.map_entries("identifiers"), F.array()),
            lambda entry: F.struct(entry["key"].alias("kind"), entry["value"].alias("identifier")),
        ),
        lambda entry: entry["identifier"].isNotNull(),
    )
    visit = F.coalesce("source_session_id", F.col("event_date").cast("string"))
    return (
        events.select(
            "device_id",
            "login_id",
            F.array_sort(further).alias("identifiers"),
            "key_id",
            visit.alias("_visit"),
            "event_at",
        )
        .where(F.col("device_id").isNotNull() | F.col("login_id").isNotNull() | (F.size("identifiers") > 0))
        .groupBy("device_id", "login_id", "identifiers", "key_id")
        .agg(
            F.countDistinct("_visit").alias("visit_count"),
            F.count(F.lit(1)).alias("event_count"),
            F.min("event_at").alias("first_at"),
            F.max("event_at").alias("last_at"),
        )
    )


def identifiers_of(sightings: DataFrame) -> DataFrame:
    """Every identifier that was seen, single ones too.

    Args:
        sightings: rows of `sightings_by_identifiers`.

    Returns:
        identifier_kind, identifier, first_at (first event that shows it [UTC]), key_id (of its latest event).

    Cost:
        One shuffle by identifier.
    """
    latest = F.max(F.struct("last_at", "key_id"))["key_id"]
    return (
        sightings.withColumn("_seen", F.explode(seen_identifiers()))
        .groupBy(F.col("_seen.kind").alias("identifier_kind"), F.col("_seen.identifier").alias("identifier"))
        .agg(F.min("first_at").alias("first_at"), latest.alias("key_id"))
    )


def seen_identifiers() -> Column:
    """All identifiers of a sighting, the one that tells most first: login, further identifiers by kind, device."""
    return F.filter(
        F.concat(
            F.array(_identifier(LOGIN, "login_id")), F.col("identifiers"), F.array(_identifier(DEVICE, "device_id"))
        ),
        lambda entry: entry["identifier"].isNotNull(),
    )


def _identifier(kind: str, column: str) -> Column:
    return F.struct(F.lit(kind).alias("kind"), F.col(column).alias("identifier"))
