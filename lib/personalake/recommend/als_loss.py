"""What ALS makes small: the squared error of its scores, weighted by confidence, and the ridge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.recommend.als_arrow import ItemFactors, factor_matrix, histories_by_person, ragged
from personalake.recommend.als_solve import Form, gram_of
from personalake.recommend.ragged import Doubles, Ragged

_BLOCK = 2**17


def losses_by_step(spark: SparkSession, losses: Iterable[tuple[int, float]]) -> DataFrame:
    """The losses of a fit.

    Args:
        spark: the session.
        losses: iteration (from 1) and the loss after it.

    Returns:
        step (int), loss (double).
    """
    return spark.createDataFrame(list(losses), "step int, loss double")


def als_loss(
    interactions: DataFrame, person_factors: DataFrame, item_factors: DataFrame, items: ItemFactors, form: Form
) -> float:
    """The loss of given factors, in float64.

    Implicit: Σ over all persons and items of c (p - x·y)², where a pair of the interactions has p = 1 and
    c = 1 + α weight, and any other p = 0 and c = 1 (Hu, Koren, Volinsky 2008; all cells by the Gram matrices);
    explicit: Σ over the pairs of (weight - x·y)². To both λ (Σ n |x|² + Σ n |y|²) is added, n the length of a history.

    Args:
        interactions: one row per pair; reads person_id, item_id, weight.
        person_factors: person_id, factors.
        item_factors: item_id, item_index, factors.
        items: what `als_arrow.collected_items` gave of them.
        form: regularisation, alpha, whether implicit.

    Returns:
        The loss; the last digits depend on the order in which partial sums arrive.

    Cost:
        One job: a shuffle of the interactions by person, and a join with their factors.
    """
    histories = histories_by_person(interactions, item_factors)
    known = histories.join(person_factors, on="person_id", how="inner").select("factors", "indexes", "weights")
    gram = gram_of(items.factors)

    def parts(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            weights = batch["weights"].flatten().to_numpy(zero_copy_only=False)
            loss = _loss(factor_matrix(batch["factors"]), items.factors, gram, ragged(batch["indexes"]), weights, form)
            yield pa.RecordBatch.from_arrays([pa.array([loss])], names=["loss"])

    total = known.mapInArrow(parts, "loss double").agg(F.coalesce(F.sum("loss"), F.lit(0.0))).first()
    return float(total[0]) if total is not None else 0.0


def _loss(persons: Doubles, items: Doubles, gram: Doubles, rows: Ragged, weights: Doubles, form: Form) -> float:
    lengths = np.diff(rows.offsets)
    person_of = np.repeat(np.arange(len(lengths)), lengths)
    total = form.regularisation * float(lengths @ (persons**2).sum(axis=1))
    if form.implicit:
        total += float(((persons @ gram) * persons).sum())
    for start in range(0, len(weights), _BLOCK):
        part = slice(start, start + _BLOCK)
        mine = items[rows.values[part]]
        scores = np.einsum("ij,ij->i", persons[person_of[part]], mine)
        if form.implicit:
            error = (1.0 + form.alpha * weights[part]) * (1.0 - scores) ** 2 - scores**2
        else:
            error = (weights[part] - scores) ** 2
        total += float(error.sum() + form.regularisation * (mine**2).sum())
    return total
