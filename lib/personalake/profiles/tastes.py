"""What a person likes, and how far a look leads to a buy: features from person_item_days and items."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

_KINDS = ("category", "brand", "price_band")


def tastes_by_person(person_item_days: DataFrame, items: DataFrame, as_of: date) -> DataFrame:
    """Top category, brand and price band, and the funnel by item.

    Args:
        person_item_days: columns of PERSON_ITEM_DAYS.
        items: item_id, category, brand, price_band, price_minor as known at as_of; an item that is missing has none.
        as_of: days from this one on are not read.

    Returns:
        person_id, item_count, category_count, top_category, top_category_share, top_brand, top_brand_share,
        top_price_band, top_price_band_share, mean_viewed_price_minor, view_to_cart_share, cart_to_buy_share.
        Ties of a top go to the name that sorts first.

    Cost:
        One shuffle by person and item, one join with items, one shuffle by person for each of two aggregates.
    """
    pairs = _pairs(person_item_days.where(F.col("event_date") < F.lit(as_of)))
    attributes = items.select("item_id", *_KINDS, "price_minor")
    known = pairs.join(attributes, on="item_id", how="left").repartition("person_id")
    return _funnel(known).join(_tops(known), on="person_id", how="left")


def _pairs(person_item_days: DataFrame) -> DataFrame:
    """One row per person and item: _events, _views, _carts, _buys."""

    def of(verb: str) -> Column:
        return F.sum(F.when(F.col("event_type") == verb, F.col("event_count")).otherwise(0))

    return person_item_days.groupBy("person_id", "item_id").agg(
        F.sum("event_count").alias("_events"),
        *(of(verb).alias(f"_{verb}s") for verb in ("view", "cart", "buy")),
    )


def _funnel(known: DataFrame) -> DataFrame:
    viewed, carted, bought = (F.col(name) > 0 for name in ("_views", "_carts", "_buys"))
    priced = viewed & F.col("price_minor").isNotNull()
    prices = F.sum(F.when(priced, F.col("price_minor") * F.col("_views")))
    return known.groupBy("person_id").agg(
        F.count(F.lit(1)).alias("item_count"),
        _share(viewed & (carted | bought), viewed).alias("view_to_cart_share"),
        _share(carted & bought, carted).alias("cart_to_buy_share"),
        F.round(F.try_divide(prices, F.sum(F.when(priced, F.col("_views")))))
        .cast("bigint")
        .alias("mean_viewed_price_minor"),
    )


def _share(part: Column, whole: Column) -> Column:
    return F.try_divide(F.count(F.when(part, 1)), F.count(F.when(whole, 1)))


def _tops(known: DataFrame) -> DataFrame:
    """The top of each kind of attribute, in one pass: the attributes of a pair become rows, then columns again."""
    rows = known.select(
        "person_id",
        "_events",
        F.explode(F.array(*[F.struct(F.lit(k).alias("kind"), F.col(k).alias("name")) for k in _KINDS])).alias(
            "_attribute"
        ),
    ).select("person_id", "_events", "_attribute.*")
    counts = rows.where("name IS NOT NULL").groupBy("person_id", "kind", "name").agg(F.sum("_events").alias("_events"))
    columns = []
    for kind in _KINDS:
        is_kind = F.col("kind") == kind
        events = F.when(is_kind, F.col("_events"))
        order = F.when(is_kind, F.struct(-F.col("_events"), "name"))
        columns += [
            F.min_by("name", order).alias(f"top_{kind}"),
            (F.max(events) / F.sum(events)).alias(f"top_{kind}_share"),
        ]
    category_count = F.count(F.when(F.col("kind") == "category", 1)).alias("category_count")
    return counts.groupBy("person_id").agg(category_count, *columns)
