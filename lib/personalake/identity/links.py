"""The evidence that two identifiers are one person's, and the guards that cut what would glue strangers."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.identity.evidence import PARTS, Evidence, evidence_parts, with_consent, with_cut
from personalake.identity.settings import Identity
from personalake.identity.sightings import seen_identifiers
from personalake.tables.identity import DEVICE, LOGIN

USED = "used"
CUT_OPERATOR = "cut_operator"
CUT_NO_CONSENT = "cut_no_consent"
CUT_POLICY = "cut_policy"
CUT_BUSY_LOGIN = "cut_busy_login"
CUT_SHARED_TERMINAL = "cut_shared_terminal"
CUT_SHARED_DEVICE = "cut_shared_device"
CUT_NO_MAIN_LOGIN = "cut_no_main_login"
CUT_SHARED_IDENTIFIER = "cut_shared_identifier"
CUT_WEAK = "cut_weak"
CUT_GIANT = "cut_giant"
STATES = (
    USED,
    CUT_OPERATOR,
    CUT_NO_CONSENT,
    CUT_POLICY,
    CUT_BUSY_LOGIN,
    CUT_SHARED_TERMINAL,
    CUT_SHARED_DEVICE,
    CUT_NO_MAIN_LOGIN,
    CUT_SHARED_IDENTIFIER,
    CUT_WEAK,
    CUT_GIANT,
)

_LEFT = ("left_kind", "left_identifier")
_RIGHT = ("right_kind", "right_identifier")


def build_identity_links(sightings: DataFrame, settings: Identity, evidence: Evidence | None = None) -> DataFrame:
    """Links between identifiers that events show together, each used or cut by a guard.

    In an event the identifier that tells most (its login, else the first of its further identifiers by kind) is linked
    to each of the others. A device has at most one link that is used, to the identifier that owns it: its main login
    by the policy, or where nobody signed in its main further identifier. So no path between two logins runs through a
    device. Further identifiers may join logins (one mail, two accounts).

    A pair that an operator called wrong is no evidence of anything: the device may be the next login's. A pair that
    may not be linked for want of consent still says whose the device is, so it goes to nobody else.

    Args:
        sightings: rows of identity_sightings.
        settings: the policy and the limits of the guards.
        evidence: what sources declare, what operators cut, what people agreed to; None: nothing.

    Returns:
        The columns of identity_links. left = what tells more, right = the device or further identifier;
        evidence_kind is login_on_device, mail_on_device, mail_with_login, …; strength_score is the share of the right
        identifier's visits with identifiers of left_kind that show this one (0 to 1, busy logins left out), each visit
        counted as much as its source's evidence weighs; state is one of `STATES` (`CUT_GIANT` comes later).

    Cost:
        Two shuffles of distinct pairs (by pair, by right identifier) and one small aggregate by left identifier; two
        joins more where people spoke of being linked.
    """
    known = evidence or Evidence()
    pairs = with_consent(with_cut(_pairs(sightings, known), known.cuts), known.words, known.needs_word)
    return _with_guard_counts(pairs, settings).select(
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


def _pairs(sightings: DataFrame, known: Evidence) -> DataFrame:
    """One row per (left, right) pair of identifiers seen in one event; `_parts` is its weighted visits."""
    kind = F.when(F.col("_right.kind") == DEVICE, F.concat("_left.kind", F.lit(f"_on_{DEVICE}"))).otherwise(
        F.concat_ws("_with_", "_right.kind", "_left.kind")
    )
    return (
        sightings.withColumn("_seen", seen_identifiers())
        .withColumn("_left", F.get("_seen", F.lit(0)))
        .withColumn("_right", F.explode(F.slice("_seen", F.lit(2), F.size("_seen"))))
        .where(F.col("_left") != F.col("_right"))
        .withColumn("_kind", kind)
        .withColumn("_each", evidence_parts(known.weights, F.col("_kind")))
        .where(F.col("_each") > 0)
        .groupBy(
            F.col("_left.kind").alias("left_kind"),
            F.col("_left.identifier").alias("left_identifier"),
            F.col("_right.kind").alias("right_kind"),
            F.col("_right.identifier").alias("right_identifier"),
            F.col("_kind").alias("evidence_kind"),
        )
        .agg(
            F.sum(F.col("visit_count") * F.col("_each")).alias("_parts"),
            F.sum("visit_count").alias("_visits"),
            F.sum("event_count").alias("event_count"),
            F.min("first_at").alias("first_at"),
            F.max("last_at").alias("last_at"),
        )
    )


def _with_guard_counts(pairs: DataFrame, settings: Identity) -> DataFrame:
    """Adds _is_busy, _is_login, _logins, _lefts (of the right identifier; the left-out not counted), _share, _rank."""
    busy = (
        pairs.groupBy(*_LEFT, "right_kind")
        .count()
        .where(F.col("count") > settings.devices_per_login)
        .select(*_LEFT, F.lit(True).alias("_busy"))
        .distinct()
    )
    by_right = Window.partitionBy(*_RIGHT)
    counted = ~F.col("_is_out")
    of_kind = Window.partitionBy(*_RIGHT, "_is_out", "left_kind")
    return (
        pairs.join(F.broadcast(busy), [*_LEFT], how="left")
        .withColumn("_is_busy", F.coalesce("_busy", F.lit(False)))
        .withColumn("_is_out", F.col("_is_busy") | F.col("_is_cut"))
        .withColumn("_is_login", F.col("left_kind") == LOGIN)
        .withColumn("_logins", F.count_if(counted & F.col("_is_login")).over(by_right))
        .withColumn("_lefts", F.count_if(counted).over(by_right))
        .withColumn("_share", F.col("_parts") / (F.sum("_visits").over(of_kind) * F.lit(PARTS)))
        .withColumn("_main_share", F.col("_parts") / F.sum("_parts").over(of_kind))
        .withColumn(
            "_rank", F.row_number().over(Window.partitionBy(*_RIGHT, "_is_out").orderBy(*_owner_order(settings)))
        )
    )


def _owner_order(settings: Identity) -> list[Column]:
    """Which identifier of a device comes first: any login before others, then by the policy, then by id."""
    by_policy = {
        "last_login": [F.col("last_at").desc()],
        "first_login": [F.col("first_at")],
    }
    by_visits = [F.col("_parts").desc(), F.col("event_count").desc(), F.col("first_at")]
    return [
        F.col("_is_login").desc(),
        *by_policy.get(settings.policy, by_visits),
        F.col("left_kind"),
        F.col("left_identifier"),
    ]


def _state(settings: Identity) -> Column:
    """Used, or the first guard that cuts the link."""
    owners = F.when(F.col("_logins") > 0, F.col("_logins")).otherwise(F.col("_lefts"))
    is_device = F.col("right_kind") == DEVICE
    needed_share = settings.main_login_share if settings.policy == "components" else 0.0
    return (
        F.when(F.col("_is_cut"), F.lit(CUT_OPERATOR))
        .when(~F.col("_may_link"), F.lit(CUT_NO_CONSENT))
        .when(F.lit(settings.policy == "none"), F.lit(CUT_POLICY))
        .when(F.col("_is_busy"), F.lit(CUT_BUSY_LOGIN))
        .when(~is_device & (F.col("_lefts") > settings.logins_per_identifier), F.lit(CUT_SHARED_IDENTIFIER))
        .when(is_device & (owners > settings.logins_per_device), F.lit(CUT_SHARED_TERMINAL))
        .when(is_device & (F.col("_rank") > 1), F.lit(CUT_SHARED_DEVICE))
        .when(is_device & (F.col("_main_share") < needed_share), F.lit(CUT_NO_MAIN_LOGIN))
        .when(F.col("_share") < settings.least_strength, F.lit(CUT_WEAK))
        .otherwise(F.lit(USED))
    )
