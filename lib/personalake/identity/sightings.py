"""Which identifiers were seen, and which of them together: events rolled up by day, once."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.tables.identity import DEVICE, IDENTIFIER, IDENTITY_SIGHTINGS, LOGIN

_FURTHER = "array<struct<kind:string,identifier:string>>"
_SET = ("source", "device_id", "login_id", "_further", "key_id")
_WHO = ("event_date", "source", "device_id", "login_id", "_else")


def build_identity_sightings(events: DataFrame, visit_gap_seconds: int = 1800) -> DataFrame:
    """Events rolled up to the distinct sets of identifiers that each source showed on each day.

    A day's rows are made from that day's events alone, so days can be made anew one by one. A visit of a device and
    login is the source's own session on a day; where the source has none, what no longer silence interrupts.

    Args:
        events: one row per event; reads source, device_id, login_id, identifiers, key_id, source_session_id,
            event_date, event_at [UTC].
        visit_gap_seconds: silence that ends a visit where the source has no sessions.

    Returns:
        The columns of identity_sightings. Events that show no identifier give no row.

    Cost:
        One pass over eight columns, then two shuffles of partly aggregated rows (stretches of a visit, then days of a
        device and login, which are sorted).
    """
    named = F.transform(
        F.map_entries("identifiers"),
        lambda entry: F.struct(entry["key"].alias("kind"), entry["value"].alias("identifier")),
    )
    known = F.array_sort(F.filter(named, lambda entry: entry["identifier"].isNotNull()))
    # Most events have none: they are spared functions that Spark interprets.
    further = F.when(F.size("identifiers") > 0, known).otherwise(F.array().cast(_FURTHER))
    # Events of one slot are never further apart than the silence: a slot is within one visit.
    slot = F.when(F.col("source_session_id").isNull(), F.floor(F.unix_seconds("event_at") / visit_gap_seconds))
    is_seen = F.col("device_id").isNotNull() | F.col("login_id").isNotNull() | (F.size("_further") > 0)
    rows = events.select(
        "event_date",
        "source",
        "device_id",
        "login_id",
        further.alias("_further"),
        "key_id",
        F.col("source_session_id").alias("_session"),
        slot.alias("_slot"),
        "event_at",
    )
    stretches = rows.where(is_seen).groupBy("event_date", *_SET, "_session", "_slot")
    counted = stretches.agg(
        F.count(F.lit(1)).alias("event_count"), F.min("event_at").alias("first_at"), F.max("event_at").alias("last_at")
    )
    return (
        _with_visits(counted, visit_gap_seconds)
        .groupBy("event_date", *_SET)
        .agg(
            F.count_distinct(F.coalesce("_session", F.lit("")), "_visit").alias("visit_count"),
            F.count_if("_is_start").alias("own_visit_count"),
            F.sum("event_count").alias("event_count"),
            F.min("first_at").alias("first_at"),
            F.max("last_at").alias("last_at"),
        )
        .withColumn("sighting_id", F.sha2(F.to_json(F.struct(*_SET)), 256))
        .withColumn("identifiers", F.map_from_entries("_further"))
        .select(*[c.name for c in IDENTITY_SIGHTINGS.cols])
    )


def _with_visits(stretches: DataFrame, gap_seconds: int) -> DataFrame:
    """Adds _visit, the number of the visit within the day of a device and login, and _is_start.

    Whoever shows a mail in half of a visit made one visit, though in two sets of identifiers: it starts in one of them.
    """
    # Without device and login the further identifiers are all there is to tell people apart.
    nobody = F.col("device_id").isNull() & F.col("login_id").isNull()
    near = stretches.withColumn("_else", F.when(nobody, F.col("_further"))).repartition(*_WHO)
    in_order = Window.partitionBy(*_WHO, "_session").orderBy("first_at", "_further", "key_id")
    last = F.max("last_at").over(in_order.rowsBetween(Window.unboundedPreceding, -1))
    waited = F.unix_micros("first_at") - F.unix_micros(last)
    starts = last.isNull() | (F.col("_session").isNull() & (waited > gap_seconds * 1_000_000))
    return near.withColumn("_is_start", starts).withColumn("_visit", F.count_if("_is_start").over(in_order))


def identifiers_of(sightings: DataFrame, only: DataFrame | None = None) -> DataFrame:
    """Every identifier that was seen, single ones too.

    Args:
        sightings: rows of identity_sightings.
        only: identifier_kind, identifier: no others are asked about; None: all.

    Returns:
        identifier_kind, identifier, first_at (first event that shows it [UTC]), key_id (of its latest event).

    Cost:
        One shuffle by identifier.
    """
    latest = F.max(F.struct("last_at", "key_id"))["key_id"]
    seen = each_identifier(sightings)
    asked = seen if only is None else seen.join(only, [*IDENTIFIER], how="left_semi")
    return asked.groupBy(*IDENTIFIER).agg(F.min("first_at").alias("first_at"), latest.alias("key_id"))


def each_identifier(sightings: DataFrame) -> DataFrame:
    """One row per sighting and identifier in it: identifier_kind, identifier, first_at, last_at, key_id."""
    return sightings.withColumn("_seen", F.explode(seen_identifiers())).select(
        F.col("_seen.kind").alias("identifier_kind"),
        F.col("_seen.identifier").alias("identifier"),
        "first_at",
        "last_at",
        "key_id",
    )


def seen_identifiers() -> Column:
    """All identifiers of a sighting, the one that tells most first: login, further identifiers by kind, device."""
    login, device = F.array(_identifier(LOGIN, "login_id")), F.array(_identifier(DEVICE, "device_id"))
    has_login, has_device = F.col("login_id").isNotNull(), F.col("device_id").isNotNull()
    further = F.transform(
        F.array_sort(F.coalesce(F.map_entries("identifiers"), F.array())),
        lambda entry: F.struct(entry["key"].alias("kind"), entry["value"].alias("identifier")),
    )
    all_kinds = F.filter(F.concat(login, further, device), lambda entry: entry["identifier"].isNotNull())
    # Most rows show a login or a device and no more: these are told without functions that Spark interprets.
    is_plain = F.coalesce(F.size("identifiers"), F.lit(0)) <= 0
    return (
        F.when(is_plain & has_login & has_device, F.concat(login, device))
        .when(is_plain & has_login, login)
        .when(is_plain & has_device, device)
        .otherwise(all_kinds)
    )


def _identifier(kind: str, column: str) -> Column:
    return F.struct(F.lit(kind).alias("kind"), F.col(column).alias("identifier"))
