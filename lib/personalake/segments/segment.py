"""The three tables of a segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.segments.assign import nearest_centre_by_person
from personalake.segments.kmeans import FittedSegments
from personalake.segments.match import Match, OldSegment, match_segments
from personalake.segments.names import Name, segment_names, segment_words
from personalake.segments.settings import Segments
from personalake.tables.segments import SEGMENT_FEATURES, SEGMENT_MOVES, SEGMENT_PROFILES, SEGMENTS


class Segmentation(NamedTuple):
    """Rows of SEGMENTS, SEGMENT_PROFILES and SEGMENT_MOVES, without run_id."""

    segments: DataFrame
    segment_profiles: DataFrame
    segment_moves: DataFrame


@dataclass(frozen=True)
class _Named:
    """A centre with its identity."""

    segment_id: str
    name: Name
    match: Match | None


def build_segments(
    profiles: DataFrame,
    fitted: FittedSegments,
    old_segment_profiles: DataFrame,
    old_segments: DataFrame,
    as_of: date,
    settings: Segments,
) -> Segmentation:
    """Place every person, name the segments, and say who moved since the run before.

    A segment whose centre the last run had keeps id and name; another gets an id made of the day and a new name.

    Args:
        profiles: one row per person as of the day; reads person_id and the features of the fit.
        fitted: what `fit_segments` found.
        old_segment_profiles: SEGMENT_PROFILES as published so far, or empty; days from as_of on are not read.
        old_segments: SEGMENTS as published so far, or empty; days from as_of on are not read.
        as_of: the day.
        settings: match_distance.

    Cost:
        Reads the last day's segment profiles at once (a row per segment); one pass over the persons; the moves join
        two days of segments by person.
    """
    old_day, old = _last_segments(old_segment_profiles, fitted.method, as_of)
    named = _named(fitted, old, as_of, settings.match_distance)
    spark = profiles.sparkSession
    rows = [_profile_row(fitted, named, n, as_of) for n in range(len(named))]
    segment_profiles = spark.createDataFrame(rows, SEGMENT_PROFILES.row_schema)
    if not named:
        return Segmentation(spark.createDataFrame([], SEGMENTS.row_schema), segment_profiles, _no_moves(profiles))
    segments = _segments(profiles, fitted, named, as_of)
    if old_day is None:
        return Segmentation(segments, segment_profiles, _no_moves(profiles))
    before = old_segments.where((F.col("as_of_date") == F.lit(old_day)) & (F.col("method") == fitted.method))
    return Segmentation(segments, segment_profiles, segment_moves(before, segments, old_day, as_of, fitted.method))


def segment_moves(before: DataFrame, now: DataFrame, old_day: date, as_of: date, method: str) -> DataFrame:
    """Count who was where then and is where now; '' where a person was, or is, not known.

    Args:
        before: person_id, segment_id of the run before.
        now: person_id, segment_id of this run.
        old_day: as-of day of the run before.
        as_of: as-of day of this run.
        method: how both were made.

    Cost:
        One shuffle of both by person.
    """
    left = before.select("person_id", F.col("segment_id").alias("_from"))
    both = left.join(now.select("person_id", F.col("segment_id").alias("_to")), on="person_id", how="full")
    moves = both.groupBy(
        F.coalesce("_from", F.lit("")).alias("from_segment_id"), F.coalesce("_to", F.lit("")).alias("to_segment_id")
    ).agg(F.count(F.lit(1)).alias("person_count"))
    return moves.select(
        F.lit(as_of).alias("as_of_date"),
        F.lit(old_day).alias("from_as_of_date"),
        F.lit(method).alias("method"),
        *("from_segment_id", "to_segment_id", "person_count"),
    )


def _last_segments(profiles: DataFrame, method: str, as_of: date) -> tuple[date | None, list[OldSegment]]:
    """The last run's day and segments: a row per segment, so the read is bounded."""
    earlier = profiles.where((F.col("method") == method) & (F.col("as_of_date") < F.lit(as_of)))
    day: date | None = earlier.agg(F.max("as_of_date")).head(1)[0][0]
    if day is None:
        return None, []
    columns = ("segment_id", "segment_name", "segment_name_zh", "centre")
    rows = earlier.where(F.col("as_of_date") == F.lit(day)).select(*columns).collect()
    return day, [
        OldSegment(r.segment_id, r.segment_name, r.segment_name_zh, {k: float(v) for k, v in r.centre.items()})
        for r in rows
    ]


def _named(fitted: FittedSegments, old: Sequence[OldSegment], as_of: date, limit: float) -> list[_Named]:
    matches = match_segments(fitted.matrix, old, fitted.preparation, limit)
    kept = {row: Name(match.old.segment_name, match.old.segment_name_zh) for row, match in matches.items()}
    names = segment_names(fitted.matrix, fitted.preparation, kept)
    new_rows = [row for row in range(len(fitted.centres)) if row not in matches]
    new_ids = {row: f"{as_of:%Y%m%d}-{n}" for n, row in enumerate(new_rows, start=1)}
    return [
        _Named(matches[row].old.segment_id if row in matches else new_ids[row], names[row], matches.get(row))
        for row in range(len(fitted.centres))
    ]


def _profile_row(fitted: FittedSegments, named: Sequence[_Named], row: int, as_of: date) -> tuple[Any, ...]:
    """A row of SEGMENT_PROFILES, in its order."""
    it, count = named[row], fitted.person_counts[row]
    centre = fitted.preparation.in_units(fitted.matrix[row])
    words, words_zh = segment_words(fitted.matrix[row], fitted.preparation)
    values = {
        "as_of_date": as_of,
        "method": fitted.method,
        "segment_id": it.segment_id,
        "segment_name": it.name.english,
        "segment_name_zh": it.name.chinese,
        "person_count": count,
        "person_share": count / sum(fitted.person_counts),
        "silhouette": fitted.silhouette,
        "state": "kept" if it.match else "new",
        "match_distance": it.match.distance if it.match else None,
        "words": words,
        "words_zh": words_zh,
        "centre": {name: repr(value) for name, value in centre.items()},
        **{f"{name}_centre": centre.get(name) for name in SEGMENT_FEATURES},
    }
    return tuple(values[c.name] for c in SEGMENT_PROFILES.cols)


def _segments(profiles: DataFrame, fitted: FittedSegments, named: Sequence[_Named], as_of: date) -> DataFrame:
    placed = nearest_centre_by_person(fitted.preparation.prepared(profiles), fitted.matrix)
    ids = F.array(*[F.lit(it.segment_id) for it in named])
    names = F.array(*[F.lit(it.name.english) for it in named])
    return placed.select(
        "person_id",
        F.lit(as_of).alias("as_of_date"),
        F.lit(fitted.method).alias("method"),
        F.get(ids, F.col("centre")).alias("segment_id"),
        F.get(names, F.col("centre")).alias("segment_name"),
        "distance",
    )


def _no_moves(profiles: DataFrame) -> DataFrame:
    return profiles.sparkSession.createDataFrame([], SEGMENT_MOVES.row_schema)
