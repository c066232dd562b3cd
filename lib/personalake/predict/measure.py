"""How good predictions are: AUC, precision and lift of the likeliest tenths, calibration."""

from __future__ import annotations

import math
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.predict.labels import LABEL
from personalake.predict.tenths import with_decile

STAGE = "predict"
Metric = tuple[object, ...]


def measured(scored: DataFrame, as_of: date, model: str, target: str) -> list[Metric]:
    """The quality of probabilities against what came.

    Args:
        scored: person_id, probability, label; put down: it is read some four times.
        as_of: the day of the run.
        model: name of the model.
        target: name of the target, kept as audience.

    Returns:
        Rows in the columns of MODEL_METRICS, none where the persons all gave one answer: auc (with its 95 % interval),
        positive_share; precision and lift at k = 1 … 10 likeliest tenths; expected_share and actual_share at step = 1 …
        10, the tenths one by one.

    Cost:
        Two jobs of MLlib's evaluator, and one that brings ten rows.
    """
    tenths = (
        with_decile(scored)
        .groupBy("decile")
        .agg(
            F.count(F.lit(1)).alias("persons"),
            F.sum(LABEL).alias("positives"),
            F.round(F.avg("probability"), 9).alias("expected"),
        )
    )
    rows = sorted((row["decile"], row["persons"], row["positives"], row["expected"]) for row in tenths.collect())
    persons, positives = sum(row[1] for row in rows), sum(row[2] for row in rows)
    if not 0 < positives < persons:
        return []
    share = positives / persons
    auc = _auc(scored)
    reach = 1.96 * auc_deviation(auc, int(positives), int(persons - positives))

    def metric(name: str, value: float, count: int, k: int = 0, step: int = 0) -> Metric:
        low, high = (max(0.0, auc - reach), min(1.0, auc + reach)) if name == "auc" else (None, None)
        return (STAGE, as_of, model, name, k, step, target, value, low, high, count)

    told = [metric("auc", auc, persons), metric("positive_share", share, persons)]
    seen, found = 0, 0.0
    for decile, count, yes, expected in rows:
        seen, found = seen + count, found + yes
        told += [
            metric("precision", found / seen, seen, k=decile),
            metric("lift", found / seen / share, seen, k=decile),
            metric("expected_share", expected, count, step=decile),
            metric("actual_share", yes / count, count, step=decile),
        ]
    return told


def auc_deviation(auc: float, positives: int, negatives: int) -> float:
    """Standard deviation of an AUC (Hanley and McNeil, 1982).

    Args:
        auc: the area.
        positives: persons who say yes, ≥ 1.
        negatives: persons who say no, ≥ 1.
    """
    two_yes, two_no = auc / (2 - auc), 2 * auc * auc / (1 + auc)
    spread = auc * (1 - auc) + (positives - 1) * (two_yes - auc * auc) + (negatives - 1) * (two_no - auc * auc)
    return math.sqrt(max(0.0, spread) / (positives * negatives))


def _auc(scored: DataFrame) -> float:
    from pyspark.ml.evaluation import BinaryClassificationEvaluator

    # No bins: the curve has every distinct probability, so the area is exact.
    evaluator = BinaryClassificationEvaluator(rawPredictionCol="probability", labelCol=LABEL, numBins=0)
    return round(float(evaluator.evaluate(scored)), 9)
