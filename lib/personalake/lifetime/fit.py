"""Maximum likelihood over a table of distinct histories: on the driver where it is small, else by a job a step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel
from scipy.optimize import minimize

Vector = NDArray[np.float64]
Loss = Callable[[Vector, Vector], Vector]

PERSON_COUNT = "person_count"
BOUND = 1e6
SOUND = (1e-4, 1e5)
"""A parameter outside runs away: it would go on for as long as it is let, and the data do not say where to."""


@dataclass(frozen=True)
class Likelihood:
    """What is made most likely.

    Args:
        names: of the parameters, all > 0.
        columns: of the table; `person_count` stands after them.
        loss: logarithms of parameters and rows → negative log-likelihood and gradient, summed over the rows.
        scaled: columns that are divided by the scale before the fit: what has a unit of its own.
        unit: the parameter in that unit; `''` where none is.
        settled: what becomes of parameters, by name, that run away to where the model still is one.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    loss: Loss
    scaled: tuple[str, ...]
    unit: str
    settled: Callable[[dict[str, float]], dict[str, float]] = dict


@dataclass(frozen=True)
class Fit:
    """What a fit found; without parameters where it found nothing, and then why.

    Args:
        parameters: name to value; empty where there are none.
        log_likelihood: at these parameters, in the units of the table.
        person_count: persons it rests on.
        reason: why there are no parameters, in words; `''` where there are.
    """

    parameters: dict[str, float]
    log_likelihood: float | None
    person_count: int
    reason: str = ""

    @property
    def vector(self) -> Vector:
        """The parameters in order."""
        return np.array(list(self.parameters.values()), dtype=np.float64)


def fit_likelihood(table: DataFrame, likelihood: Likelihood, scale: float, fit_rows: int) -> Fit:
    """Find the parameters under which the histories are likeliest, by L-BFGS-B on their logarithms.

    The rows are summed in an order of their own, so partitioning changes nothing.

    Args:
        table: the likelihood's columns and person_count, all double.
        likelihood: what is made most likely.
        scale: what the scaled columns are divided by, > 0; the answer does not depend on it but for the last digits.
        fit_rows: with more rows than this the sums are made by Spark.

    Cost:
        One job that brings at most fit_rows + 1 rows to the driver; where there are more, a count and one small job a
        step (some twenty to sixty) on rows that stay cached until the end.
    """
    units = np.array([scale if c in likelihood.scaled else 1.0 for c in (*likelihood.columns, PERSON_COUNT)])
    head = _matrix(table.select(*likelihood.columns, PERSON_COUNT).limit(fit_rows + 1).toArrow())
    if len(head) <= fit_rows:
        rows = _in_order(head) / units
        return _found(likelihood, lambda at: likelihood.loss(at, rows), scale, int(head[:, -1].sum()))
    counts = table.agg(F.count(F.lit(1)), F.sum(PERSON_COUNT)).head(1)[0]
    row_count, person_count = int(counts[0]), int(counts[1])
    columns = list(likelihood.columns)
    parts = table.repartition(-(-row_count // fit_rows), *columns).sortWithinPartitions(*columns)
    parts = parts.select(*columns, PERSON_COUNT).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        return _found(likelihood, lambda at: _summed(parts, likelihood.loss, at, units), scale, person_count)
    finally:
        parts.unpersist()


def _found(likelihood: Likelihood, total: Callable[[Vector], Vector], scale: float, person_count: int) -> Fit:
    """Where the mean loss is least; no parameters where one of them runs away or the slope does not come to nothing."""

    def mean(at: Vector) -> tuple[float, Vector]:
        sums = total(at) / person_count
        return float(sums[0]), sums[1:]

    reach = math.log(BOUND)
    start = np.zeros(len(likelihood.names))
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 1000, "maxfun": 2000}
    found = minimize(mean, start, jac=True, method="L-BFGS-B", bounds=[(-reach, reach)] * len(start), options=options)
    parameters = likelihood.settled({name: math.exp(at) for name, at in zip(likelihood.names, found.x, strict=True)})
    away = [name for name, value in parameters.items() if not SOUND[0] <= value <= SOUND[1]]
    slope = float(np.abs(found.jac).max())
    if away or not np.isfinite(found.fun) or slope > 1e-5:
        why = f"{' and '.join(away)} ran away" if away else f"no rest within {found.nit} steps"
        return Fit({}, None, person_count, f"the fit did not settle: {why}")
    if likelihood.unit:
        parameters[likelihood.unit] *= scale
    # Rounded to what the slope's end allows, because the order of a float sum must not show.
    told = {name: float(f"{value:.6g}") for name, value in parameters.items()}
    # Each scaled column is a density's argument: a smaller unit makes the density larger.
    in_units = -float(found.fun) - len(likelihood.scaled) * math.log(scale)
    return Fit(told, round(in_units * person_count, 3), person_count)


def _summed(parts: DataFrame, loss: Loss, at: Vector, units: Vector) -> Vector:
    """The loss over rows that lie in Spark: one row of sums a partition, added exactly."""

    def sums(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        told = [loss(at, _matrix(batch) / units) for batch in batches if batch.num_rows]
        if told:
            yield pa.RecordBatch.from_arrays([pa.array([_added(told)], pa.list_(pa.float64()))], ["sums"])

    found = parts.mapInArrow(sums, "sums array<double>").toArrow()
    return np.array(_added([np.array(row) for row in found.column("sums").to_pylist()]))


def _added(rows: list[Vector]) -> list[float]:
    return [math.fsum(column) for column in zip(*rows, strict=True)]


def _matrix(rows: pa.Table | pa.RecordBatch) -> Vector:
    """Columns of doubles, beside each other."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_batches([rows])
    return np.column_stack([column.to_numpy() for column in table.columns]).astype(np.float64)


def _in_order(rows: Vector) -> Vector:
    return rows[np.lexsort(rows.T[::-1])]
