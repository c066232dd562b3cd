"""Connected components by large and small stars, for links that no single task could hold.

After Kiveris et al., Connected Components in MapReduce and Beyond (2014): both steps keep what hangs together and let
every node point to a smaller one, until each component is one star around its smallest node.
"""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.errors import DataError, Fault

Keep = Callable[[DataFrame], DataFrame]


def kept_locally(frame: DataFrame) -> DataFrame:
    """The frame, computed now and kept on the executors that made it."""
    return frame.localCheckpoint(eager=True)


def components_by_stars(edges: DataFrame, round_limit: int, keep: Keep = kept_locally) -> DataFrame:
    """Each node with the smallest node of its component.

    Args:
        edges: columns left and right, text.
        round_limit: rounds after which it gives up.
        keep: how the links of a round are kept.

    Returns:
        Columns node and component, as `components_in_memory` gives them.

    Raises:
        DataError: still no stars after round_limit rounds.

    Cost:
        Four shuffles and one small check a round; about log² of the longest path rounds.
    """
    downward = keep(
        edges.where(F.col("left") != F.col("right"))
        .select(F.greatest("left", "right").alias("node"), F.least("left", "right").alias("to"))
        .distinct()
    )
    for _ in range(round_limit):
        if _are_stars(downward):
            roots = downward.select(F.col("to").alias("node"), F.col("to").alias("component")).distinct()
            return downward.select("node", F.col("to").alias("component")).unionByName(roots)
        downward = keep(_small_star(_large_star(downward)))
    text = f"components are not complete after {round_limit} rounds."
    raise DataError(Fault("identity.star_rounds", text, "Raise it, or look for identifiers that glue everything."))


def _large_star(downward: DataFrame) -> DataFrame:
    """Every greater neighbour of a node points to the smallest one around that node."""
    both = downward.unionByName(downward.select(F.col("to").alias("node"), F.col("node").alias("to")))
    smallest = both.groupBy("node").agg(F.least(F.min("to"), F.col("node")).alias("_smallest"))
    return (
        both.join(smallest, "node", how="inner")
        .where(F.col("to") > F.col("node"))
        .select(F.col("to").alias("node"), F.col("_smallest").alias("to"))
        .distinct()
    )


def _small_star(downward: DataFrame) -> DataFrame:
    """A node and its smaller neighbours point to the smallest of them."""
    smallest = downward.groupBy("node").agg(F.min("to").alias("_smallest"))
    points = F.array(F.struct(F.col("node").alias("n")), F.struct(F.col("to").alias("n")))
    return (
        downward.join(smallest, "node", how="inner")
        .withColumn("_end", F.explode(points))
        .select(F.col("_end.n").alias("node"), F.col("_smallest").alias("to"))
        .where(F.col("node") != F.col("to"))
        .distinct()
    )


def _are_stars(downward: DataFrame) -> bool:
    """Whether each node points to one other, which itself points nowhere."""
    ends = downward.select("node", F.lit(1).alias("_points"), F.lit(0).alias("_is_root")).unionByName(
        downward.select(F.col("to").alias("node"), F.lit(0).alias("_points"), F.lit(1).alias("_is_root"))
    )
    seen = ends.groupBy("node").agg(F.sum("_points").alias("_points"), F.max("_is_root").alias("_is_root"))
    return seen.where((F.col("_points") > 1) | ((F.col("_points") > 0) & (F.col("_is_root") > 0))).isEmpty()
