"""The evidence that two identifiers are one person's, and the guards that cut what would glue strangers."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.identity.settings import Identity
from personalake.identity.sightings import DEVICE, LOGIN, seen_identifiers

USED = "used"
CUT_POLICY = "cut_policy"
CUT_BUSY_LOGIN = "cut_busy_login"
CUT_SHARED_TERMINAL = "cut_shared_terminal"
CUT_SHARED_DEVICE = "cut_shared_device"
CUT_NO_MAIN_LOGIN = "cut_no_main_login"
CUT_SHARED_IDENTIFIER = "cut_shared_identifier"
STATES = (
    USED,
    CUT_POLICY,
    CUT_BUSY_LOGIN,
    CUT_SHARED_TERMINAL,
    CUT_SHARED_DEVICE,
    CUT_NO_MAIN_LOGIN,
    CUT_SHARED_IDENTIFIER,
)

_LEFT = ("left_kind", "left_identifier")
_RIGHT = ("right_kind", "right_identifier")


def build_identity_links(sightings: DataFrame, settings: Identity) -> DataFrame:
    """Links between identifiers that events show together, each used or cut by a guard.

    In an event the identifier that tells most (its login, else the first of its further identifiers by kind) is linked
    to each of the others. A device has at most one link that is used, to the identifier that owns it: its main login
    by the policy, or where nobody signed in its main further identifier. So no path between two logins runs through a
    device. Further identifiers may join logins (one mail, two accounts).

    Args:
        sightings: rows of `sightings_by_identifiers`.
        settings: the policy and the limits of the guards.

    Returns:
        The columns of identity_links. left = what tells more, right = the device or further identifier;
        evidence_kind is login_on_device, mail_on_device, mail_with_login, …; strength_score is the share of the right
        identifier's visits with identifiers of left_kind that show this one (0 to 1, busy logins left out); state is
        one of `STATES`.

    Cost:
        Two shuffles of distinct pairs (by pair, by right identifier) and one small aggregate by left identifier.
    """
    pairs = _with_guard_counts(_pairs(sightings), settings)
    is_device = F.col("right_kind") == DEVICE
    evidence = F.when(is_device, F.concat("left_kind", F.lit("_on_device"))).otherwise(
        F.concat_ws("_with_", "right_kind", "left_kind")
    )
    return pairs.withColumn("evidence_kind", evidence).select(
        F.sha2(F.concat_ws("\u001f", *_LEFT, *_RIGHT, "evidence_kind"), 256).alias("link_id"),
        *_LEFT,
        *_RIGHT,
        "evidence_kind",
        F.col("_share").alias("strength_score"),
        "event_count",
        "first_at",
        "last_at",
        _state(settings).alias("state"),
    )


def _pairs(sightings: DataFrame) -> DataFrame:
    """One row per (left, right) pair of identifiers seen in one event, with visit_count and event_count."""
    return (
        sightings.withColumn("_seen", seen_identifiers())
        .withColumn("_left", F.get("_seen", F.lit(0)))
        .withColumn("_right", F.explode(F.slice("_seen", F.lit(2), F.size("_seen"))))
        .where(F.col("_left") != F.col("_right"))
        .groupBy(
            F.col("_left.kind").alias("left_kind"),
            F.col("_left.identifier").alias("left_identifier"),
            F.col("_right.kind").alias("right_kind"),
            F.col("_right.identifier").alias("right_identifier"),
        )
        .agg(
            F.sum("visit_count").alias("_visits"),
            F.sum("event_count").alias("event_count"),
            F.min("first_at").alias("first_at"),
            F.max("last_at").alias("last_at"),
        )
    )


def _with_guard_counts(pairs: DataFrame, settings: Identity) -> DataFrame:
    """Adds _is_busy, _is_login, _logins, _lefts (of the right identifier, busy ones left out), _share and _rank."""
    busy = (
        pairs.groupBy(*_LEFT, "right_kind")
        .count()
        .where(F.col("count") > settings.devices_per_login)
        .select(*_LEFT, F.lit(True).alias("_busy"))
        .distinct()
    )
    by_right = Window.partitionBy(*_RIGHT)
    counted = ~F.col("_is_busy")
    return (
        pairs.join(F.broadcast(busy), [*_LEFT], how="left")
        .withColumn("_is_busy", F.coalesce("_busy", F.lit(False)))
        .withColumn("_is_login", F.col("left_kind") == LOGIN)
        .withColumn("_logins", F.count_if(counted & F.col("_is_login")).over(by_right))
        .withColumn("_lefts", F.count_if(counted).over(by_right))
        .withColumn(
            "_share", F.col("_visits") / F.sum("_visits").over(Window.partitionBy(*_RIGHT, "_is_busy", "left_kind"))
        )
        .withColumn(
            "_rank", F.row_number().over(Window.partitionBy(*_RIGHT, "_is_busy").orderBy(*_owner_order(settings)))
        )
    )


def _owner_order(settings: Identity) -> list[Column]:
    """Which identifier of a device comes first: any login before others, then by the policy, then by id."""
    by_policy = {
        "last_login": [F.col("last_at").desc()],
        "first_login": [F.col("first_at")],
    }
    by_visits = [F.col("_visits").desc(), F.col("event_count").desc(), F.col("first_at")]
    return [
        F.col("_is_login").desc(),
        *by_policy.get(settings.policy, by_visits),
        F.col("left_kind"),
        F.col("left_identifier"),
    ]


def _state(settings: Identity) -> Column:
    """Used, or the first guard that cuts the link."""
    if settings.policy == "none":
        return F.lit(CUT_POLICY)
    is_device = F.col("right_kind") == DEVICE
    owners = F.when(F.col("_logins") > 0, F.col("_logins")).otherwise(F.col("_lefts"))
    needed_share = settings.main_login_share if settings.policy == "components" else 0.0
    return (
        F.when(F.col("_is_busy"), F.lit(CUT_BUSY_LOGIN))
        .when(~is_device & (F.col("_lefts") > settings.logins_per_identifier), F.lit(CUT_SHARED_IDENTIFIER))
        .when(~is_device, F.lit(USED))
        .when(owners > settings.logins_per_device, F.lit(CUT_SHARED_TERMINAL))
        .when(F.col("_rank") > 1, F.lit(CUT_SHARED_DEVICE))
        .when(F.col("_share") < needed_share, F.lit(CUT_NO_MAIN_LOGIN))
        .otherwise(F.lit(USED))
    )
