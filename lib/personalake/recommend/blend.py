"""Several algorithms' candidates as one list per person."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Literal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault, near_miss
from personalake.recommend.checks import PAIR, check_limit, column_faults
from personalake.recommend.top import rounded, top_candidates

Method = Literal["reciprocal_rank", "weighted_score"]
METHODS = ("reciprocal_rank", "weighted_score")
RANK_CONSTANT = 60


def blend(
    candidates: Mapping[str, DataFrame],
    weights: Mapping[str, float] | None = None,
    method: Method = "reciprocal_rank",
    limit: int = 100,
) -> DataFrame:
    """Blend the candidates of several algorithms.

    reciprocal_rank: Σ weight / (60 + rank), Cormack, Clarke, Büttcher 2009; heeds ranks only, so scales do not matter.
    weighted_score: Σ weight × score / best score of that person and algorithm; a score below 0 counts 0.

    Args:
        candidates: by the algorithm's name: person_id, item_id, score, candidate_rank.
        weights: by name, ≥ 0; an algorithm not named counts 1, one at 0 is left out.
        method: how shares are reckoned.
        limit: list length, ≥ 1.

    Returns:
        person_id, item_id, score, candidate_rank (from 1), source (the name with the largest share; of equals the
        first in `candidates`).

    Raises:
        ConfigError: nothing to blend, an unknown name or method, a negative weight, a missing column; all at once.

    Cost:
        A shuffle by pair and one by person; weighted_score sorts each algorithm's lists besides.
    """
    check_limit(limit)
    given = dict(weights or {})
    _check(candidates, given, method)
    parts = [
        frame.select(*PAIR, _share(method, given.get(name, 1.0)).alias("_share"), F.lit(place).alias("_place"))
        for place, (name, frame) in enumerate(candidates.items())
        if given.get(name, 1.0) > 0
    ]
    shares = reduce(DataFrame.unionByName, parts)
    names = F.array(*(F.lit(name) for name in candidates))
    largest = F.max(F.struct("_share", (-F.col("_place")).alias("_before"))).alias("_largest")
    blended = shares.groupBy(*PAIR).agg(rounded(F.sum("_share")).alias("score"), largest)
    source = F.get(names, -F.col("_largest._before"))
    return top_candidates(blended.withColumn("source", source), limit, "source")


def _share(method: str, weight: float) -> Column:
    if method == "reciprocal_rank":
        return F.lit(float(weight)) / (F.lit(float(RANK_CONSTANT)) + F.col("candidate_rank"))
    best = F.max("score").over(Window.partitionBy("person_id"))
    return F.when(F.col("score") > 0, F.lit(float(weight)) * F.col("score") / best).otherwise(F.lit(0.0))


def _check(candidates: Mapping[str, DataFrame], weights: dict[str, float], method: str) -> None:
    faults = [] if method in METHODS else [Fault("blend.method", f"is {method}.", near_miss(method, METHODS))]
    for name, weight in weights.items():
        if name not in candidates:
            text = "is the weight of no algorithm given."
            faults.append(Fault(f"blend.weights.{name}", text, near_miss(name, candidates)))
        elif not 0 <= weight < float("inf"):
            faults.append(Fault(f"blend.weights.{name}", f"is {weight}.", "Give a number from 0."))
    if not any(weights.get(name, 1.0) > 0 for name in candidates):
        faults.append(Fault("blend", "has no algorithm with a weight above 0.", "Name at least one."))
    for name, frame in candidates.items():
        faults += column_faults(frame, (*PAIR, "score", "candidate_rank"), f"candidates of {name}")
    if faults:
        raise ConfigError(*faults)
