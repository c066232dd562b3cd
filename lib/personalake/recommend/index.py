"""Dense numbers for ids: what matrices and MLlib need, without sorting everything in one place."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

BUCKETS = 64


def indexed_ids(frame: DataFrame, id_column: str, index_column: str, buckets: int = BUCKETS) -> DataFrame:
    """Number the distinct ids of a column 0 … n - 1; the numbers depend on nothing but the ids.

    Ids are dealt to buckets by their hash, numbered inside a bucket in order of the id, and each bucket starts where
    the one before it ends.

    Args:
        frame: any rows; reads id_column; nulls get no number.
        id_column: the id, string or integer.
        index_column: name of the number.
        buckets: how many parts are numbered side by side, ≥ 1.

    Returns:
        One row per id: id_column, index_column (int, from 0). More than 2^31 - 1 ids raise under ANSI.

    Cost:
        A shuffle by id and one by bucket; the offsets are one row per bucket.
    """
    bucket = F.pmod(F.xxhash64(id_column), F.lit(buckets)).cast("int")
    ids = frame.select(id_column).where(F.col(id_column).isNotNull()).distinct().withColumn("_bucket", bucket)
    before = Window.orderBy("_bucket").rowsBetween(Window.unboundedPreceding, -1)
    sizes = ids.groupBy("_bucket").agg(F.count(F.lit(1)).alias("_size"))
    offsets = sizes.select("_bucket", F.coalesce(F.sum("_size").over(before), F.lit(0)).alias("_offset"))
    place = F.row_number().over(Window.partitionBy("_bucket").orderBy(id_column))
    numbered = ids.withColumn("_place", place).join(F.broadcast(offsets), on="_bucket", how="inner")
    return numbered.select(id_column, (F.col("_offset") + F.col("_place") - 1).cast("int").alias(index_column))
