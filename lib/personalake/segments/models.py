"""Fits that are kept: as rows of SEGMENT_MODELS, and used again for persons of a later day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.segments.assign import persons_by_segment
from personalake.segments.fitted import FittedSegments
from personalake.segments.labels import labelled_rows
from personalake.segments.match import Past
from personalake.segments.settings import Segments
from personalake.tables.segments import SEGMENT_MODELS

_NOT_OF_THE_FIT = {"method", "also", "methods", "refit_days"}


def with_labels(fitted: FittedSegments, past: Past, as_of: date, settings: Segments) -> FittedSegments:
    """The fit with the ids and names that its segments get on the day it was made.

    Args:
        fitted: what `fit_segments` found.
        past: the runs before.
        as_of: the day of the fit.
        settings: match_distance.
    """
    named = labelled_rows(fitted, past, as_of, settings.match_distance)
    return fitted.labelled([it.label for it in named])


def model_rows(
    spark: SparkSession, models: Sequence[FittedSegments], as_of: date, settings: Segments, seed: int
) -> DataFrame:
    """Rows of SEGMENT_MODELS, without run_id.

    Args:
        spark: the session.
        models: what was fitted, with labels.
        as_of: the day of the fits.
        settings: what they were made by.
        seed: what they were made by too.
    """
    rows = [
        (as_of, it.method, settings_hash(settings, it.method, seed), sum(it.person_counts), it.to_json())
        for it in models
    ]
    return spark.createDataFrame(rows, SEGMENT_MODELS.row_schema)


def usable_model(models: DataFrame, method: str, as_of: date, settings: Segments, seed: int) -> FittedSegments | None:
    """The newest fit of a method that still serves: made before the day, by the same settings, not too long ago.

    Args:
        models: SEGMENT_MODELS as published so far; days from as_of on are not read, so that a repeat gives the same.
        method: its name.
        as_of: the day.
        settings: refit_days, and what the fit must have been made by.
        seed: what it must have been made by too.
    """
    first = as_of - timedelta(days=settings.refit_days - 1)
    serves = (
        (F.col("method") == method)
        & F.col("as_of_date").between(F.lit(first), F.lit(as_of - timedelta(days=1)))
        & (F.col("settings_hash") == settings_hash(settings, method, seed))
        & (F.col("person_count") > 0)
    )
    found = models.where(serves).orderBy(F.col("as_of_date").desc()).select("model").head(1)
    return FittedSegments.from_json(found[0]["model"]) if found else None


def place_again(fitted: FittedSegments, profiles: DataFrame) -> FittedSegments:
    """An earlier fit with the persons of another day counted; centres, ids, names and silhouette stay as they were.

    Args:
        fitted: the fit, with labels.
        profiles: one row per person.

    Cost:
        One vectorised pass.
    """
    found = {row["centre"]: row for row in persons_by_segment(fitted.points(profiles), fitted.placement).collect()}
    counts = tuple(found[n]["person_count"] if n in found else 0 for n in range(len(fitted.centres)))
    return replace(fitted, person_counts=counts, candidates=())


def settings_hash(settings: Segments, method: str, seed: int) -> str:
    """Hash of all that a fit of a method depends on beside the persons."""
    content = settings.model_dump(mode="json", exclude=_NOT_OF_THE_FIT)
    content |= {"how": settings.methods[method].model_dump(mode="json"), "seed": seed}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
