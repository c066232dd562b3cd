"""What is known of a candidate when it is ranked: by what each algorithm says, by the item, the person, the taste."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.recommend.blend import RANK_CONSTANT
from personalake.recommend.checks import PAIR
from personalake.recommend.popular import MICROS_PER_DAY
from personalake.recommend.tastes import KINDS, tastes_by_person, with_values
from personalake.recommend.top import rounded

ITEM_FEATURES = ("item_person_share", "item_silence", "item_age")
PERSON_FEATURES = ("person_activity", "person_silence")


def feature_names(algorithms: int) -> tuple[str, ...]:
    """The features of candidates of so many algorithms, in order; all doubles."""
    said = [f"{feature}_{place}" for place in range(algorithms) for feature in ("rank", "score")]
    return (*said, *ITEM_FEATURES, *PERSON_FEATURES, *(f"taste_{kind}" for kind in KINDS))


def candidate_features(
    lists: Mapping[str, DataFrame], interactions: DataFrame, items: DataFrame | None = None
) -> DataFrame:
    """The features of every candidate, from what was known when the lists were made and from nothing later.

    rank_n = 61 / (60 + rank) and score_n = score / best score of the person in list n (0 where it is not in it); item
    features: log of the share of persons, of the days without take-up, of the days since the first; person features:
    log of the number of items, of the days without any; taste_x: the share of the person's history that the item's
    category, brand, price band has. Days count back from the newest row of the interactions; all 0 where not known.

    Args:
        lists: by the algorithm's name: person_id, item_id, score, candidate_rank.
        interactions: what the algorithms were fitted on: person_id, item_id, weight, and first_at, last_at [UTC] where
            they are there.
        items: the catalogue as it was known then: item_id, category, brand, price_band.

    Returns:
        person_id, item_id, source (the list in which it stands highest; of equals the first), then `feature_names`.

    Cost:
        A shuffle by pair, joins by item and by person.
    """
    dated = interactions.select(*PAIR, _micros(interactions, "first_at"), _micros(interactions, "last_at"))
    facts = dated.agg(F.max("last_at").alias("_newest"), F.count_distinct("person_id").alias("_persons"))
    rows = (
        _said(lists)
        .join(_history_of(dated, "item_id", "item"), on="item_id", how="left")
        .join(_history_of(dated, "person_id", "person"), on="person_id", how="left")
        .join(F.broadcast(facts), how="cross")
        .withColumns(
            {
                "item_person_share": F.log1p(F.lit(1000.0) * F.try_divide(F.col("_item_count"), F.col("_persons"))),
                "item_silence": _log_days("_item_last"),
                "item_age": _log_days("_item_first"),
                "person_activity": F.log1p(F.col("_person_count").cast("double")),
                "person_silence": _log_days("_person_last"),
            }
        )
    )
    names = feature_names(len(lists))
    filled = _with_tastes(rows, interactions, items)
    numbers = [F.coalesce(rounded(F.col(name)), F.lit(0.0)).alias(name) for name in names]
    return filled.select(*PAIR, "source", *numbers)


def _said(lists: Mapping[str, DataFrame]) -> DataFrame:
    """What each algorithm says of a pair: rank_n and score_n, and the source."""
    best = F.max("score").over(Window.partitionBy("person_id"))
    parts = [
        frame.select(
            *PAIR,
            F.lit(place).alias("_place"),
            (F.lit(RANK_CONSTANT + 1.0) / (F.lit(float(RANK_CONSTANT)) + F.col("candidate_rank"))).alias("_rank"),
            F.when(F.col("score") > 0, F.col("score") / best).otherwise(F.lit(0.0)).alias("_score"),
        )
        for place, frame in enumerate(lists.values())
    ]
    named = F.array(*(F.lit(name) for name in lists))
    said = [
        F.max(F.when(F.col("_place") == place, F.col(f"_{feature}"))).alias(f"{feature}_{place}")
        for place in range(len(lists))
        for feature in ("rank", "score")
    ]
    first = F.min(F.struct((-F.col("_rank")).alias("worst"), F.col("_place").alias("place"))).alias("_first")
    pairs = reduce(DataFrame.unionByName, parts).groupBy(*PAIR).agg(*said, first)
    return pairs.withColumn("source", F.get(named, F.col("_first.place"))).drop("_first")


def _history_of(dated: DataFrame, key: str, name: str) -> DataFrame:
    """Of each item or person: how many rows, the last and the first of them."""
    return dated.groupBy(key).agg(
        F.count(F.lit(1)).alias(f"_{name}_count"),
        F.max("last_at").alias(f"_{name}_last"),
        F.min("first_at").alias(f"_{name}_first"),
    )


def _micros(interactions: DataFrame, column: str) -> Column:
    known = F.unix_micros(column) if column in interactions.columns else F.lit(None).cast("bigint")
    return known.alias(column)


def _log_days(micros: str) -> Column:
    return F.log1p((F.col("_newest") - F.col(micros)) / F.lit(MICROS_PER_DAY))


def _with_tastes(rows: DataFrame, interactions: DataFrame, items: DataFrame | None) -> DataFrame:
    """The rows plus taste_x of each kind: the item's values, looked up among those of the person's history."""
    if items is None:
        return rows.withColumns({f"taste_{kind}": F.lit(0.0) for kind in KINDS})
    entry = F.struct(F.concat_ws("\x1f", "target_kind", "target_id"), "taste_share")
    tastes = (
        tastes_by_person(interactions, items)
        .groupBy("person_id")
        .agg(F.map_from_entries(F.collect_list(entry)).alias("_tastes"))
    )
    told = rows.join(with_values(items), on="item_id", how="left").join(tastes, on="person_id", how="left")
    shares = {
        f"taste_{kind}": F.try_element_at("_tastes", F.concat(F.lit(f"{kind}\x1f"), F.col(kind))) for kind in KINDS
    }
    return told.withColumns(shares)
