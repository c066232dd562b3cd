"""Components too large to be a person: which there are, and how they come apart."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.identity.links import CUT_GIANT, USED
from personalake.identity.sides import as_end, end_of


def giants_of(components: DataFrame, limit: int) -> DataFrame:
    """Components with more identifiers than a person can have.

    Args:
        components: rows of `fit_components`.
        limit: how many a person can have.

    Returns:
        component, identifier_count: in a sound warehouse no row.

    Cost:
        One shuffle of partial counts by component.
    """
    sizes = components.groupBy("component").agg(F.count(F.lit(1)).alias("identifier_count"))
    return sizes.where(F.col("identifier_count") > limit)


def without_joiners(links: DataFrame, components: DataFrame, giants: DataFrame) -> DataFrame:
    """The links, in giants cut where an identifier joins several others: what is left hangs on one identifier each.

    Args:
        links: identity_links.
        components: rows of `fit_components`, made from these links.
        giants: rows of `giants_of`.

    Returns:
        The links; state is cut_giant where the link lies in a giant and its right identifier is used by several links.

    Cost:
        One join by left identifier, and one shuffle by right identifier.
    """
    lefts = F.count_if(F.col("_is_giant") & (F.col("state") == USED)).over(Window.partitionBy(*end_of("right")))
    marked = _marked(links, components, giants).withColumn("_lefts", lefts)
    return _cut(marked, F.col("_is_giant") & (F.col("_lefts") > 1), links.columns)


def without_giants(links: DataFrame, components: DataFrame, giants: DataFrame) -> DataFrame:
    """The links, every one of a giant cut: its identifiers are single ones.

    Args:
        links: as in `without_joiners`.
        components: as there.
        giants: as there.
    """
    return _cut(_marked(links, components, giants), F.col("_is_giant"), links.columns)


def _marked(links: DataFrame, components: DataFrame, giants: DataFrame) -> DataFrame:
    """Adds _is_giant: the link's left end lies in a giant."""
    inside = components.join(F.broadcast(giants), "component", how="left_semi")
    joined = links.join(as_end(inside, "left", F.lit(True).alias("_in")), end_of("left"), how="left")
    return joined.withColumn("_is_giant", F.coalesce("_in", F.lit(False)))


def _cut(marked: DataFrame, is_cut: Column, columns: list[str]) -> DataFrame:
    state = F.when(is_cut & (F.col("state") == USED), F.lit(CUT_GIANT)).otherwise(F.col("state"))
    return marked.withColumn("state", state).select(*columns)
