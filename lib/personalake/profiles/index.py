"""Dense numbers for ids, made without sorting all of them in one place."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

BUCKETS = 512
"""Ids are dealt to so many buckets by hash; each bucket is numbered on its own."""

GREATEST_INDEX = 2**31 - 1


def with_index(interactions: DataFrame) -> DataFrame:
    """Number persons and items densely from 0.

    Args:
        interactions: reads person_id and item_id.

    Returns:
        The same rows plus person_index and item_index (int). The numbers depend on the set of ids alone.

    Cost:
        A distinct, a bucket sort and a join for the persons, and the same for the items.
    """
    persons = indexed(interactions, "person_id", "person_index")
    items = indexed(interactions, "item_id", "item_index")
    joined = interactions.join(persons, on="person_id", how="inner").join(items, on="item_id", how="inner")
    return joined.select(*interactions.columns, "person_index", "item_index")


def indexed(frame: DataFrame, id_column: str, index_column: str, greatest: int = GREATEST_INDEX) -> DataFrame:
    """The distinct ids of a column, numbered densely from 0: by bucket of their hash, then by id.

    Args:
        frame: reads id_column; nulls are left out.
        id_column: the ids.
        index_column: what to call the number.
        greatest: the greatest number allowed; one more id is an error that says so.

    Returns:
        id_column, index_column (int).

    Cost:
        One shuffle for the distinct ids, one to bring buckets together; sorts within buckets only. The offsets are
        summed over one row per bucket.
    """
    bucket = F.pmod(F.xxhash64(F.col(id_column).cast("string")), F.lit(BUCKETS)).cast("int")
    ids = frame.where(F.col(id_column).isNotNull()).select(id_column).distinct().withColumn("_bucket", bucket)
    number = F.row_number().over(Window.partitionBy("_bucket").orderBy(id_column))
    index = F.col("_offset") + F.col("_number") - 1
    message = F.lit(f"There are more than {greatest + 1} values of {id_column}: a dense index does not hold them.")
    fitting = F.when(index <= greatest, index.cast("int")).otherwise(F.raise_error(message).cast("int"))
    numbered = ids.withColumn("_number", number)
    return numbered.join(F.broadcast(_offsets(ids)), on="_bucket", how="inner").select(
        id_column, fitting.alias(index_column)
    )


def _offsets(ids: DataFrame) -> DataFrame:
    """How many ids lie in the buckets before each one: _bucket, _offset. At most BUCKETS rows."""
    sizes = ids.groupBy("_bucket").agg(F.count(F.lit(1)).alias("_size"))
    before = Window.partitionBy(F.lit(0)).orderBy("_bucket").rowsBetween(Window.unboundedPreceding, -1)
    return sizes.select("_bucket", F.coalesce(F.sum("_size").over(before), F.lit(0)).alias("_offset"))
