"""The engine cg where machines share no memory: a job per half-step, the factors by way of the driver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pyspark.sql import SparkSession

from personalake.recommend.als_slices import (
    ITEM,
    PERSON,
    Problem,
    Source,
    cuts_of,
    solved_slice,
    spans,
    turned,
    whole_loss,
)
from personalake.recommend.als_solve import Form, principal_axes
from personalake.recommend.node_arrays import NodeArrays, put_on_nodes

if TYPE_CHECKING:
    from personalake.recommend.als import Als

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class HalfStep:
    """What a task needs to know: small, for it travels in the closure.

    Args:
        side: whose rows are solved.
        matrix: arrays of `als_slices.Problem`.
        source: those of `als_slices.Source`.
        before: `factors` of this side in the axes before; None: begin from 0.
        cuts: where each task's rows begin, and where the last one's end.
        form: the normal equations.
        steps: steps per row; None: to the end, in float64.
    """

    side: str
    matrix: NodeArrays
    source: NodeArrays
    before: NodeArrays | None
    cuts: Array
    form: Form
    steps: int | None

    def slices(self, tasks: Iterable[int]) -> Iterator[tuple[int, bytes, bytes]]:
        """The rows of some tasks: first row, factors (float32) and losses (float64) of each slice."""
        matrix, source = self.matrix.load(), Source(**self.source.load())
        before = None if self.before is None else self.before.load()["factors"]
        for task in tasks:
            for first, last in spans(self.cuts[task], self.cuts[task + 1], source.factors):
                nothing = np.zeros((last - first, len(source.axes)), source.axes.dtype)
                start = nothing if before is None else turned(before[first:last], source.axes)
                factors, losses = solved_slice(matrix, self.side, first, start, source, self.form, self.steps)
                yield first, factors.astype("<f4", copy=False).tobytes(), losses.astype("<f8", copy=False).tobytes()


def fit_by_rounds(spark: SparkSession, problem: Problem, settings: Als) -> tuple[Array, Array, list[float]]:
    """Fit, the driver handing on what each half-step gave.

    Args:
        spark: the session.
        problem: what to fit.
        settings: of the algorithm.

    Returns:
        The factors of persons and items (float32), and the loss after each iteration.

    Cost:
        Two jobs an iteration. In each the factors of one side go to every node, those of the other come back.
    """
    from threadpoolctl import threadpool_limits

    rounds = _Rounds(spark, problem, settings)
    try:
        # The driver's products are small: on several threads they would wait for each other longer than they take.
        with threadpool_limits(1, "blas"):
            losses = [rounds.iterate(last=step == settings.iterations) for step in range(1, settings.iterations + 1)]
    finally:
        rounds.release()
    return rounds.factors[PERSON], rounds.factors[ITEM], losses


class _Rounds:
    """A fit under way; `laid` is what the nodes have of a side: as it was when the other was last solved from it."""

    def __init__(self, spark: SparkSession, problem: Problem, settings: Als) -> None:
        self.spark, self.lengths, self.settings = spark, problem.lengths, settings
        # One task per core: to begin one costs more than evening out gains.
        tasks = spark.sparkContext.defaultParallelism
        self.cuts = {side: cuts_of(lengths, settings.rank, tasks) for side, lengths in problem.lengths.items()}
        nothing = np.zeros((len(problem.lengths[ITEM]), settings.rank), np.float32)
        self.factors = {PERSON: problem.first, ITEM: nothing}
        self.laid: dict[str, NodeArrays] = {}
        self.matrix = put_on_nodes(spark, problem.arrays)

    def release(self) -> None:
        for laid in (self.matrix, *self.laid.values()):
            laid.release()

    def iterate(self, last: bool) -> float:
        """Solve the items, then the persons (to the end in the last iteration); gives the loss."""
        self._half_step(PERSON, ITEM, exact=False)
        parts = self._half_step(ITEM, PERSON, exact=last)
        return whole_loss(parts, self.factors[ITEM], self.lengths[ITEM], Form.of(self.settings))

    def _half_step(self, source: str, target: str, exact: bool) -> Array:
        """Solve the target from the source; gives each row's part of the loss."""
        spectrum, axes = principal_axes(self.factors[source], self.settings.implicit)
        self.factors[source] = turned(self.factors[source], axes.astype(np.float32))
        kind = np.float64 if exact else np.float32
        arrays = {"factors": self.factors[source], "spectrum": spectrum, "axes": axes}
        before = self.laid.get(source)
        laid = put_on_nodes(self.spark, {name: array.astype(kind, copy=False) for name, array in arrays.items()})
        self.laid[source] = laid
        if before is not None:
            before.release()
        steps = None if exact else self.settings.cg_steps
        form, cuts = Form.of(self.settings), self.cuts[target]
        step = HalfStep(target, self.matrix, laid, self.laid.get(target), cuts, form, steps)
        self.factors[target], losses = _gathered(self.spark, step, len(self.lengths[target]), self.settings.rank)
        return losses


def _gathered(spark: SparkSession, step: HalfStep, row_count: int, rank: int) -> tuple[Array, Array]:
    """Run a half-step: the factors (float32), and each row's part of the loss.

    A bare job: a frame of the same tasks takes twice as long, most of it planning, and a fit is all such jobs.
    """
    tasks = len(step.cuts) - 1
    slices = spark.sparkContext.parallelize(range(tasks), tasks).mapPartitions(step.slices).collect()
    factors, losses = np.empty((row_count, rank), np.float32), np.empty(row_count)
    for first, values, part in slices:
        mine = slice(first, first + len(part) // 8)
        factors[mine] = np.frombuffer(values, "<f4").reshape(-1, rank)
        losses[mine] = np.frombuffer(part, "<f8")
    return factors, losses
