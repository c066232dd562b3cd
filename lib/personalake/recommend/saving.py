"""Fitted models on disk: a Parquet folder per frame, and settings whose presence says that the model is whole."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault

SETTINGS_FILE = "settings.json"


def frame_names(fitted: type[Any]) -> list[str]:
    """The fields of a fitted model that are frames."""
    return [field.name for field in dataclasses.fields(fitted) if field.type in ("DataFrame", DataFrame)]


def frames_of(fitted: Any) -> dict[str, DataFrame]:
    """The frames of a fitted model by name."""
    return {name: getattr(fitted, name) for name in frame_names(type(fitted))}


def saved(spark: SparkSession, path: str | Path, settings: Mapping[str, Any], frames: Mapping[str, DataFrame]) -> None:
    """Write a model; what lies there is replaced.

    Args:
        spark: the session that writes.
        path: folder or URI.
        settings: of the algorithm, `kind` among them; written last.
        frames: by name.
    """
    for name, frame in frames.items():
        frame.write.mode("overwrite").parquet(f"{path}/{name}")
    row = spark.range(1, numPartitions=1).select(F.lit(json.dumps(settings, sort_keys=True)).alias("value"))
    row.write.mode("overwrite").text(f"{path}/{SETTINGS_FILE}")


def loaded(
    path: str | Path, kind: str, names: Iterable[str], reader: str, spark: SparkSession | None
) -> tuple[str, dict[str, DataFrame]]:
    """Read what `saved` wrote.

    Args:
        path: folder or URI.
        kind: of the algorithm that reads.
        names: of its frames.
        reader: what to call it in a fault.
        spark: the session to read with; None: the active one.

    Returns:
        The settings as JSON; the frames by name.

    Raises:
        ConfigError: there is no session, or another kind of model lies there.
    """
    session = spark or SparkSession.getActiveSession()
    if session is None:
        raise ConfigError(Fault(f"{reader}.load", "finds no Spark session.", "Open one, or hand it in."))
    text = session.read.text(f"{path}/{SETTINGS_FILE}").collect()[0]["value"]
    found = json.loads(text).get("kind")
    if found != kind:
        raise ConfigError(Fault(str(path), f"holds a model of kind {found}.", f"{reader} cannot read it."))
    return text, {name: session.read.parquet(f"{path}/{name}") for name in names}
