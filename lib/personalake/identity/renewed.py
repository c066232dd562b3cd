"""What of links and persons has to be looked at again after some days changed; the rest stands as it was left."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.identity.evidence import Evidence
from personalake.identity.links import USED
from personalake.identity.pairs import LEFT, RIGHT
from personalake.identity.sides import as_end, end_of
from personalake.identity.sightings import each_identifier
from personalake.tables.identity import IDENTIFIER

_ENDS = (*LEFT, *RIGHT)


def busy_then_and_now(kept: DataFrame, pairs: DataFrame, limit: int) -> DataFrame:
    """Left identifiers that were or are too busy to join anything: few.

    Args:
        kept: identity_links as they were left; all of them.
        pairs: rows of `pairs_with_changes`: every pair that came or went is among them.
        limit: how many right identifiers of one kind somebody may have.

    Returns:
        left_kind, left_identifier, was_busy, is_busy.

    Cost:
        One shuffle of partial counts by left identifier.
    """
    had = kept.groupBy(*LEFT, "right_kind").agg(F.count(F.lit(1)).alias("_had"))
    came = F.col("_kept_state").isNull() & (F.col("event_count") > 0)
    went = F.col("_kept_state").isNotNull() & (F.col("event_count") <= 0)
    grown = pairs.where(came | went).select(
        *LEFT, "right_kind", F.lit(0).cast("bigint").alias("_had"), F.when(came, 1).otherwise(-1).alias("_more")
    )
    both = had.withColumn("_more", F.lit(0)).unionByName(grown).groupBy(*LEFT, "right_kind")
    counts = both.agg(F.sum("_had").alias("_had"), F.sum(F.col("_had") + F.col("_more")).alias("_has"))
    busy = counts.where((F.col("_had") > limit) | (F.col("_has") > limit)).groupBy(*LEFT)
    return busy.agg(
        F.bool_or(F.col("_had") > limit).alias("was_busy"), F.bool_or(F.col("_has") > limit).alias("is_busy")
    )


def rights_of_other_evidence(kept: DataFrame, then: Evidence, now: Evidence) -> DataFrame | None:
    """Right identifiers of pairs that operators or their people have said something else of since.

    Args:
        kept: identity_links as they were left.
        then: what was said then.
        now: what is said now.

    Returns:
        right_kind, right_identifier; None where nobody ever said anything.

    Cost:
        A join of the links with the cuts that changed and two with the words that changed: few rows all.
    """
    found: list[DataFrame] = []
    if then.cuts is not None or now.cuts is not None:
        cuts = _either(then.cuts, now.cuts, _ENDS)
        found += [cuts.select(*RIGHT), cuts.select(*[F.col(a).alias(b) for a, b in zip(LEFT, RIGHT, strict=True)])]
    if then.words is not None or now.words is not None:
        words = _either(then.words, now.words, (*IDENTIFIER, "is_granted")).select(*IDENTIFIER).distinct()
        ends = [kept.join(as_end(words, side), end_of(side), how="left_semi") for side in ("left", "right")]
        found += [end.select(*RIGHT) for end in ends]
    if not found:
        return None
    rights = found[0]
    for more in found[1:]:
        rights = rights.unionByName(more)
    return rights


def _either(then: DataFrame | None, now: DataFrame | None, columns: tuple[str, ...]) -> DataFrame:
    """Rows that are in one of both and not in the other."""
    sides = [(then, -1), (now, 1)]
    said = [rows.select(*columns).distinct().withColumn("_side", F.lit(n)) for rows, n in sides if rows is not None]
    both = said[0] if len(said) == 1 else said[0].unionByName(said[1])
    return both.groupBy(*columns).agg(F.sum("_side").alias("_side")).where("_side <> 0").select(*columns)


def rejoined_ends(pairs: DataFrame, renewed: DataFrame) -> DataFrame:
    """The ends of links that are used and were not, or were used and are not.

    Args:
        pairs: rows of `pairs_with_changes`; reads both ends and _kept_state.
        renewed: the same pairs as links of now.

    Returns:
        identifier_kind, identifier; distinct.

    Cost:
        Two shuffles of the renewed links.
    """
    was = pairs.where(F.col("_kept_state") == USED).select(*_ENDS, F.lit(-1).alias("_used"))
    now = renewed.where(F.col("state") == USED).select(*_ENDS, F.lit(1).alias("_used"))
    other = was.unionByName(now).groupBy(*_ENDS).agg(F.sum("_used").alias("_used")).where("_used <> 0")
    ends = [
        F.struct(*[F.col(column).alias(name) for column, name in zip(end, IDENTIFIER, strict=True)])
        for end in (LEFT, RIGHT)
    ]
    return other.select(F.explode(F.array(*ends)).alias("_end")).select("_end.*").distinct()


def identifier_changes(lost: DataFrame, gained: DataFrame, published: DataFrame) -> DataFrame:
    """Identifiers of which the map has to say something else than it does, their person apart.

    Args:
        lost: rows of identity_sightings that were counted and are no longer.
        gained: rows that are counted now; a day that was made anew is in both.
        published: identity_map as it was left.

    Returns:
        identifier_kind, identifier, first_at (first event that shows it [UTC]), key_id (of its latest event), person_id
        (so far; null where it is new) and _is_unsure: what told first or last of it is among what was lost, so only
        all sightings tell; maybe none is left.

    Cost:
        One shuffle of what was lost and gained by identifier, one join with the map.
    """
    is_gain = F.col("_is_gain")
    both = each_identifier(lost).withColumn("_is_gain", F.lit(False))
    both = both.unionByName(each_identifier(gained).withColumn("_is_gain", F.lit(True)))
    key = F.coalesce("key_id", F.lit(""))
    found = both.groupBy(*IDENTIFIER).agg(
        F.min(F.when(is_gain, F.col("first_at"))).alias("_first"),
        F.max(F.when(is_gain, F.struct("last_at", "key_id"))).alias("_last"),
        F.min(F.when(~is_gain, F.col("first_at"))).alias("_lost_first"),
        F.max(F.when(~is_gain, F.col("last_at"))).alias("_lost_last"),
        F.min(key).alias("_least_key"),
        F.max(key).alias("_greatest_key"),
    )
    said = published.select(
        *IDENTIFIER, "person_id", "linked_at", F.col("key_id").alias("_key"), F.lit(True).alias("_is_known")
    )
    known = found.join(said, [*IDENTIFIER], how="left")
    earlier = F.col("_is_known").isNull() | _is(F.col("_first") < F.col("linked_at"))
    return (
        known.withColumn("_is_unsure", _unsure())
        .where(F.col("_is_unsure") | earlier)
        .select(
            *IDENTIFIER,
            F.least("_first", "linked_at").alias("first_at"),
            F.coalesce("_key", "_last.key_id").alias("key_id"),
            "person_id",
            "_is_unsure",
        )
    )


def _unsure() -> Column:
    """Whether only all sightings tell when an identifier was first seen and by which key last."""
    shrunk = F.col("_lost_first").isNotNull() & ~(_is(F.col("_last.last_at") >= F.col("_lost_last")))
    later = (F.col("_lost_first") <= F.col("linked_at")) & ~_is(F.col("_first") <= F.col("_lost_first"))
    own_key = F.coalesce("_key", F.lit(""))
    other_key = (F.col("_least_key") != own_key) | (F.col("_greatest_key") != own_key)
    unsure = F.col("_is_known").isNotNull() & (shrunk | _is(later) | other_key)
    # A row that is no longer in the map though it was seen: nothing is known of it but what all sightings tell.
    return unsure | (F.col("_is_known").isNull() & F.col("_lost_first").isNotNull())


def members_now(members: DataFrame, changes: DataFrame, again: DataFrame) -> DataFrame:
    """The identifiers of persons that are looked at again, and those that are new.

    Args:
        members: rows of identity_map of these persons.
        changes: rows of `identifier_changes`.
        again: of those of them that are unsure what all sightings tell: rows of `identifiers_of`.

    Returns:
        identifier_kind, identifier, first_at, key_id; without those that no event shows any more.

    Cost:
        One join by identifier.
    """
    sure = changes.where("NOT _is_unsure").select(*IDENTIFIER, "first_at", "key_id", F.lit(True).alias("_is_seen"))
    seen = sure.unionByName(again.select(*IDENTIFIER, "first_at", "key_id", F.lit(True).alias("_is_seen")))
    gone = changes.where("_is_unsure").select(*IDENTIFIER).join(again, [*IDENTIFIER], how="left_anti")
    told = seen.unionByName(gone.withColumn("_is_seen", F.lit(False)), allowMissingColumns=True)
    before = members.select(*IDENTIFIER, "linked_at", F.col("key_id").alias("_key"))
    both = before.join(told, [*IDENTIFIER], how="full")
    return both.where(_is_not_false("_is_seen")).select(
        *IDENTIFIER,
        F.when(F.col("_is_seen"), F.col("first_at")).otherwise(F.col("linked_at")).alias("first_at"),
        F.when(F.col("_is_seen"), F.col("key_id")).otherwise(F.col("_key")).alias("key_id"),
    )


def _is(condition: Column) -> Column:
    return F.coalesce(condition, F.lit(False))


def _is_not_false(name: str) -> Column:
    return F.coalesce(name, F.lit(True))
