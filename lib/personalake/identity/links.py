"""The evidence that two identifiers are one person's, and the guards that cut what would glue strangers."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.identity.evidence import PARTS, Evidence, with_consent, with_cut
from personalake.identity.pairs import LEFT, PAIR, RIGHT, SUMS, build_pairs
from personalake.identity.settings import Identity
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
    pairs = build_pairs(sightings, known.weights)
    return links_of(pairs, busy_lefts(pairs, settings.devices_per_login), settings, known)


def links_of(pairs: DataFrame, busy: DataFrame, settings: Identity, evidence: Evidence) -> DataFrame:
    """As `build_identity_links`, of pairs that are added up already.

    Args:
        pairs: rows of `build_pairs`; of every right identifier among them all its pairs, since guards compare those.
        busy: left_kind, left_identifier: those too busy to join anything, as `busy_lefts` finds them among all pairs.
        settings: as there.
        evidence: as there.

    Cost:
        One shuffle by right identifier; two joins more where people spoke of being linked.
    """
    heard = with_consent(with_cut(pairs, evidence.cuts), evidence.words, evidence.needs_word)
    return _with_guard_counts(heard, busy, settings).select(
        F.sha2(F.concat_ws("\u001f", *PAIR), 256).alias("link_id"),
        *PAIR,
        F.col("_share").alias("strength_score"),
        *SUMS,
        _state(settings).alias("state"),
    )


def busy_lefts(pairs: DataFrame, limit: int) -> DataFrame:
    """Left identifiers with more right ones of one kind than anybody has: few.

    Args:
        pairs: reads both ends.
        limit: how many right identifiers of one kind somebody may have.

    Returns:
        left_kind, left_identifier.

    Cost:
        One shuffle of partial counts by left identifier.
    """
    return pairs.groupBy(*LEFT, "right_kind").count().where(F.col("count") > limit).select(*LEFT).distinct()


def _with_guard_counts(pairs: DataFrame, busy: DataFrame, settings: Identity) -> DataFrame:
    """Adds what guards go by: _is_busy, _is_login; of the right identifier _logins and _lefts, others left out;
    _share, _main_share, _rank, and _peers, how many have the same rank."""
    by_right = Window.partitionBy(*RIGHT)
    counted = ~F.col("_is_out")
    of_kind = Window.partitionBy(*RIGHT, "_is_out", "left_kind")
    by_owner = Window.partitionBy(*RIGHT, "_is_out").orderBy(*_owner_order(settings))
    return (
        pairs.join(F.broadcast(busy.withColumn("_busy", F.lit(True))), [*LEFT], how="left")
        .withColumn("_is_busy", F.coalesce("_busy", F.lit(False)))
        .withColumn("_is_out", F.col("_is_busy") | F.col("_is_cut"))
        .withColumn("_is_login", F.col("left_kind") == LOGIN)
        .withColumn("_logins", F.count_if(counted & F.col("_is_login")).over(by_right))
        .withColumn("_lefts", F.count_if(counted).over(by_right))
        .withColumn("_share", F.col("weighed_count") / (F.sum("visit_count").over(of_kind) * F.lit(PARTS)))
        .withColumn("_main_share", F.col("weighed_count") / F.sum("weighed_count").over(of_kind))
        .withColumn("_rank", F.rank().over(by_owner))
        .withColumn("_peers", F.count(F.lit(1)).over(by_owner.rangeBetween(Window.currentRow, Window.currentRow)))
    )


def _owner_order(settings: Identity) -> list[Column]:
    """Which identifier of a device comes first: any login before others, then by the policy, then by what was seen.

    Never by its name: that is a hash, and another key would give the device to somebody else.
    """
    by_policy = {
        "last_login": [F.col("last_at").desc()],
        "first_login": [F.col("first_at")],
    }
    by_visits = [F.col("weighed_count").desc(), F.col("event_count").desc(), F.col("first_at"), F.col("last_at").desc()]
    return [F.col("_is_login").desc(), *by_policy.get(settings.policy, []), *by_visits, F.col("left_kind")]


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
        .when(is_device & (F.col("_peers") > 1), F.lit(CUT_NO_MAIN_LOGIN))
        .when(is_device & (F.col("_main_share") < needed_share), F.lit(CUT_NO_MAIN_LOGIN))
        .when(F.col("_share") < settings.least_strength, F.lit(CUT_WEAK))
        .otherwise(F.lit(USED))
    )
