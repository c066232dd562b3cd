"""One half-step of the engine cg as one Spark job: rows dealt to tasks, slices of factors back to the driver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.sql import SparkSession

from personalake.recommend.als_solve import Form, solved_rows
from personalake.recommend.node_arrays import NodeArrays

Array = npt.NDArray[Any]
_SLICE_BYTES = 4 * 2**20
# Tasks and slices begin at such rows: the blocks that BLAS multiplies are the same however many there are.
_ALIGNED = 64


@dataclass(frozen=True)
class HalfStep:
    """What a task needs to know: small, for it travels in the closure.

    Args:
        side: whose rows are solved, person or item.
        matrix: `{side}_starts`, `{side}_columns`, `{side}_weights` of both sides.
        source: `factors` of the other side in axes in which their columns are orthogonal, the `spectrum` of their
            Gram matrix there, and these `axes` in terms of those before.
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
        matrix, source = self.matrix.load(), self.source.load()
        before = None if self.before is None else self.before.load()["factors"]
        height = max(1, _SLICE_BYTES // (source["factors"].itemsize * source["factors"].shape[1] * _ALIGNED)) * _ALIGNED
        for task in tasks:
            for first in range(self.cuts[task], self.cuts[task + 1], height):
                last = min(first + height, self.cuts[task + 1])
                rows = _rows(matrix, self.side, first, last)
                start = _start(before, first, last, source["axes"])
                factors, losses = solved_rows(rows, source["factors"], source["spectrum"], self.form, start, self.steps)
                yield first, factors.astype("<f4", copy=False).tobytes(), losses.astype("<f8", copy=False).tobytes()


def gathered(spark: SparkSession, step: HalfStep, row_count: int, rank: int) -> tuple[Array, Array]:
    """Run a half-step.

    A bare job: a frame of the same tasks takes twice as long, most of it planning, and a fit is all such jobs.

    Args:
        spark: the session.
        step: which one.
        row_count, rank: shape of the factors that are solved.

    Returns:
        The factors (float32), and each row's part of the loss.

    Cost:
        One job without a shuffle; the factors come back to the driver.
    """
    tasks = len(step.cuts) - 1
    slices = spark.sparkContext.parallelize(range(tasks), tasks).mapPartitions(step.slices).collect()
    factors, losses = np.empty((row_count, rank), np.float32), np.empty(row_count)
    for first, values, part in slices:
        mine = slice(first, first + len(part) // 8)
        factors[mine] = np.frombuffer(values, "<f4").reshape(-1, rank)
        losses[mine] = np.frombuffer(part, "<f8")
    return factors, losses


def cuts_of(lengths: Array, rank: int, tasks: int) -> Array:
    """Cut rows into consecutive parts of about equal work.

    Args:
        lengths: entries of each row.
        rank: length of a factor.
        tasks: most parts, ≥ 1.

    Returns:
        Where each part begins, and where the last one ends; multiples of 64 but for the end.
    """
    work = np.cumsum(lengths + rank // 8 + 1)
    wanted = np.searchsorted(work, work[-1] * np.arange(1, tasks) / tasks)
    return np.unique([0, *(wanted // _ALIGNED * _ALIGNED), len(lengths)])


def _rows(matrix: dict[str, Array], side: str, first: int, last: int) -> tuple[Array, Array, Array]:
    starts = matrix[f"{side}_starts"][first : last + 1]
    entries = slice(starts[0], starts[-1])
    return starts - starts[0], matrix[f"{side}_columns"][entries], matrix[f"{side}_weights"][entries]


def _start(before: Array | None, first: int, last: int, axes: Array) -> Array:
    """Where rows begin: at their factors of the iteration before, in the axes of now."""
    size = len(axes)
    if before is None:
        return np.zeros((last - first, size), axes.dtype)
    blocks = np.zeros((-(-(last - first) // _ALIGNED), _ALIGNED, size), axes.dtype)
    blocks.reshape(-1, size)[: last - first] = before[first:last]
    turned: Array = (blocks @ axes).reshape(-1, size)[: last - first]
    return turned
