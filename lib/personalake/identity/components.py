"""Connected components of identifiers over the links that are used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.identity.in_memory import components_in_memory
from personalake.identity.links import USED
from personalake.identity.settings import Identity
from personalake.identity.stars import Keep, components_by_stars, kept_locally


def build_components(identifiers: DataFrame, links: DataFrame, settings: Identity) -> DataFrame:
    """Which identifiers hang together, by one task that holds all links.

    Args:
        identifiers: rows of `identifiers_of`; reads identifier_kind, identifier.
        links: identity_links; reads both ends and state.
        settings: edges_in_one_task bounds that task.

    Returns:
        The identifiers + component: the smallest `kind:identifier` among those that hang together, itself where
        nothing does. Read several times by what follows: keep it.

    Raises:
        DataError: inside the task, when more links are left than it may hold; `fit_components` never gets there.

    Cost:
        One shuffle brings the links to one task, about 0.5 GB a million; then one join with the identifiers.
    """
    return _with_component(identifiers, component_by_node(links, settings))


def component_by_node(links: DataFrame, settings: Identity) -> DataFrame:
    """The component of each end of a used link, as `build_components` finds it.

    Args:
        links: as there.
        settings: as there.

    Returns:
        node, component: both `kind:identifier`.

    Raises:
        DataError: as there.
    """
    limit = settings.edges_in_one_task

    def joined(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return components_in_memory(batches, limit)

    hashes = [F.xxhash64(end).alias(f"{end}_hash") for end in ("left", "right")]
    edges = used_edges(links).select("*", *hashes)
    # Reading and hashing stay parallel: coalesce(1) would draw them into the one task.
    return edges.repartition(1).mapInArrow(joined, "node string, component string")


def fit_components(
    identifiers: DataFrame, links: DataFrame, settings: Identity, keep: Keep = kept_locally
) -> DataFrame:
    """As `build_components`, and by rounds of large and small stars where one task could not hold the links.

    Args:
        identifiers: as there.
        links: as there.
        settings: edges_in_one_task decides which way; star_rounds ends the rounds.
        keep: how the links of a round are kept so that the next does not compute them again; on a cluster that
            loses executors write and read them instead.

    Cost:
        One job counts the used links. A round of stars is four shuffles and one check.
    """
    edges = used_edges(links)
    if edges.count() <= settings.edges_in_one_task:
        return build_components(identifiers, links, settings)
    return _with_component(identifiers, components_by_stars(edges, settings.star_rounds, keep))


def used_edges(links: DataFrame) -> DataFrame:
    """The links that are used, as left and right nodes `kind:identifier`."""
    return links.where(F.col("state") == USED).select(
        _node("left_kind", "left_identifier").alias("left"), _node("right_kind", "right_identifier").alias("right")
    )


def _with_component(identifiers: DataFrame, labels: DataFrame) -> DataFrame:
    named = identifiers.withColumn("node", _node("identifier_kind", "identifier"))
    return named.join(labels, "node", how="left").withColumn("component", F.coalesce("component", "node")).drop("node")


def _node(kind: str, identifier: str) -> Column:
    return F.concat(kind, F.lit(":"), identifier)
