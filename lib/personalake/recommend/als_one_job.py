"""The engine cg where all tasks run on one machine: a whole fit is one job, its tasks meet between the half-steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from personalake.recommend.als_solve import Form, gram_cuts, principal_axes_of
from personalake.recommend.meeting import MeetingPlace, meeting_place
from personalake.recommend.node_arrays import NodeArrays, put_on_nodes, scratch_folder

if TYPE_CHECKING:
    from personalake.recommend.als import Als

Array = npt.NDArray[Any]


def fit_in_one_job(spark: SparkSession, problem: Problem, settings: Als) -> tuple[Array, Array, list[float]]:
    """Fit by tasks that share the factors: what each writes the others read from the same memory.

    Args:
        spark: a session in local mode.
        problem: what to fit.
        settings: of the algorithm.

    Returns:
        What `als_rounds.fit_by_rounds` gives, to the last bit.

    Cost:
        One job of a task per core, which begin together and wait for each other three times a half-step; nothing
        passes through the driver.
    """
    tasks = _slots(spark)
    cuts = {side: cuts_of(lengths, settings.rank, tasks) for side, lengths in problem.lengths.items()}
    matrix, shared = put_on_nodes(spark, problem.arrays), put_on_nodes(spark, _shared(problem, settings.rank))
    try:
        plan = Plan(tasks, cuts, Form.of(settings), settings.cg_steps, settings.iterations)
        with meeting_place(scratch_folder(spark), tasks) as place:
            together = Together(matrix, shared, plan, place)
            # A barrier stage: its tasks begin together or not at all.
            losses = spark.sparkContext.parallelize(range(tasks), tasks).barrier().mapPartitions(together.fit).collect()
        found = shared.load()
        return np.array(found[PERSON]), np.array(found[ITEM]), losses
    finally:
        matrix.release()
        shared.release()


def _shared(problem: Problem, rank: int) -> dict[str, Array]:
    """The factors of both sides, the parts of their Gram matrices, and the persons' parts of the loss."""
    persons, items = (len(problem.lengths[side]) for side in (PERSON, ITEM))
    parts = {f"{side}_grams": (len(gram_cuts(count)), rank, rank) for side, count in ((PERSON, persons), (ITEM, items))}
    return {
        PERSON: problem.first,
        ITEM: np.zeros((items, rank), np.float32),
        **{name: np.zeros(shape, np.float32) for name, shape in parts.items()},
        "losses": np.zeros(persons),
    }


def _slots(spark: SparkSession) -> int:
    """How many tasks run at once; more would wait for ever for each other, and Spark refuses them."""
    cores = re.match(r"local\[(\d+|\*)", str(spark.sparkContext.master))
    if cores is None:
        return 1
    # `*` is what the JVM may use, which a container can make fewer than the machine has.
    jvm: Any = spark.sparkContext._jvm
    count = jvm.java.lang.Runtime.getRuntime().availableProcessors() if cores[1] == "*" else cores[1]
    return max(1, int(count) // int(str(spark.conf.get("spark.task.cpus", "1"))))


@dataclass(frozen=True)
class Plan:
    """Who solves what, and how: how many tasks, `cuts` of each side, form, steps per row, iterations."""

    tasks: int
    cuts: Mapping[str, Array]
    form: Form
    steps: int
    iterations: int


@dataclass(frozen=True)
class Together:
    """What a task needs to know: small, for it travels in the closure."""

    matrix: NodeArrays
    shared: NodeArrays
    plan: Plan
    place: MeetingPlace

    def fit(self, tasks: Iterable[int]) -> Iterator[float]:
        """Take part in a fit; the first task gives the losses."""
        from threadpoolctl import threadpool_limits

        for task in tasks:
            with threadpool_limits(1, "blas"), self.place.joined(task) as meet:
                mine = _Part(task, meet, self.matrix.load(), self.shared.load(writable=True), self.plan)
                for step in range(1, self.plan.iterations + 1):
                    mine.half_step(PERSON, ITEM, exact=False)
                    mine.half_step(ITEM, PERSON, exact=step == self.plan.iterations)
                    if task == 0:
                        yield mine.loss()


class _Part:
    """What one task does. Between two meetings nobody reads what another writes."""

    def __init__(
        self, task: int, meet: Callable[[], None], matrix: dict[str, Array], shared: dict[str, Array], plan: Plan
    ) -> None:
        self.task, self.meet, self.matrix, self.shared, self.plan = task, meet, matrix, shared, plan

    def half_step(self, source: str, target: str, exact: bool) -> None:
        """Solve this task's rows of the target."""
        kind, factors = np.float64 if exact else np.float32, self.shared[source]
        spectrum, axes = self._axes(source)
        first, last = self._rows(source)
        factors[first:last] = turned(factors[first:last], axes.astype(np.float32))
        self.meet()
        parts = (array.astype(kind, copy=False) for array in (factors, spectrum, axes))
        self._solve(target, Source(*parts), None if exact else self.plan.steps)
        self.meet()

    def loss(self) -> float:
        """The loss, after a meeting; the next one but one writes over what it is made of."""
        lengths = np.diff(self.matrix[f"{ITEM}_starts"])
        return whole_loss(self.shared["losses"], self.shared[ITEM], lengths, self.plan.form)

    def _axes(self, source: str) -> tuple[Array, Array]:
        """The source's axes, from Gram matrices of parts of it that each task makes some of."""
        grams, factors, implicit = self.shared[f"{source}_grams"], self.shared[source], self.plan.form.implicit
        for number, (first, last) in enumerate(gram_cuts(len(factors)) if implicit else ()):
            if number % self.plan.tasks == self.task:
                grams[number] = factors[first:last].T @ factors[first:last]
        self.meet()
        return principal_axes_of(grams, implicit)

    def _solve(self, side: str, source: Source, steps: int | None) -> None:
        for first, last in spans(*self._rows(side), source.factors):
            start = turned(self.shared[side][first:last], source.axes)
            factors, losses = solved_slice(self.matrix, side, first, start, source, self.plan.form, steps)
            self.shared[side][first:last] = factors
            if side == PERSON:
                self.shared["losses"][first:last] = losses

    def _rows(self, side: str) -> tuple[int, int]:
        cuts = self.plan.cuts[side]
        return (cuts[self.task], cuts[self.task + 1]) if self.task + 1 < len(cuts) else (0, 0)
