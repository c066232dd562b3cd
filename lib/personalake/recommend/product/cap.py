"""What a cap on histories leaves of them, and what it leaves out."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def capped(interactions: DataFrame, history_cap: int | None) -> tuple[DataFrame, str]:
    """The heaviest entries of each history, and what that left out, in words.

    Args:
        interactions: one row per pair; reads person_id, item_id, weight.
        history_cap: entries kept per person, by falling weight, then item_id; None: all.

    Returns:
        The rows kept; "" or how many entries, and what share of all weight, were dropped.

    Cost:
        Where a cap is set: a sort by person, and a job for the shares.
    """
    if history_cap is None:
        return interactions, ""
    order = Window.partitionBy("person_id").orderBy(F.desc("weight"), "item_id")
    placed = interactions.withColumn("_place", F.row_number().over(order))
    over = F.col("_place") > history_cap
    row = placed.agg(
        F.count_if(over).alias("rows"),
        F.coalesce(F.sum(F.when(over, F.col("weight"))), F.lit(0.0)).alias("dropped"),
        F.sum("weight").alias("whole"),
    ).collect()[0]
    share = row["dropped"] / row["whole"] if row["whole"] else 0.0
    text = f"; history_cap {history_cap:,} dropped {row['rows']:,} entries, {share:.2%} of all weight"
    return placed.where(~over).drop("_place"), text
