"""How much each rule removed, for a run to tell."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR
from personalake.recommend.fallbacks import tiers_of
from personalake.recommend.model import Fitted
from personalake.recommend.propose import masked_pairs
from personalake.recommend.rank import taken_out
from personalake.recommend.request import Request
from personalake.recommend.rules.exclusions import RULE
from personalake.recommend.settings import Recommend


def removals(
    proposed: DataFrame, ranked: DataFrame, fitted: Mapping[str, Fitted], settings: Recommend, request: Request
) -> DataFrame:
    """What each rule removed, as `counted_removals`, popular lists that were looked into included.

    Args:
        proposed, ranked, fitted, settings, request: as `build.build_recommendations`.

    Cost:
        That of `counted_removals`, and, where a rule speaks of persons, of the parts of popular lists once more.
    """
    if not request.rules.pair_exclusions:
        return counted_removals(proposed, ranked, request)
    own = proposed.where(F.col(RULE).isNull())
    mask = masked_pairs(fitted, settings, request)
    tiers = tiers_of(fitted, settings.chain)
    out = taken_out(own, tiers, mask, request, settings.limit, settings.candidates)
    return counted_removals(proposed, ranked, request, out)


def counted_removals(
    proposed: DataFrame, ranked: DataFrame, request: Request, taken_out: DataFrame | None = None
) -> DataFrame:
    """What each rule removed.

    Args:
        proposed: what `proposed_items` gave, put down.
        ranked: what `build.ranked_items` gave, put down.
        request: persons, items and rules.
        taken_out: what `rank.taken_out` gave; None: nothing, or nobody asks. What was a candidate already is not
            counted again.

    Returns:
        rule_code, removed_kind (items: of the catalogue; pairs: bought by the persons asked for; candidates: of a
        person, or of the popular lists that fill up the person's), removed_count. A rule that removed nothing has no
        row.

    Cost:
        An aggregate over each of the frames that some rule can have removed from.
    """
    parts = []
    if request.bought is not None and request.rules.bought is not None:
        kept_out = request.bought_or_not().where("is_kept_out").join(request.ids, on="person_id", how="left_semi")
        parts.append((kept_out.withColumn(RULE, F.lit(request.rules.bought.code)), "pairs"))
    if request.items is not None and request.rules.item_exclusions:
        parts.append((request.closed(request.items), "items"))
    if request.rules.pair_exclusions:
        parts.append((proposed, "candidates"))
        if taken_out is not None:
            parts.append((taken_out.join(proposed, on=list(PAIR), how="left_anti"), "candidates"))
    if request.rules.caps:
        parts.append((ranked, "candidates"))
    none = proposed.select(F.col(RULE), F.lit("").alias("removed_kind")).limit(0)
    rows = [part.select(RULE, F.lit(kind).alias("removed_kind")).where(F.col(RULE).isNotNull()) for part, kind in parts]
    every = reduce(DataFrame.unionByName, rows, none)
    return every.groupBy(RULE, "removed_kind").agg(F.count(F.lit(1)).alias("removed_count"))
