"""What is published of persons: rows of predictions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.predict.tenths import with_decile
from personalake.tables.predictions import PREDICTIONS

_DECIMALS = 9


def yes_or_no(scored: DataFrame, as_of: date, model: str, target: str, version: str) -> DataFrame:
    """Rows of PREDICTIONS, without run_id, from probabilities of yes.

    Args:
        scored: person_id, probability; put down.
        as_of: the day.
        model: name of the model.
        target: name of the target.
        version: what the model was made from.
    """
    value = F.when(F.col("probability") >= 0.5, 1.0).otherwise(0.0)
    rows = with_decile(scored.select("person_id", "probability"))
    return _rows(
        rows.withColumns({"value": value, "value_text": F.lit(None).cast("string")}), as_of, model, target, version
    )


def likeliest_class(
    scored: Mapping[str, DataFrame], classes: tuple[str, ...], as_of: date, model: str, target: str, version: str
) -> DataFrame:
    """Rows of PREDICTIONS, without run_id: each person's likeliest class, one model against the rest a class.

    Args:
        scored: class to person_id, probability; of two classes one is enough.
        classes: all of them, sorted; of equally likely ones the first is taken.
        as_of: the day.
        model: name of the model.
        target: name of the target.
        version: what the models were made from.

    Cost:
        A shuffle by person of one row a class.
    """
    parts = [frame.select("person_id", F.lit(name).alias("_class"), "probability") for name, frame in scored.items()]
    rest = [name for name in classes if name not in scored]
    if rest:
        (name,), (frame,) = rest, scored.values()
        parts.append(
            frame.select("person_id", F.lit(name).alias("_class"), (1 - F.col("probability")).alias("probability"))
        )
    rows = (
        reduce(DataFrame.unionByName, parts)
        .groupBy("person_id")
        .agg(
            F.min_by("_class", F.struct(-F.col("probability"), "_class")).alias("value_text"),
            F.max("probability").alias("_best"),
            F.sum("probability").alias("_all"),
        )
    )
    probability = F.coalesce(F.try_divide(F.col("_best"), F.col("_all")), F.lit(1.0 / len(classes)))
    told = {"probability": probability, "value": F.lit(None).cast("double"), "decile": F.lit(None).cast("int")}
    return _rows(rows.withColumns(told), as_of, model, target, version)


def _rows(rows: DataFrame, as_of: date, model: str, target: str, version: str) -> DataFrame:
    named = rows.withColumns(
        {
            "as_of_date": F.lit(as_of),
            "model": F.lit(model),
            "target": F.lit(target),
            "probability": F.round("probability", _DECIMALS),
            "model_version": F.lit(version),
        }
    )
    return named.select(*[c.name for c in PREDICTIONS.cols])
