"""The true reason of each row: a code and its arguments, looked up for the rows of the lists alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.recommend import reasons
from personalake.recommend.checks import PAIR
from personalake.recommend.item_cosine import FittedItemCosine
from personalake.recommend.model import Algorithm, Fitted
from personalake.recommend.pins import PINNED
from personalake.recommend.popular import AudienceList
from personalake.recommend.rank import PERSONAL
from personalake.recommend.request import Request
from personalake.recommend.settings import CATALOGUE, Recommend
from personalake.recommend.tastes import with_targets
from personalake.recommend.trending import Trending

_TOLD_TASTES = ("category", "brand")
_POPULAR = {
    None: reasons.POPULAR,
    "segment_id": reasons.POPULAR_IN_SEGMENT,
    "region": reasons.POPULAR_IN_REGION,
    "top_platform": reasons.POPULAR_ON_PLATFORM,
}


def with_reasons(
    ranked: DataFrame, fitted: Mapping[str, Fitted], settings: Recommend, request: Request, tastes: DataFrame | None
) -> DataFrame:
    """Say of each suggested item why.

    An item like another names the item of the person's history with the largest share in the score. An item by content
    names the category or brand that the person's history has most of and the item shares. A popular or trending item
    names the audience it is popular in.

    Args:
        ranked: person_id, item_id, source, audience, and whatever else.
        fitted: the algorithms by name.
        settings: the section recommend, the one fitted with.
        request: persons and items.
        tastes: what `tastes.tastes_by_person` gives; None: unknown.

    Returns:
        The same rows plus reason_code and reason_arguments (map of strings).

    Cost:
        That of explaining the rows of item cosine, and joins by item and by pair.
    """
    rows = _with_because(ranked, fitted, request.items)
    rows = _with_taste(rows, _names(settings, reasons.TASTE), request.items, tastes)
    rows = _with_audience_name(rows, settings, request.persons)
    because, taste = F.col("because_item_id"), F.col("_taste")
    code = (
        F.when(F.col("source").startswith(PINNED), F.lit(reasons.PINNED))
        .when(because.isNotNull(), F.lit(reasons.LIKE_AN_ITEM))
        .when(taste.isNotNull(), F.lit(reasons.TASTE))
        .when(F.col("source") == F.lit(CATALOGUE), F.lit(reasons.FROM_CATALOGUE))
        .otherwise(F.coalesce(_code_of(settings), F.lit(reasons.LIKE_MINDED)))
    )
    arguments = {
        "item_id": because.cast("string"),
        "item_title": F.when(because.isNotNull(), F.coalesce("_title", because.cast("string"))),
        "taste": taste.getField("target_id"),
        "taste_kind": taste.getField("target_kind"),
        "audience": F.coalesce("_audience_name", F.when(F.col("audience") != F.lit("all"), F.col("audience"))),
        "audience_zh": F.col("_audience_name_zh"),
    }
    pairs = F.array(*(F.struct(F.lit(name).alias("key"), value.alias("value")) for name, value in arguments.items()))
    known = F.map_from_entries(F.filter(pairs, lambda entry: entry.getField("value").isNotNull()))
    told = rows.withColumns({"reason_code": code, "reason_arguments": known})
    return told.drop("because_item_id", "_title", "_taste", "_audience_name", "_audience_name_zh")


def reason_of_list(algorithm: AudienceList) -> str:
    """The code of what a popular list suggests."""
    if isinstance(algorithm, Trending):
        return reasons.TRENDING if algorithm.within is None else reasons.TRENDING_WITHIN
    return _POPULAR[algorithm.within]


def _names(settings: Recommend, code: str) -> list[str]:
    """Algorithms with a reason code."""
    return [name for name, algorithm in settings.algorithms.items() if algorithm.reason_code == code]


def _code_of(settings: Recommend) -> Column:
    """The code that a row's source stands for where nothing nearer is known."""
    # These name what was not found: what stays true of their items is said instead.
    instead = {reasons.LIKE_AN_ITEM: reasons.LIKE_MINDED, reasons.TASTE: reasons.LIKE_IN_CONTENT}
    code = F.lit(None).cast("string")
    for name, algorithm in settings.algorithms.items():
        own = _own_code(algorithm)
        for source in (f"{PERSONAL}{name}", name):
            code = F.when(F.col("source") == F.lit(source), F.lit(instead.get(own, own))).otherwise(code)
    return code


