"""One method of implicit ALS and everybody's top 100, in a process of its own: python als_methods.py METHOD SET.

Prints one JSON line. Seconds: session start; a fit in a fresh session and a warm one, reading included; an iteration;
the lists, written as Parquet.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from scipy import sparse
from workloads import workload

Array = npt.NDArray[Any]
RANK, ITERATIONS, REGULARISATION, ALPHA, LIMIT, SEED = 64, 10, 0.01, 1.0, 100, 1
WARM_RUNS, ENOUGH = 3, 60.0
_BLOCK = 2**18


def seconds_of(work: Callable[[], Any]) -> tuple[float, Any]:
    """How long it takes, and what it gives."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def first_and_warm(work: Callable[[], Any], runs: int) -> tuple[float, float]:
    """How long the first run takes, and the median of some more; of what takes over a minute one run is enough."""
    first = seconds_of(work)[0]
    return first, first if first > ENOUGH else median(seconds_of(work)[0] for _ in range(runs))


def spark_session() -> tuple[float, Any]:
    """A session like the product's own."""
    from personalake.settings import Spark
    from personalake.store.session import open_session

    return seconds_of(lambda: open_session(Spark(shuffle_partitions=8, driver_memory="4g"), app="bench"))


def cg(name: str) -> dict[str, Any]:
    """The product, engine cg."""
    from personalake.recommend import Als

    folder = workload(name)
    session, spark = spark_session()

    def fit(iterations: int) -> Any:
        form = {"regularisation": REGULARISATION, "alpha": ALPHA, "seed": SEED}
        algorithm = Als(engine="cg", rank=RANK, iterations=iterations, **form)
        return algorithm.fit(spark.read.parquet(str(folder)), check=False)

    cold, fitted = seconds_of(lambda: fit(ITERATIONS))
    runs = 1 if cold > ENOUGH else WARM_RUNS
    whole, one = (median(seconds_of(lambda n=n: fit(n))[0] for _ in range(runs)) for n in (ITERATIONS, 1))
    persons = fitted.interactions.select("person_id").distinct()
    out = str(folder.parent / "out")

    def lists() -> None:
        fitted.packed_candidates(persons, LIMIT).write.mode("overwrite").parquet(out)

    lists_cold, lists_warm = first_and_warm(lists, WARM_RUNS)
    frames = ((fitted.person_factors, "person_id"), (fitted.item_factors, "item_id"))
    loss = loss_of(name, *(factors_of(frame, key, "factors") for frame, key in frames))
    spark.stop()
    return {
        "session_seconds": session,
        "fit_cold_seconds": cold,
        "fit_seconds": whole,
        "iteration_seconds": (whole - one) / (ITERATIONS - 1),
        "lists_cold_seconds": lists_cold,
        "lists_seconds": lists_warm,
        "loss": loss,
    }


def mllib(name: str) -> dict[str, Any]:
    """MLlib as it comes: its lists do not leave out what was seen. It takes minutes, so one run of each is enough."""
    from pyspark.ml.recommendation import ALS

    folder = workload(name)
    session, spark = spark_session()

    def fit(iterations: int) -> Any:
        columns = {"userCol": "person_id", "itemCol": "item_id", "ratingCol": "weight"}
        form = {"implicitPrefs": True, "regParam": REGULARISATION, "alpha": ALPHA, "seed": SEED}
        algorithm = ALS(rank=RANK, maxIter=iterations, checkpointInterval=-1, **columns, **form)
        rows = spark.read.parquet(str(folder)).selectExpr("int(person_id)", "int(item_id)", "float(weight)")
        model = algorithm.fit(rows)
        for frame in (model.userFactors, model.itemFactors):
            frame.count()
        return model

    cold, model = seconds_of(lambda: fit(ITERATIONS))
    some, one = (seconds_of(lambda n=n: fit(n))[0] for n in (4, 1))
    out = str(folder.parent / "out")
    lists = seconds_of(lambda: model.recommendForAllUsers(LIMIT).write.mode("overwrite").parquet(out))[0]
    loss = loss_of(name, *(factors_of(frame, "id", "features") for frame in (model.userFactors, model.itemFactors)))
    spark.stop()
    iteration = (some - one) / 3
    return {
        "session_seconds": session,
        "fit_cold_seconds": cold,
        "fit_seconds": one + (ITERATIONS - 1) * iteration,
        "iteration_seconds": iteration,
        "lists_cold_seconds": lists,
        "lists_seconds": lists,
        "loss": loss,
    }


def implicit(name: str) -> dict[str, Any]:
    """The C++ of implicit on both cores; its lists leave out what was seen, and are not written."""
    import threadpoolctl
    from implicit.als import AlternatingLeastSquares

    threadpoolctl.threadpool_limits(1, "blas")
    marks: list[float] = []

    def fit() -> Any:
        model = AlternatingLeastSquares(
            factors=RANK, iterations=ITERATIONS, regularization=REGULARISATION, alpha=ALPHA, random_state=SEED
        )
        confidence = matrix_of(name)
        confidence.data = (ALPHA * confidence.data + 1.0).astype(np.float32)
        model.fit(confidence, show_progress=False, callback=lambda _step, seconds, _loss: marks.append(seconds))
        return model, confidence

    cold, (model, seen) = seconds_of(fit)
    marks.clear()
    warm = seconds_of(fit)[0]

    def lists() -> None:
        for start in range(0, seen.shape[0], 20_000):
            some = np.arange(start, min(start + 20_000, seen.shape[0]))
            model.recommend(some, seen[some], N=LIMIT, filter_already_liked_items=True)

    lists_cold, lists_warm = first_and_warm(lists, 1)
    return {
        "fit_cold_seconds": cold,
        "fit_seconds": warm,
        "iteration_seconds": median(marks),
        "lists_cold_seconds": lists_cold,
        "lists_seconds": lists_warm,
        "loss": loss_of(name, model.user_factors, model.item_factors),
    }


def matrix_of(name: str) -> sparse.csr_matrix:
    """The workload as persons × items."""
    table = pq.read_table(workload(name))
    persons, items, weights = (table[column].to_numpy() for column in ("person_id", "item_id", "weight"))
    return sparse.csr_matrix((weights, (persons, items)))


def factors_of(frame: Any, key: str, column: str) -> Array:
    """Factors as a matrix whose rows are the integer ids."""
    table = frame.select(key, column).toArrow()
    flat = table[column].combine_chunks().flatten().to_numpy().reshape(table.num_rows, RANK)
    factors = np.zeros((int(table[key].to_numpy().max()) + 1, RANK))
    factors[table[key].to_numpy()] = flat
    return factors


def loss_of(name: str, persons: Array, items: Array) -> float:
    """Hu, Koren, Volinsky's loss over all cells, with MLlib's ridge, which is scaled by the lengths of histories."""
    matrix = matrix_of(name).tocoo()
    persons, items = persons.astype(np.float64), items.astype(np.float64)
    total = float(((persons.T @ persons) * (items.T @ items)).sum())
    for start in range(0, matrix.nnz, _BLOCK):
        part = slice(start, start + _BLOCK)
        mine, theirs = persons[matrix.row[part]], items[matrix.col[part]]
        scores = np.einsum("ij,ij->i", mine, theirs)
        total += float(((1.0 + ALPHA * matrix.data[part]) * (1.0 - scores) ** 2 - scores**2).sum())
        total += REGULARISATION * float((mine**2).sum() + (theirs**2).sum())
    return total


if __name__ == "__main__":
    methods = {"cg": cg, "mllib": mllib, "implicit": implicit}
    print(json.dumps(methods[sys.argv[1]](sys.argv[2])))
