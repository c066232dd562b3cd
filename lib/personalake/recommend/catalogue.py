"""Lists for a day before which nobody met anything: what is on offer, the newest first."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR
from personalake.recommend.fallbacks import Tier
from personalake.recommend.rank import rank_items, taken_out
from personalake.recommend.removed import counted_removals
from personalake.recommend.request import Request
from personalake.recommend.settings import CATALOGUE, Recommend
from personalake.recommend.top import EVERYBODY


def catalogue_tier(items: DataFrame) -> Tier:
    """The catalogue as a list to fall back on: what came last stands first, what cannot be had is left out.

    Args:
        items: item_id; first_seen_at and is_available where they are there. Of what is not known when it came, nothing
            is said: it stands last.

    Cost:
        One sort of the catalogue in one task.
    """
    rows = items.where(F.coalesce("is_available", F.lit(True))) if "is_available" in items.columns else items
    since = F.col("first_seen_at") if "first_seen_at" in items.columns else F.lit(None).cast("timestamp")
    named = rows.select(F.lit(EVERYBODY).alias("audience"), "item_id", since.alias("_since"))
    newest = Window.partitionBy("audience").orderBy(F.desc_nulls_last("_since"), "item_id")
    # Promotions multiply scores: places, unlike times, leave them something to do.
    score = (F.lit(1.0) / F.row_number().over(newest)).alias("score")
    return Tier(CATALOGUE, named.select("audience", "item_id", score))


def nobodys_candidates(request: Request) -> DataFrame:
    """What algorithms propose where there is nothing to go by: the columns of `propose.proposed_items`, no rows.

    Raises:
        ValueError: the request has no catalogue.
    """
    items = _items_of(request)
    one = items.select(F.lit(None).cast("string").alias("person_id"), "item_id").limit(0)
    none = {"score": "double", "source": "string", "rule_code": "string"}
    return one.select(*PAIR, *(F.lit(None).cast(kind).alias(name) for name, kind in none.items()))


def catalogue_lists(settings: Recommend, request: Request) -> DataFrame:
    """The item lists, as `build.ranked_items`, of everyone eligible. Put them down.

    Args:
        settings: the section recommend.
        request: persons, items and rules; interactions without rows.

    Raises:
        ValueError: the request has no catalogue.
    """
    own, tier = nobodys_candidates(request), catalogue_tier(_items_of(request))
    mask = request.mask(own, settings.exclude_seen)
    return rank_items(own, (tier,), mask, request, settings.limit, settings.rerank, None, settings.candidates)


def catalogue_removals(ranked: DataFrame, settings: Recommend, request: Request) -> DataFrame:
    """What each rule removed, as `removed.counted_removals`.

    Args:
        ranked: what `catalogue_lists` gave, put down.
        settings, request: as there.
    """
    own, tier = nobodys_candidates(request), catalogue_tier(_items_of(request))
    mask = request.mask(own, settings.exclude_seen)
    out = taken_out(own, (tier,), mask, request, settings.limit, settings.candidates)
    return counted_removals(own, ranked, request, out)


def _items_of(request: Request) -> DataFrame:
    if request.items is None:
        raise ValueError("the request has no catalogue")
    return request.items
