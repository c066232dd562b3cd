"""Pairs of identifiers that events show together: what of each pair is added up, and how it goes on from day to day."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.identity.evidence import evidence_parts
from personalake.identity.sightings import seen_identifiers
from personalake.tables.identity import DEVICE, LOGIN

LEFT = ("left_kind", "left_identifier")
RIGHT = ("right_kind", "right_identifier")
PAIR = (*LEFT, *RIGHT, "evidence_kind")
COUNTS = ("weighed_count", "visit_count", "event_count")
SUMS = (*COUNTS, "first_at", "last_at")

Weights = Mapping[str, Mapping[str, float]]


def build_pairs(sightings: DataFrame, weights: Weights, only: DataFrame | None = None) -> DataFrame:
    """One row per pair of identifiers seen in one event.

    Args:
        sightings: rows of identity_sightings.
        weights: as in `Evidence`.
        only: the columns `PAIR`: no others are asked about; None: all.

    Returns:
        The columns `PAIR`, weighed_count (visits in thousandths, each weighed as its source's evidence counts),
        visit_count, event_count, first_at, last_at [UTC].

    Cost:
        One shuffle of partly aggregated rows by pair.
    """
    together = _together(sightings, weights)
    asked = together if only is None else together.join(only, [*PAIR], how="left_semi")
    return asked.groupBy(*PAIR).agg(
        *[F.sum(name).alias(name) for name in COUNTS],
        F.min("first_at").alias("first_at"),
        F.max("last_at").alias("last_at"),
    )


def pair_changes(lost: DataFrame, gained: DataFrame, weights: Weights) -> DataFrame:
    """What becomes of pairs where some sightings no longer count and others do now.

    Args:
        lost: rows of identity_sightings that were counted and are no longer.
        gained: rows that are counted now; a day that was made anew is in both.
        weights: as in `Evidence`.

    Returns:
        The columns `PAIR`; `COUNTS`: what they grow or shrink by; first_at, last_at: of what was gained; _lost_first,
        _lost_last: of what was lost. Pairs of which both tell the same have no row.

    Cost:
        One shuffle of what was lost and gained, by pair.
    """
    both = _together(lost, weights).withColumn("_sign", F.lit(-1))
    both = both.unionByName(_together(gained, weights).withColumn("_sign", F.lit(1)))
    is_gain = F.col("_sign") > 0
    found = both.groupBy(*PAIR).agg(
        *[F.sum(F.col(name) * F.col("_sign")).alias(name) for name in COUNTS],
        F.min(F.when(is_gain, F.col("first_at"))).alias("first_at"),
        F.max(F.when(is_gain, F.col("last_at"))).alias("last_at"),
        F.min(F.when(~is_gain, F.col("first_at"))).alias("_lost_first"),
        F.max(F.when(~is_gain, F.col("last_at"))).alias("_lost_last"),
    )
    is_same = F.col("first_at").eqNullSafe(F.col("_lost_first")) & F.col("last_at").eqNullSafe(F.col("_lost_last"))
    for name in COUNTS:
        is_same &= F.col(name) == 0
    return found.where(~is_same)


def pairs_with_changes(kept: DataFrame, changes: DataFrame) -> DataFrame:
    """Kept pairs brought up to date.

    Args:
        kept: rows of identity_links; of every pair that changed, at least.
        changes: rows of `pair_changes`.

    Returns:
        The columns `PAIR`, `SUMS` of now, _kept_state (null where the pair is new) and _is_unsure: the first or the
        last event that showed the pair is among what was lost, so only all sightings tell the one of now. A pair that
        is no longer seen has event_count 0.

    Cost:
        One shuffle of both by pair.
    """
    before = kept.select(
        *PAIR,
        *COUNTS,
        F.col("first_at").alias("_kept_first"),
        F.col("last_at").alias("_kept_last"),
        F.col("state").alias("_kept_state"),
    )
    once = ("first_at", "last_at", "_lost_first", "_lost_last", "_kept_first", "_kept_last", "_kept_state")
    rows = before.unionByName(changes, allowMissingColumns=True).groupBy(*PAIR)
    both = rows.agg(*[F.sum(name).alias(name) for name in COUNTS], *[F.max(name).alias(name) for name in once])
    no_first = (F.col("_lost_first") == F.col("_kept_first")) & ~_holds(F.col("first_at") <= F.col("_kept_first"))
    no_last = (F.col("_lost_last") == F.col("_kept_last")) & ~_holds(F.col("last_at") >= F.col("_kept_last"))
    return both.select(
        *PAIR,
        *COUNTS,
        F.least("first_at", "_kept_first").alias("first_at"),
        F.greatest("last_at", "_kept_last").alias("last_at"),
        "_kept_state",
        (_holds(no_first | no_last) & (F.col("event_count") > 0)).alias("_is_unsure"),
    )


def _holds(condition: Column) -> Column:
    return F.coalesce(condition, F.lit(False))


def _together(sightings: DataFrame, weights: Weights) -> DataFrame:
    """One row per sighting and pair in it: `PAIR` and `SUMS`."""
    kind = F.when(F.col("_right.kind") == DEVICE, F.concat("_left.kind", F.lit(f"_on_{DEVICE}"))).otherwise(
        F.concat_ws("_with_", "_right.kind", "_left.kind")
    )
    # A device shared by logins is divided by whole visits, whatever else they show.
    is_whole = (F.col("_left.kind") == LOGIN) & (F.col("_right.kind") == DEVICE)
    visits = F.when(is_whole, F.coalesce("own_visit_count", "visit_count")).otherwise(F.col("visit_count"))
    return (
        sightings.withColumn("_seen", seen_identifiers())
        .withColumn("_left", F.get("_seen", F.lit(0)))
        .withColumn("_right", F.explode(F.slice("_seen", F.lit(2), F.size("_seen"))))
        .where(F.col("_left") != F.col("_right"))
        .withColumn("evidence_kind", kind)
        .withColumn("_each", evidence_parts(weights, F.col("evidence_kind")))
        .where(F.col("_each") > 0)
        .select(
            F.col("_left.kind").alias("left_kind"),
            F.col("_left.identifier").alias("left_identifier"),
            F.col("_right.kind").alias("right_kind"),
            F.col("_right.identifier").alias("right_identifier"),
            "evidence_kind",
            (visits * F.col("_each")).alias("weighed_count"),
            visits.alias("visit_count"),
            "event_count",
            "first_at",
            "last_at",
        )
    )
