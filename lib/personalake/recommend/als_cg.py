"""ALS by conjugate gradients inside Spark tasks, on one memory-mapped copy of the matrix and the factors per node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import ArrayType, FloatType, IntegerType, StructField, StructType

from personalake.recommend.als_loss import losses_by_step
from personalake.recommend.als_matrix import collected_matrix
from personalake.recommend.als_one_job import fit_in_one_job
from personalake.recommend.als_rounds import fit_by_rounds
from personalake.recommend.als_slices import Problem
from personalake.recommend.node_arrays import shares_disk

if TYPE_CHECKING:
    from personalake.recommend.als import Als

Array = npt.NDArray[Any]


def fit_cg(interactions: DataFrame, settings: Als) -> tuple[DataFrame, DataFrame, DataFrame]:
    """Fit by conjugate-gradient half-steps: items from persons, then persons from items, as MLlib alternates.

    Each half-step begins from the factors of the one before (Takács, Pilászy, Tikk 2011), in the basis in which the
    columns of the fixed side are orthogonal: scores, losses and ridge do not depend on the basis, and there the dense
    part of the normal equations is diagonal. The persons' last half-step is solved to the end in float64, so that
    folding in a history gives what was fitted. Matrix and factors are kept as float32.

    Args:
        interactions: one row per pair, checked; reads person_id, item_id, weight.
        settings: of the algorithm.

    Returns:
        The factors of persons (person_id, factors) and items (item_id, item_index from 0, factors), and the loss after
        each iteration (step from 1, loss).

    Raises:
        ConfigError, DataError: see `als_matrix.collected_matrix`.

    Cost:
        No shuffle. See `als_one_job.fit_in_one_job` for local mode, `als_rounds.fit_by_rounds` for a cluster.
    """
    spark = interactions.sparkSession
    matrix = collected_matrix(interactions, settings)
    ids = [interactions.schema["person_id"], interactions.schema["item_id"]]
    if matrix.by_person.nnz == 0:
        persons, items = (np.empty((0, settings.rank), np.float32) for _ in ids)
        losses: list[float] = []
    else:
        fit = fit_in_one_job if shares_disk(spark) else fit_by_rounds
        persons, items, losses = fit(spark, Problem.of(matrix, settings), settings)
    index = {"item_index": pa.array(np.arange(len(items), dtype=np.int32))}
    return (
        _frame(spark, ids[0], matrix.person_ids, {}, persons),
        _frame(spark, ids[1], matrix.ids, index, items),
        losses_by_step(spark, enumerate(losses, start=1)),
    )


def _frame(
    spark: SparkSession, field: StructField, ids: pa.Array, more: dict[str, pa.Array], factors: Array
) -> DataFrame:
    """The ids, further columns and factors as a frame."""
    offsets = pa.array(np.arange(len(factors) + 1) * factors.shape[1], pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.array(factors.ravel()))
    schema = StructType(
        [
            StructField(field.name, field.dataType),
            *(StructField(name, IntegerType()) for name in more),
            StructField("factors", ArrayType(FloatType())),
        ]
    )
    return spark.createDataFrame(pa.table({field.name: ids, **more, "factors": lists}), schema)
