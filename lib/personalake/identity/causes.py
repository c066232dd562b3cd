"""Why a person was split: the link that bound its parts, and who cut it."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.identity.links import CUT_NO_CONSENT, CUT_OPERATOR, USED
from personalake.identity.sides import as_end, end_of
from personalake.tables.identity import IDENTIFIER

_WORDS = {CUT_OPERATOR: "an operator called the link wrong", CUT_NO_CONSENT: "there is no consent to link them"}


def split_causes(links: DataFrame, sides: DataFrame, splits: DataFrame) -> DataFrame:
    """For each side that was split off, what cut a link between it and another part of the old person.

    Args:
        links: identity_links.
        sides: identifier_kind, identifier, component, _old: identifiers by the person they were of.
        splits: component, _old: the sides that were split off; few.

    Returns:
        component, _old, _cause in words; sides that no known link ever bound have no row. Of several links an
        operator's word goes before consent, and that before guards, which are told by their state.

    Cost:
        One scan of the links that were cut, joined twice with the identifiers of persons that were split.
    """
    persons = splits.select("_old").distinct()
    torn = sides.join(F.broadcast(persons), ["_old"], how="left_semi").select(*IDENTIFIER, "component", "_old")
    cut = links.where(F.col("state") != USED)
    for side in ("left", "right"):
        parts = (F.col("component").alias(f"_{side}_component"), F.col("_old").alias(f"_{side}_old"))
        cut = cut.join(as_end(torn, side, *parts), end_of(side), how="inner")
    between = cut.where(
        (F.col("_left_old") == F.col("_right_old")) & (F.col("_left_component") != F.col("_right_component"))
    )
    order = F.when(F.col("state") == CUT_OPERATOR, 0).when(F.col("state") == CUT_NO_CONSENT, 1).otherwise(2)
    first = F.min(F.struct(order.alias("_order"), "state"))["state"]
    both = F.explode(F.array("_left_component", "_right_component")).alias("component")
    by_side = between.select(both, F.col("_left_old").alias("_old"), "state")
    found = by_side.groupBy("component", "_old").agg(first.alias("_state"))
    told = F.concat(F.lit("a guard cut the link ("), F.col("_state"), F.lit(")"))
    for state, words in _WORDS.items():
        told = F.when(F.col("_state") == state, F.lit(words)).otherwise(told)
    return found.select("component", "_old", told.alias("_cause"))
