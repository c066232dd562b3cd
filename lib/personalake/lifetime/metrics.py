"""What of the models is kept in model_metrics."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.lifetime.fit import Fit
from personalake.lifetime.model import FittedLifetime
from personalake.tables.evaluate import MODEL_METRICS

STAGE = "profiles"


def lifetime_metrics(spark: SparkSession, fitted: FittedLifetime, as_of: date) -> DataFrame:
    """The parameters and the log-likelihood of each model that has any: a handful of rows.

    Args:
        spark: the session.
        fitted: what `fit_lifetime` found.
        as_of: the day.

    Returns:
        Columns of MODEL_METRICS without run_id: metric is the parameter's name, or log_likelihood.
    """
    rows = [
        row for model, fit in (("bg_nbd", fitted.purchases), ("gamma_gamma", fitted.spend))
        for row in _rows(model, fit, as_of)
    ]  # fmt: skip
    return spark.createDataFrame(rows, MODEL_METRICS.row_schema)


def _rows(model: str, fit: Fit, as_of: date) -> list[tuple[object, ...]]:
    values = {**fit.parameters, "log_likelihood": fit.log_likelihood} if fit.parameters else {}
    return [
        (STAGE, as_of, model, metric, 0, 0, "all", value, None, None, fit.person_count)
        for metric, value in values.items()
    ]


def calibration_metrics(calibration: DataFrame, as_of: date) -> DataFrame:
    """Rows of `calibration_by_frequency` as metrics expected_orders and actual_orders, step = repeat purchases.

    Args:
        calibration: what `calibration_by_frequency` gives.
        as_of: the day.

    Returns:
        Columns of MODEL_METRICS without run_id.
    """
    pairs = [
        F.struct(F.lit(name).alias("metric"), F.col(name).alias("value"))
        for name in ("expected_orders", "actual_orders")
    ]
    rows = calibration.withColumn("_told", F.explode(F.array(*pairs)))
    values = {
        "stage": F.lit(STAGE),
        "as_of_date": F.lit(as_of),
        "model": F.lit("bg_nbd"),
        "metric": F.col("_told.metric"),
        "k": F.lit(0),
        "step": F.col("repeat_count"),
        "audience": F.lit("all"),
        "value": F.col("_told.value"),
        "interval_low": F.lit(None).cast("double"),
        "interval_high": F.lit(None).cast("double"),
        "person_count": F.col("person_count"),
    }
    return rows.select(*[values[c.name].alias(c.name) for c in MODEL_METRICS.cols])
