"""How a fit came to its end: the rows of the stage recommend in model_metrics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.recommend.als import FittedAls
from personalake.recommend.model import Fitted
from personalake.tables.evaluate import MODEL_METRICS

LOSS = "loss"


def build_losses(fitted: Mapping[str, Fitted], as_of: date) -> DataFrame:
    """The loss after each iteration, of the algorithms that tell it.

    Args:
        fitted: by name, at least one; those without iterations add no rows.
        as_of: the day fitted for.

    Returns:
        The columns of model_metrics: stage = recommend, metric = loss, k = 0, step = iteration (from 1),
        audience = all, value; the interval and person_count are null.
    """
    spark = next(iter(fitted.values())).interactions.sparkSession
    known: dict[str, Column] = {
        "stage": F.lit("recommend"),
        "as_of_date": F.lit(as_of),
        "metric": F.lit(LOSS),
        "k": F.lit(0),
        "audience": F.lit("all"),
        "value": F.col(LOSS),
        "interval_low": F.lit(None).cast("double"),
        "interval_high": F.lit(None).cast("double"),
        "person_count": F.lit(None).cast("bigint"),
    }
    names = [c.name for c in MODEL_METRICS.cols]
    parts = [
        model.losses.withColumns({**known, "model": F.lit(name)}).select(*names)
        for name, model in fitted.items()
        if isinstance(model, FittedAls)
    ]
    return reduce(DataFrame.unionByName, parts) if parts else spark.createDataFrame([], MODEL_METRICS.row_schema)
