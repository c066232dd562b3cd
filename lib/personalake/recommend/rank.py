"""The one place that ranks: a person's own candidates, then popular lists, re-ranked, capped and pinned."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR
from personalake.recommend.fallbacks import Tier, fallback_rows
from personalake.recommend.pins import with_pins
from personalake.recommend.request import Request
from personalake.recommend.rerank.kernel import Order
from personalake.recommend.rerank.packed import KINDS, reranked
from personalake.recommend.rerank.settings import Rerank
from personalake.recommend.rules.exclusions import RULE
from personalake.recommend.tastes import candidate_tastes

PERSONAL = "blend:"
OFF = Rerank()


def rank_items(
    own: DataFrame,
    tiers: Sequence[Tier],
    mask: DataFrame,
    request: Request,
    limit: int,
    rerank: Rerank = OFF,
    tastes: DataFrame | None = None,
    pool: int = 100,
) -> DataFrame:
    """One list for everyone: own candidates first, filled up from the popular lists of a chain.

    Args:
        own: person_id, item_id, score (≥ 0), source: candidates of persons asked for who did not opt out, after the
            rules. Put them down: they are read more than once.
        tiers: popular lists to fall back on, the first one first; those who opted out get the last one alone.
        mask: person_id, item_id never to suggest; may repeat.
        request: persons, items and rules.
        limit: list length, ≥ 1.
        rerank: how own candidates are re-ranked.
        tastes: what `tastes.tastes_by_person` gives, where lists are calibrated.
        pool: how much deeper popular lists are looked into where rules cap what a list may hold.

    Returns:
        person_id, item_id, score (never rises with the rank), source (`blend:` and the algorithm with the largest
        share, the name of a popular list, or `pin:` and the rule's code), audience (whose popular list it is; null for
        others), recommendation_rank (int, from 1), rule_code (null; of what a cap kept out, the cap's code: those rows
        have no recommendation_rank).

    Cost:
        Shuffles by pair for what is excluded and by person for the ranks; popular lists go to every worker, and only
        persons whose own list is short, or may become so, get a part of them.
    """
    closed = request.closed(own)
    rows = own.select(
        *PAIR,
        "score",
        F.concat(F.lit(PERSONAL), "source").alias("source"),
        F.lit(None).cast("string").alias("audience"),
        F.lit(0).alias("tier_rank"),
        F.lit(None).cast("int").alias("popularity_rank"),
    )
    fill = _fill(rows, tiers, mask, closed, request, limit, pool).where(F.col(RULE).isNull()).drop(RULE)
    both = rows.unionByName(_new(fill, rows, len(tiers)).withColumn("score", F.lit(None).cast("double")))
    placed = _in_order(both, request, limit, rerank, tastes)
    return with_pins(_below_own(placed), request, closed, limit)


def taken_out(
    own: DataFrame, tiers: Sequence[Tier], mask: DataFrame, request: Request, limit: int, pool: int = 100
) -> DataFrame:
    """What rules on persons take out of popular lists, as far down as `rank_items` looks into them for each person.

    Args:
        own, tiers, mask, request, limit, pool: as `rank_items`.

    Returns:
        person_id, item_id, rule_code, distinct.
    """
    fill = _fill(own, tiers, mask, request.closed(own), request, limit, pool)
    return fill.where(F.col(RULE).isNotNull()).select(*PAIR, RULE).distinct()


def _fill(
    own: DataFrame,
    tiers: Sequence[Tier],
    mask: DataFrame,
    closed: DataFrame,
    request: Request,
    limit: int,
    pool: int,
) -> DataFrame:
    """What the popular lists have for those whose own list is short, or may become so, as `fallback_rows`."""
    caps = request.rules.caps
    short = request.ids if caps else _short(request.ids, own, limit)
    return fallback_rows(short, tiers, mask, closed, request, limit + (pool if caps else 0))


def _short(ids: DataFrame, own: DataFrame, limit: int) -> DataFrame:
    """Persons with fewer candidates than a list is long."""
    full = own.groupBy("person_id").agg(F.count(F.lit(1)).alias("_own")).where(F.col("_own") >= limit)
    return ids.join(full, on="person_id", how="left_anti")


def _new(fill: DataFrame, own: DataFrame, tiers: int) -> DataFrame:
    """What popular lists add to a person's own rows, each item from the list where it comes first."""
    new = fill.join(own.select(*PAIR), on=list(PAIR), how="left_anti")
    if tiers == 1:
        return new
    first = F.min(F.struct("tier_rank", "popularity_rank", "source", "audience")).alias("_first")
    return new.groupBy(*PAIR).agg(first).select(*PAIR, "_first.*")


def _in_order(rows: DataFrame, request: Request, limit: int, rerank: Rerank, tastes: DataFrame | None) -> DataFrame:
    """The head of each list, re-ranked and capped where that is asked for: place_rank, rule_code."""
    caps = request.rules.caps
    if not (rerank.is_on or caps):
        return _placed(rows, limit)
    order = Order(
        limit,
        rerank.mmr_lambda,
        rerank.calibration,
        KINDS.index(rerank.calibrate_by),
        rerank.calibration_smoothing,
        tuple((KINDS.index(cap.by), cap.limit) for cap in caps),
    )
    told = candidate_tastes(rows, request.items, tastes, rerank.calibrate_by)
    return reranked(told, order, [cap.code for cap in caps])


def _placed(rows: DataFrame, limit: int) -> DataFrame:
    """The head of each list as it comes, with place_rank and an empty rule_code."""
    order = Window.partitionBy("person_id").orderBy("tier_rank", F.desc("score"), "popularity_rank", "item_id")
    placed = rows.withColumns({"place_rank": F.row_number().over(order), RULE: F.lit(None).cast("string")})
    return placed.where(F.col("place_rank") <= limit)


def _below_own(rows: DataFrame) -> DataFrame:
    """Give popular rows a score below the lowest of the person's own, falling with the rank."""
    own = Window.partitionBy("person_id")
    lowest = F.coalesce(F.min("score").over(own), F.lit(1.0))
    behind = F.col("place_rank") - F.coalesce(F.count("score").over(own), F.lit(0))
    return (
        rows.withColumns({"_lowest": lowest, "_behind": behind})
        .withColumn("score", F.coalesce("score", F.col("_lowest") / (F.lit(1.0) + F.col("_behind"))))
        .drop("_lowest", "_behind")
    )