def _own_code(algorithm: Algorithm) -> str:
    return reason_of_list(algorithm) if isinstance(algorithm, AudienceList) else algorithm.reason_code


def _with_because(ranked: DataFrame, fitted: Mapping[str, Fitted], items: DataFrame | None) -> DataFrame:
    """Adds because_item_id and its _title to rows whose source can name one."""
    parts = []
    for name, model in fitted.items():
        if isinstance(model, FittedItemCosine):
            source = F.lit(f"{PERSONAL}{name}")
            asked = ranked.where(F.col("source") == source).select(*PAIR)
            parts.append(model.explain(asked).withColumn("source", source))
    nothing = F.lit(None).cast(ranked.schema["item_id"].dataType)
    told = (
        ranked.join(reduce(DataFrame.unionByName, parts), on=[*PAIR, "source"], how="left")
        if parts
        else ranked.withColumn("because_item_id", nothing)
    )
    if items is None or "title" not in items.columns:
        return told.withColumn("_title", F.lit(None).cast("string"))
    titles = items.select(F.col("item_id").alias("because_item_id"), F.col("title").alias("_title"))
    return told.join(titles, on="because_item_id", how="left")


def _with_taste(rows: DataFrame, names: list[str], items: DataFrame | None, tastes: DataFrame | None) -> DataFrame:
    """Adds _taste (target_kind, target_id): of what item and history share, what the history has most of."""
    if not names or items is None or tastes is None:
        return rows.withColumn("_taste", F.lit(None).cast("struct<target_kind: string, target_id: string>"))
    sources = [f"{PERSONAL}{name}" for name in names]
    asked = rows.where(F.col("source").isin(sources)).select(*PAIR)
    shared = (
        asked.join(with_targets(items, _TOLD_TASTES), on="item_id", how="inner")
        .select(*PAIR, F.explode("targets").alias("_target"))
        .select(*PAIR, "_target.*")
        .join(tastes.where(F.col("taste_share") > 0), on=["person_id", "target_kind", "target_id"], how="inner")
    )
    order = F.struct((-F.col("taste_share")).alias("least"), "target_kind", "target_id")
    most = F.min_by(F.struct("target_kind", "target_id"), order).alias("_taste")
    return rows.join(shared.groupBy(*PAIR).agg(most), on=list(PAIR), how="left")


def _with_audience_name(rows: DataFrame, settings: Recommend, persons: DataFrame) -> DataFrame:
    """Adds _audience_name and _audience_name_zh: what a segment is called, where persons have it."""
    lists = {name: algorithm for name, algorithm in settings.algorithms.items() if isinstance(algorithm, AudienceList)}
    named = [name for name, algorithm in lists.items() if algorithm.within == "segment_id"]
    if not named or "segment_name" not in persons.columns:
        return rows.withColumns({name: F.lit(None).cast("string") for name in ("_audience_name", "_audience_name_zh")})
    name_zh = F.col("segment_name_zh") if "segment_name_zh" in persons.columns else F.lit(None).cast("string")
    names = persons.select("person_id", F.col("segment_name").alias("_name"), name_zh.alias("_name_zh"))
    told = rows.join(names, on="person_id", how="left")
    is_named = F.col("source").isin(named)
    columns = {f"_audience{name}": F.when(is_named, F.col(name)) for name in ("_name", "_name_zh")}
    return told.withColumns(columns).drop("_name", "_name_zh")
