"""MLlib's ALS on input that cannot change under it: dense ids, sorted rows in pinned partitions, pinned blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.errors import DataError, Fault
from personalake.recommend.als_arrow import collected_items
from personalake.recommend.als_loss import als_loss, losses_by_step
from personalake.recommend.als_solve import Form
from personalake.recommend.checkpoints import checkpointed
from personalake.recommend.checks import INDEXES
from personalake.recommend.index import indexed_ids

if TYPE_CHECKING:
    from personalake.recommend.als import Als

_PERSON, _ITEM = ("person_id", "factors"), ("item_id", "item_index", "factors")
# The largest float32.
_HEAVIEST = 3.4e38
_KEEP = "MEMORY_AND_DISK"


def fit_mllib(interactions: DataFrame, settings: Als) -> tuple[DataFrame, DataFrame, DataFrame]:
    """Fit MLlib's ALS.

    MLlib wants ids of 32 bits, trains differently on differently ordered input, and computes its input again where it
    is not kept: so ids are indexed densely, and rows are dealt to a fixed number of partitions, sorted and kept.

    Args:
        interactions: one row per pair, checked; reads person_id, item_id, weight, and the two indexes where there.
        settings: of the algorithm.

    Returns:
        The factors of persons (person_id, factors) and items (item_id, item_index from 0, factors), in Spark's cache,
        and the loss (step, loss) after the last iteration and those of loss_at; no row where the item factors take too
        much for a worker.

    Raises:
        DataError: a weight is beyond float32.
        ConfigError: more than 10 iterations on a cluster whose session has no checkpoint folder.

    Cost:
        Two shuffles of factors per iteration; as many more for each of loss_at, since MLlib tells no loss on its way.
    """
    ratings = _ratings(interactions, settings.blocks).persist()
    try:
        if _is_empty(ratings):
            nobody = ratings.limit(0).withColumn("factors", F.array().cast("array<float>"))
            person_factors, item_factors = (nobody.select(*names) for names in (_PERSON, _ITEM))
            return person_factors, item_factors, losses_by_step(interactions.sparkSession, [])
        with checkpointed(interactions.sparkSession, settings.iterations):
            person_factors, item_factors = _factors(ratings, settings)
            item_count = item_factors.count()
            fits_a_worker = item_count * settings.rank * 8 <= settings.item_factors_mb * 2**20
            losses = [*_earlier_losses(ratings, settings)] if fits_a_worker else []
        if fits_a_worker:
            losses.append(_last_loss(ratings, person_factors, item_factors, settings))
        return person_factors, item_factors, losses_by_step(interactions.sparkSession, losses)
    finally:
        ratings.unpersist()


def _is_empty(ratings: DataFrame) -> bool:
    """Whether there is nothing to fit on; computes the ratings, and refuses those that are no float32."""
    found = ratings.agg(F.count(F.lit(1)).alias("rows"), F.max("weight").alias("heaviest")).first()
    if found is None or not found["rows"]:
        return True
    if found["heaviest"] > _HEAVIEST:
        text = f"goes up to {found['heaviest']:.3g}; MLlib takes ratings up to {_HEAVIEST:.0e}."
        raise DataError(Fault("interactions.weight", text, "Take its logarithm, or cap it."))
    return False


def _factors(ratings: DataFrame, settings: Als) -> tuple[DataFrame, DataFrame]:
    """The factors of persons and items after the iterations, computed and kept."""
    model = _als(settings).fit(ratings)
    person_factors = _by_id(ratings, "person", model.userFactors).persist()
    item_factors = _with_index(_by_id(ratings, "item", model.itemFactors)).persist()
    person_factors.count()
    return person_factors, item_factors


def _earlier_losses(ratings: DataFrame, settings: Als) -> Iterator[tuple[int, float]]:
    """The losses of loss_at before the last iteration, each by a fit that ends there: the same input, the same way."""
    for step in sorted({step for step in settings.loss_at if step < settings.iterations}):
        shorter = settings.model_copy(update={"iterations": step})
        factors = _factors(ratings, shorter)
        yield _last_loss(ratings, *factors, shorter)
        for frame in factors:
            frame.unpersist()


def _last_loss(
    ratings: DataFrame, person_factors: DataFrame, item_factors: DataFrame, settings: Als
) -> tuple[int, float]:
    items = collected_items(item_factors, settings.item_factors_mb)
    return settings.iterations, als_loss(ratings, person_factors, item_factors, items, Form.of(settings))


def _with_index(item_factors: DataFrame) -> DataFrame:
    dense = indexed_ids(item_factors, "item_id", "item_index")
    return item_factors.join(dense, on="item_id", how="inner").select(*_ITEM)


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
