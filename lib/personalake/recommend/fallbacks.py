"""Lists for those whose own are short: the popular lists of a chain, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR
from personalake.recommend.model import Fitted
from personalake.recommend.popular import FittedPopular
from personalake.recommend.request import Request
from personalake.recommend.rules import Ruleset
from personalake.recommend.rules.exclusions import RULE, may_hold, with_boost, with_items, with_removing_rule
from personalake.recommend.rules.ruleset import speaks_of_persons
from personalake.recommend.top import EVERYBODY, popular_by_person, with_popularity_rank


@dataclass(frozen=True)
class Tier:
    """A popular list to fall back on.

    Args:
        name: what `source` says.
        popularity: audience, item_id, score.
        within: the column of persons that tells their audience; None: all have the same.
    """

    name: str
    popularity: DataFrame
    within: str | None = None


def tiers_of(fitted: Mapping[str, Fitted], names: Sequence[str]) -> tuple[Tier, ...]:
    """The popular lists of fitted algorithms, in the order to fall back on them.

    Raises:
        TypeError: one of them is no popular list.
    """
    tiers = []
    for name in names:
        model = fitted[name]
        if not isinstance(model, FittedPopular):
            raise TypeError(f"{name} is no popular list")
        tiers.append(Tier(name, model.popularity, model.settings.within))
    return tuple(tiers)


def fallback_rows(
    short: DataFrame, tiers: Sequence[Tier], mask: DataFrame, closed: DataFrame, request: Request, depth: int
) -> DataFrame:
    """As much of each popular list as each person can need, and what rules on persons take out of it.

    Lists stay full whatever the rules take out: a person's part reaches down to where so many items that no rule can
    take out have passed as the list is long and the person has masked.

    Args:
        short: person_id of those who need it.
        tiers: the lists, the first one first; those who opted out get the last one alone.
        mask: person_id, item_id never to suggest; may repeat.
        closed: item_id, rule_code of what nobody is suggested.
        request: persons, items and rules.
        depth: open items that a person can need, ≥ 1.

    Returns:
        person_id, item_id, source, audience, tier_rank (from 1), popularity_rank, rule_code: null, or the rule that
        takes the row out: those rows are there to be counted.

    Cost:
        Each list goes to every worker; each person's part is depth + masked rows long, and longer where rules speak of
        persons; a shuffle by pair for the mask.
    """
    theirs = mask.join(short, on="person_id", how="left_semi")
    masks = theirs.groupBy("person_id").agg(F.count(F.lit(1)).alias("_masked"))
    need = (F.lit(depth) + F.coalesce("_masked", F.lit(0))).alias("_need")
    wanting = short.join(masks, on="person_id", how="left").select("person_id", need)
    personal = wanting.join(request.personal, on="person_id", how="left_semi") if len(tiers) > 1 else wanting
    parts = []
    for place, tier in enumerate(tiers, start=1):
        asking = wanting if place == len(tiers) else personal
        rows = _part(asking, tier, closed, request)
        parts.append(rows.withColumns({"source": F.lit(tier.name), "tier_rank": F.lit(place)}))
    rows = reduce(DataFrame.unionByName, parts).join(theirs, on=list(PAIR), how="left_anti")
    ruled = with_removing_rule(rows, request.rules, request.known_persons, request.items)
    return ruled.select(*PAIR, "source", "audience", "tier_rank", "popularity_rank", RULE)


def _part(wanting: DataFrame, tier: Tier, closed: DataFrame, request: Request) -> DataFrame:
    popular = tier.popularity.select("audience", "item_id", "score")
    for_all = Ruleset(tuple(rule for rule in request.rules.boosts if not speaks_of_persons(rule.when)))
    boosted = with_boost(popular, for_all, request.persons, request.items, request.as_of)
    left = boosted.join(closed.select("item_id"), on="item_id", how="left_anti")
    ranked = with_popularity_rank(left).select("audience", "item_id", "score", "popularity_rank")
    placed = wanting.withColumn("audience", F.lit(EVERYBODY))
    if tier.within is not None:
        placed = wanting.join(_audiences(request.persons, tier.within), on="person_id", how="inner")
    return popular_by_person(_with_reach(placed, ranked, request), ranked)


def _audiences(persons: DataFrame, within: str) -> DataFrame:
    """person_id, audience of those whose audience is known."""
    audience = F.col(within).cast("string") if within in persons.columns else F.lit(None).cast("string")
    return persons.select("person_id", audience.alias("audience")).where(F.col("audience").isNotNull())


def _with_reach(placed: DataFrame, ranked: DataFrame, request: Request) -> DataFrame:
    """How far down each person's part of a list must go: person_id, audience, reach."""
    trees = [tree for _, tree in request.rules.pair_exclusions]
    if not trees:
        return placed.withColumnRenamed("_need", "reach")
    doubtful = reduce(lambda a, b: a | b, [may_hold(tree) for tree in trees])
    sure = with_items(ranked, trees, request.items).where(~doubtful)
    order = Window.partitionBy("audience").orderBy("popularity_rank")
    counted = sure.select("audience", "popularity_rank", F.row_number().over(order).alias("_need"))
    lengths = ranked.groupBy("audience").agg(F.max("popularity_rank").alias("_length"))
    found = placed.join(F.broadcast(counted), on=["audience", "_need"], how="left")
    whole = found.join(F.broadcast(lengths), on="audience", how="inner")
    return whole.select("person_id", "audience", F.coalesce("popularity_rank", "_length").alias("reach"))
