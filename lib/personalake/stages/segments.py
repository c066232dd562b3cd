"""profiles, predictions → segments, segment_profiles, segment_moves, segment_candidates, segment_models."""

from __future__ import annotations

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault, near_miss
from personalake.job import Job, Stage
from personalake.segments.fit import fit_segments
from personalake.segments.fitted import FittedSegments
from personalake.segments.models import model_rows, place_again, usable_model, with_labels
from personalake.segments.segment import Segmentation, build_segments, past_segments
from personalake.segments.tree import TreeSegments
from personalake.stages.known import predictions_of_day
from personalake.tables.predictions import PREDICTIONS
from personalake.tables.profiles import PROFILES
from personalake.tables.segments import (
    SEGMENT_CANDIDATES,
    SEGMENT_MODELS,
    SEGMENT_MOVES,
    SEGMENT_PROFILES,
    SEGMENTS,
)
from personalake.tags.facts import with_predictions

TABLES = (SEGMENTS, SEGMENT_PROFILES, SEGMENT_MOVES, SEGMENT_CANDIDATES)


def run(job: Job) -> None:
    """Fit, or take the last fit; name, place everybody; names come from the last run as far as its segments last.

    What earlier days published decides the names, so the slices of this day are written after all was computed.
    """
    settings = job.settings.segments
    profiles = _persons(job)
    made, fits = [], []
    for method in settings.names:
        fitted, is_new = _fitted(job, profiles, method)
        if is_new:
            fits.append(fitted)
        job.note(**{f"{method}_segments": sum(count > 0 for count in fitted.person_counts)})
        built = build_segments(profiles, fitted, job.read(SEGMENT_PROFILES), job.read(SEGMENTS), job.as_of, settings)
        parts = [job.put_down(frame, f"{method}-{name}") for name, frame in zip(built._fields, built, strict=True)]
        made.append(Segmentation(*parts))
    models = model_rows(job.spark, fits, job.as_of, settings, job.settings.seed)
    for table, frames in zip(TABLES, zip(*made, strict=True), strict=True):
        job.replace_where(table, reduce(DataFrame.unionByName, frames), {"as_of_date": job.as_of})
    job.replace_where(SEGMENT_MODELS, models, {"as_of_date": job.as_of})


def _persons(job: Job) -> DataFrame:
    """The day's profiles, with the probabilities that trees of the settings grow on.

    Raises:
        ConfigError: such a tree names no target of predict.
    """
    settings, targets = job.settings.segments, job.settings.predict.targets
    trees = {name: how.predicted for name in settings.names if isinstance(how := settings.methods[name], TreeSegments)}
    wanted = {name: target for name, target in trees.items() if target is not None}
    wrong = {name: target for name, target in wanted.items() if target not in targets}
    if wrong:
        raise ConfigError(
            *(
                Fault(
                    f"segments.methods.{name}.target", f"{target} is no target of predict.", near_miss(target, targets)
                )
                for name, target in wrong.items()
            )
        )
    today = F.col("as_of_date") == F.lit(job.as_of)
    named = [f"prediction.{target}" for target in wanted.values()]
    return with_predictions(job.read(PROFILES).where(today), predictions_of_day(job), named)


def _fitted(job: Job, profiles: DataFrame, method: str) -> tuple[FittedSegments, bool]:
    """The segments of a method with their ids and names, and whether they were fitted just now."""
    settings, seed = job.settings.segments, job.settings.seed
    kept = usable_model(job.read(SEGMENT_MODELS), method, job.as_of, settings, seed)
    if kept is not None:
        return place_again(kept, profiles), False
    fitted = fit_segments(profiles, settings, seed, method)
    past = past_segments(job.read(SEGMENT_PROFILES), method, job.as_of)
    return with_labels(fitted, past, job.as_of, settings), True


STAGE = Stage(
    name="segments",
    title="Persons alike become segments whose names keep their meaning",
    reads=(PROFILES, PREDICTIONS),
    writes=(*TABLES, SEGMENT_MODELS),
    sections=("segments", "predict"),
    run=run,
)
