"""Items that rules place at a rank."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.conditions import holds, leaves
from personalake.recommend.checks import PAIR
from personalake.recommend.request import Request
from personalake.recommend.rules.exclusions import RULE, described, with_removing_rule
from personalake.recommend.rules.kinds import Pin
from personalake.recommend.rules.ruleset import PERSON

PINNED = "pin:"
_COLUMNS = (*PAIR, "score", "source", "audience", "recommendation_rank", RULE)


def with_pins(placed: DataFrame, request: Request, closed: DataFrame, limit: int) -> DataFrame:
    """Put the items that rules pin at their ranks; the others keep their order around them.

    Other rules go first: what cannot be had or was bought is not pinned either, what was only seen can be. A pin for an
    audience is not for those who opted out; caps do not count pinned items.

    Args:
        placed: person_id, item_id, score, source, audience, place_rank, rule_code.
        request: persons, items and rules.
        closed: item_id, rule_code of what nobody is suggested.
        limit: list length.

    Returns:
        person_id, item_id, score, source, audience, recommendation_rank, rule_code.

    Cost:
        None without pins; else a join by pair and a shuffle by person.
    """
    ranked = placed.withColumnRenamed("place_rank", "recommendation_rank").select(*_COLUMNS)
    pins = [pin for pin in request.rules.pins if pin.holds_on(request.as_of)]
    if not pins:
        return ranked
    kept_out = ranked.where(F.col(RULE).isNotNull())
    pinned = _pinned(pins, request, closed, ranked)
    taken = pinned.groupBy("person_id").agg(F.sort_array(F.collect_list("_at")).alias("_taken"))
    others = ranked.where(F.col(RULE).isNull()).join(pinned.select(*PAIR), on=list(PAIR), how="left_anti")
    moved = others.join(taken, on="person_id", how="left").withColumns(
        {"_at": _free_place(limit + len(pins)), "_number": F.lit(0)}
    )
    both = moved.drop("_taken", "recommendation_rank").unionByName(pinned)
    order = Window.partitionBy("person_id").orderBy("_at", "_number", "item_id")
    placed_anew = both.withColumn("recommendation_rank", F.row_number().over(order))
    kept = placed_anew.where(F.col("recommendation_rank") <= limit)
    return _scored(kept).select(*_COLUMNS).unionByName(kept_out)


def _pinned(pins: list[Pin], request: Request, closed: DataFrame, like: DataFrame) -> DataFrame:
    """Each pinned item of each person: the columns of a row, _at (the rank wished for), _number (of the rule)."""
    names = {leaf.feature for pin in pins if pin.audience is not None for leaf in leaves(pin.audience)}
    person = described(request.known_persons, "person", sorted(name.removeprefix(PERSON) for name in names))
    parts = []
    for number, pin in enumerate(pins, start=1):
        whom = person if pin.audience is None else person.where(holds(pin.audience))
        if pin.audience is not None:
            whom = whom.join(request.personal, on="person_id", how="left_semi")
        row = {
            "item_id": F.lit(pin.item).cast(like.schema["item_id"].dataType),
            "score": F.lit(None).cast("double"),
            "source": F.lit(f"{PINNED}{pin.code}"),
            "audience": F.lit(None).cast("string"),
            "_at": F.lit(pin.rank),
            "_number": F.lit(number),
        }
        parts.append(whom.select("person_id", *(value.alias(name) for name, value in row.items())))
    ruled = with_removing_rule(
        reduce(DataFrame.unionByName, parts), request.rules, request.known_persons, request.items, closed
    )
    pinned = ruled.where(F.col(RULE).isNull())
    if request.bought is None:
        return pinned
    return pinned.join(request.bought_or_not().where("is_kept_out"), on=list(PAIR), how="left_anti")


def _free_place(longest: int) -> Column:
    """Where a row goes around the pinned ones: the n-th rank that no pin takes."""
    taken = F.coalesce("_taken", F.array().cast("array<int>"))
    free = F.array_except(F.sequence(F.lit(1), F.lit(longest)), taken)
    return F.element_at(free, F.col("recommendation_rank"))


def _scored(rows: DataFrame) -> DataFrame:
    """A pinned item has the score of the row before it, or of the best."""
    person = Window.partitionBy("person_id")
    before = person.orderBy("recommendation_rank").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    score = F.coalesce(F.min("score").over(before), F.max("score").over(person), F.lit(1.0))
    return rows.withColumns({"score": score, RULE: F.lit(None).cast("string")})
