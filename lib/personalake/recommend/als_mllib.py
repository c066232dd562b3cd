"""MLlib's ALS on input that cannot change under it: dense ids, sorted rows in pinned partitions, pinned blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.recommend.checkpoints import checkpointed
from personalake.recommend.checks import INDEXES
from personalake.recommend.index import indexed_ids

if TYPE_CHECKING:
    from personalake.recommend.als import Als

_KEEP = "MEMORY_AND_DISK"


def fit_mllib(interactions: DataFrame, settings: Als) -> tuple[DataFrame, DataFrame]:
    """Fit MLlib's ALS.

    MLlib wants ids of 32 bits, trains differently on differently ordered input, and computes its input again where it
    is not kept: so ids are indexed densely, and rows are dealt to a fixed number of partitions, sorted and kept.

    Args:
        interactions: one row per pair, checked; reads person_id, item_id, weight, and the two indexes where there.
        settings: of the algorithm.

    Returns:
        The factors of persons (person_id, factors) and items (item_id, item_index from 0, factors), in Spark's cache.

    Raises:
        ConfigError: more than 10 iterations on a cluster whose session has no checkpoint folder.
    """
    ratings = _ratings(interactions, settings.blocks).persist()
    if ratings.count() == 0:
        ratings.unpersist()
        nobody = ratings.limit(0).withColumn("factors", F.array().cast("array<float>"))
        return nobody.select("person_id", "factors"), nobody.select("item_id", "item_index", "factors")
    with checkpointed(interactions.sparkSession, settings.iterations):
        model = _als(settings).fit(ratings)
        person_factors = _by_id(ratings, "person", model.userFactors).persist()
        item_factors = _with_index(_by_id(ratings, "item", model.itemFactors)).persist()
        for factors in (person_factors, item_factors):
            factors.count()
    ratings.unpersist()
    return person_factors, item_factors


def _with_index(item_factors: DataFrame) -> DataFrame:
    dense = indexed_ids(item_factors, "item_id", "item_index")
    return item_factors.join(dense, on="item_id", how="inner").select("item_id", "item_index", "factors")


def _ratings(interactions: DataFrame, partitions: int) -> DataFrame:
    rows = interactions
    if not set(INDEXES) <= set(rows.columns):
        for name in ("person", "item"):
            index = indexed_ids(interactions, f"{name}_id", f"{name}_index")
            rows = rows.join(index, on=f"{name}_id", how="inner")
    rows = rows.withColumns({name: F.col(name).cast("int") for name in INDEXES})
    return rows.repartition(partitions, "person_index").sortWithinPartitions(*INDEXES)


def _als(settings: Als) -> ALS:
    return ALS(
        rank=settings.rank,
        maxIter=settings.iterations,
        regParam=settings.regularisation,
        alpha=settings.alpha,
        implicitPrefs=settings.implicit,
        seed=settings.seed,
        numUserBlocks=settings.blocks,
        numItemBlocks=settings.blocks,
        checkpointInterval=settings.checkpoint_interval,
        userCol="person_index",
        itemCol="item_index",
        ratingCol="weight",
        intermediateStorageLevel=_KEEP,
        finalStorageLevel=_KEEP,
    )


def _by_id(ratings: DataFrame, name: str, factors: DataFrame) -> DataFrame:
    ids = ratings.select(f"{name}_id", F.col(f"{name}_index").alias("id")).distinct()
    return ids.join(factors, on="id", how="inner").select(f"{name}_id", F.col("features").alias("factors"))
