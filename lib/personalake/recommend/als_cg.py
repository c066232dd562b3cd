"""ALS by conjugate gradients inside Spark tasks, on one memory-mapped copy of the matrix and the factors per node."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import ArrayType, FloatType, IntegerType, StructField, StructType

from personalake.recommend.als_loss import losses_by_step
from personalake.recommend.als_matrix import collected_matrix
from personalake.recommend.als_slices import HalfStep, cuts_of, gathered
from personalake.recommend.als_solve import Form, principal_axes
from personalake.recommend.node_arrays import NodeArrays, put_on_nodes
from personalake.recommend.product.matrix import Matrix

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
        No shuffle. A job per half-step: the factors of one side go to every node, those of the other come back.
    """
    from threadpoolctl import threadpool_limits

    spark = interactions.sparkSession
    matrix = collected_matrix(interactions, settings)
    ids = [interactions.schema["person_id"], interactions.schema["item_id"]]
    if matrix.by_person.nnz == 0:
        persons, items = (np.empty((0, settings.rank), np.float32) for _ in ids)
        losses: list[float] = []
    else:
        # The driver's products are small: on several threads they would wait for each other longer than they take.
        with threadpool_limits(1, "blas"), _Fit.laid_down(spark, matrix, settings) as fit:
            losses = [fit.iterate(last=step == settings.iterations) for step in range(1, settings.iterations + 1)]
            persons, items = fit.persons.factors, fit.items.factors
    index = {"item_index": pa.array(np.arange(len(items), dtype=np.int32))}
    return (
        _frame(spark, ids[0], matrix.person_ids, {}, persons),
        _frame(spark, ids[1], matrix.ids, index, items),
        losses_by_step(spark, enumerate(losses, start=1)),
    )


@dataclass
class _Side:
    """The persons or the items while they are fitted.

    `laid` is what the nodes have of the factors: as they were when the other side was last solved from them.
    """

    name: str
    lengths: Array
    cuts: Array
    factors: Array
    laid: NodeArrays | None = None

    def lay_down(self, spark: SparkSession, arrays: dict[str, Array]) -> NodeArrays:
        """Put the factors and what goes with them on the nodes, in place of what lay there."""
        before, self.laid = self.laid, put_on_nodes(spark, arrays)
        if before is not None:
            before.release()
        return self.laid


@dataclass
class _Fit:
    """A fit under way."""

    spark: SparkSession
    settings: Als
    matrix: NodeArrays
    persons: _Side
    items: _Side

    @classmethod
    def laid_down(cls, spark: SparkSession, matrix: Matrix, settings: Als) -> Self:
        """Put the matrix on the nodes in both orders, and make the first factors.

        Persons begin with directions from the seed, as MLlib's do; nothing is read of the items' before they are
        solved.
        """
        arrays: dict[str, Array] = {}
        sides = []
        tasks = spark.sparkContext.defaultParallelism  # one per core: to begin one costs more than evening out gains
        for name, rows in (("person", matrix.by_person), ("item", matrix.by_item)):
            starts = rows.indptr.astype(np.int64)
            arrays |= {f"{name}_starts": starts, f"{name}_columns": rows.indices, f"{name}_weights": rows.data}
            factors = np.zeros((rows.shape[0], settings.rank), np.float32)
            lengths = np.diff(starts)
            sides.append(_Side(name, lengths, cuts_of(lengths, settings.rank, tasks), factors))
        persons, items = sides
        generator = np.random.default_rng(settings.seed)
        directions = generator.standard_normal(persons.factors.shape, dtype=np.float32)
        persons.factors = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        return cls(spark, settings, put_on_nodes(spark, arrays), persons, items)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for laid in (self.matrix, self.persons.laid, self.items.laid):
            if laid is not None:
                laid.release()

    def iterate(self, last: bool) -> float:
        """Solve the items, then the persons (to the end in the last iteration); gives the loss."""
        self._half_step(self.persons, self.items, exact=False)
        parts = self._half_step(self.items, self.persons, exact=last)
        squares = np.einsum("ij,ij->i", self.items.factors, self.items.factors, dtype=np.float64)
        return float(parts.sum() + self.settings.regularisation * (self.items.lengths @ squares))

    def _half_step(self, source: _Side, target: _Side, exact: bool) -> Array:
        """Solve the target from the source; gives each row's part of the loss."""
        spectrum, axes = principal_axes(source.factors, self.settings.implicit)
        source.factors = source.factors @ axes.astype(np.float32)
        kind = np.float64 if exact else np.float32
        arrays = {"factors": source.factors, "spectrum": spectrum, "axes": axes}
        laid = source.lay_down(self.spark, {name: array.astype(kind, copy=False) for name, array in arrays.items()})
        steps = None if exact else self.settings.cg_steps
        step = HalfStep(target.name, self.matrix, laid, target.laid, target.cuts, Form.of(self.settings), steps)
        target.factors, losses = gathered(self.spark, step, len(target.lengths), self.settings.rank)
        return losses


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
