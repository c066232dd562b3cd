"""Persons in ten groups of equal size, likeliest first."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

BUCKETS = 10_000


def with_decile(scored: DataFrame, by: Sequence[str] = ()) -> DataFrame:
    """Add the tenth a person is in by falling probability.

    Persons of equal probability are ranked by the hash of their id, so a group's edge does not favour old ids.

    Args:
        scored: person_id, probability (0-1); put down: it is read twice.
        by: columns within whose values the persons are ranked.

    Returns:
        The same rows plus decile (int, 1: the likeliest tenth).

    Cost:
        A count of at most 10,001 buckets of the probability, summed on from the likeliest; a sort within each.
    """
    bucketed = scored.withColumn("_bucket", F.round(F.col("probability") * BUCKETS).cast("int"))
    counts = bucketed.groupBy(*by, "_bucket").agg(F.count(F.lit(1)).alias("_persons"))
    before = Window.partitionBy(*by).orderBy(F.col("_bucket").desc())
    sums = counts.select(
        *by,
        "_bucket",
        F.coalesce(F.sum("_persons").over(before.rowsBetween(Window.unboundedPreceding, -1)), F.lit(0)).alias(
            "_before"
        ),
        F.sum("_persons").over(Window.partitionBy(*by)).alias("_all"),
    )
    order = Window.partitionBy(*by, "_bucket").orderBy(
        F.col("probability").desc(), F.xxhash64("person_id"), "person_id"
    )
    placed = bucketed.withColumn("_place", F.row_number().over(order))
    joined = placed.join(F.broadcast(sums), on=[*by, "_bucket"], how="inner")
    decile = F.floor((F.col("_before") + F.col("_place") - 1) * 10 / F.col("_all")) + 1
    return joined.withColumn("decile", decile.cast("int")).select(*scored.columns, "decile")
