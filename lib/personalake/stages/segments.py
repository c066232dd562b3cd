"""profiles → segments, segment_profiles, segment_moves."""

from __future__ import annotations

from pyspark.sql import functions as F

from personalake.job import Job, Stage
from personalake.segments.kmeans import fit_segments
from personalake.segments.segment import build_segments
from personalake.tables.profiles import PROFILES
from personalake.tables.segments import SEGMENT_MOVES, SEGMENT_PROFILES, SEGMENTS


def run(job: Job) -> None:
    """Fit, name, place everybody; names come from the last run as far as its segments are still there.

    What earlier days published decides the names, so the slices of this day are written after all was computed.
    """
    settings = job.settings.segments
    profiles = job.read(PROFILES).where(F.col("as_of_date") == F.lit(job.as_of))
    fitted = fit_segments(profiles, settings, job.settings.seed)
    old_profiles, old_segments = job.read(SEGMENT_PROFILES), job.read(SEGMENTS)
    made = build_segments(profiles, fitted, old_profiles, old_segments, job.as_of, settings)
    parts = [job.put_down(frame, name) for name, frame in zip(made._fields, made, strict=True)]
    for table, rows in zip((SEGMENTS, SEGMENT_PROFILES, SEGMENT_MOVES), parts, strict=True):
        job.replace_where(table, rows, {"as_of_date": job.as_of, "method": settings.method})


STAGE = Stage(
    name="segments",
    title="Persons alike become segments whose names keep their meaning",
    reads=(PROFILES,),
    writes=(SEGMENTS, SEGMENT_PROFILES, SEGMENT_MOVES),
    sections=("segments",),
    run=run,
)
