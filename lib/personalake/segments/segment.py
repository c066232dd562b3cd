"""The tables of a segmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.segments.assign import segment_by_person
from personalake.segments.fitted import FittedSegments
from personalake.segments.labels import Labelled, labelled_rows
from personalake.segments.match import OldSegment, Past
from personalake.segments.names import segment_words
from personalake.segments.settings import Segments
from personalake.tables.segments import (
    SEGMENT_CANDIDATES,
    SEGMENT_FEATURES,
    SEGMENT_MOVES,
    SEGMENT_PROFILES,
    SEGMENTS,
)

VANISHED = "vanished"


class Segmentation(NamedTuple):
    """Rows of SEGMENTS, SEGMENT_PROFILES, SEGMENT_MOVES and SEGMENT_CANDIDATES, without run_id."""

    segments: DataFrame
    segment_profiles: DataFrame
    segment_moves: DataFrame
    segment_candidates: DataFrame


def build_segments(
    profiles: DataFrame,
    fitted: FittedSegments,
    old_segment_profiles: DataFrame,
    old_segments: DataFrame,
    as_of: date,
    settings: Segments,
) -> Segmentation:
    """Place every person, name the segments, and say who moved since the run before.

    A segment whose centre the last run had keeps id and name; another gets an id made of the day and a new name. One
    that the last run had and this one has not is told once more, as vanished.

    Args:
        profiles: one row per person as of the day; reads person_id and the features of the fit.
        fitted: what `fit_segments` found, or an earlier fit as `place_again` gives it.
        old_segment_profiles: SEGMENT_PROFILES as published so far, or empty; days from as_of on are not read.
        old_segments: SEGMENTS as published so far, or empty; days from as_of on are not read.
        as_of: the day.
        settings: match_distance, method.

    Cost:
        Reads the last day's segment profiles at once (a row per segment); one pass over the persons; the moves join
        two days of segments by person.
    """
    past = past_segments(old_segment_profiles, fitted.method, as_of)
    named = labelled_rows(fitted, past, as_of, settings.match_distance)
    spark = profiles.sparkSession
    whole = {"as_of_date": as_of, "method": fitted.method, "is_main": fitted.method == settings.method}
    rows = _profile_rows(fitted, named, past.live, whole)
    tried = [_candidate_row(candidate, whole) for candidate in fitted.candidates]
    segment_profiles = spark.createDataFrame(rows, SEGMENT_PROFILES.row_schema)
    candidates = spark.createDataFrame(tried, SEGMENT_CANDIDATES.row_schema)
    if not named:
        segments = spark.createDataFrame([], SEGMENTS.row_schema)
    else:
        segments = _segments(profiles, fitted, named, whole)
    if past.day is None:
        moves = spark.createDataFrame([], SEGMENT_MOVES.row_schema)
    else:
        before = old_segments.where((F.col("as_of_date") == F.lit(past.day)) & (F.col("method") == fitted.method))
        moves = segment_moves(before, segments, past.day, as_of, fitted.method)
    return Segmentation(segments, segment_profiles, moves, candidates)


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


def past_segments(profiles: DataFrame, method: str, as_of: date) -> Past:
    """The last run that placed anybody, and all names that were ever given: a row per segment, so the read is bounded.

    Args:
        profiles: SEGMENT_PROFILES as published so far.
        method: how they were made.
        as_of: days from this one on are not read.
    """
    earlier = profiles.where((F.col("method") == method) & (F.col("as_of_date") < F.lit(as_of)))
    live = earlier.where(F.col("state") != VANISHED)
    day: date | None = live.agg(F.max("as_of_date")).head(1)[0][0]
    if day is None:
        return Past(None, (), frozenset())
    columns = ("segment_id", "segment_name", "segment_name_zh", "centre", "words", "words_zh")
    last = tuple(
        OldSegment(
            *(r.segment_id, r.segment_name, r.segment_name_zh),
            {k: float(v) for k, v in r.centre.items()},
            *(r.words, r.words_zh),
        )
        for r in live.where(F.col("as_of_date") == F.lit(day)).select(*columns).collect()
    )
    given = earlier.select("segment_name", "segment_name_zh").distinct().collect()
    return Past(day, last, frozenset(name for row in given for name in row))


def _profile_rows(
    fitted: FittedSegments, named: Sequence[Labelled], old: Sequence[OldSegment], whole: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    """Rows of SEGMENT_PROFILES: segments that anybody is in, then those that vanished."""
    rows = [_live_row(fitted, it, row, whole) for row, it in enumerate(named) if fitted.person_counts[row]]
    live = {it.label.segment_id for row, it in enumerate(named) if fitted.person_counts[row]}
    gone = sorted((it for it in old if it.segment_id not in live), key=lambda it: it.segment_id)
    return [*rows, *(_vanished_row(fitted, it, whole) for it in gone)]


def _live_row(fitted: FittedSegments, it: Labelled, row: int, whole: Mapping[str, object]) -> tuple[Any, ...]:
    count = fitted.person_counts[row]
    centre = fitted.preparation.in_units(fitted.matrix[row])
    words, words_zh = segment_words(fitted.matrix[row], fitted.preparation)
    return _row(
        centre,
        whole,
        segment_id=it.label.segment_id,
        segment_name=it.label.english,
        segment_name_zh=it.label.chinese,
        person_count=count,
        person_share=count / sum(fitted.person_counts),
        silhouette=fitted.silhouette,
        state="kept" if it.match else "new",
        match_distance=it.match.distance if it.match else None,
        words=words,
        words_zh=words_zh,
    )


def _vanished_row(fitted: FittedSegments, it: OldSegment, whole: Mapping[str, object]) -> tuple[Any, ...]:
    return _row(
        it.centre,
        whole,
        segment_id=it.segment_id,
        segment_name=it.segment_name,
        segment_name_zh=it.segment_name_zh,
        person_count=0,
        person_share=0.0,
        silhouette=fitted.silhouette,
        state=VANISHED,
        match_distance=None,
        words=it.words,
        words_zh=it.words_zh,
    )


def _row(centre: Mapping[str, float], whole: Mapping[str, object], **facts: object) -> tuple[Any, ...]:
    """A row of SEGMENT_PROFILES, in its order."""
    values: dict[str, object] = {
        **whole,
        **facts,
        "centre": {name: repr(float(value)) for name, value in centre.items()},
        **{f"{name}_centre": centre.get(name) for name in SEGMENT_FEATURES},
    }
    return tuple(values[c.name] for c in SEGMENT_PROFILES.cols)


def _candidate_row(candidate: object, whole: Mapping[str, object]) -> tuple[Any, ...]:
    values = {**whole, **vars(candidate)}
    return tuple(values[c.name] for c in SEGMENT_CANDIDATES.cols)


def _segments(
    profiles: DataFrame, fitted: FittedSegments, named: Sequence[Labelled], whole: Mapping[str, object]
) -> DataFrame:
    placed = segment_by_person(fitted.points(profiles), fitted.placement, fitted.matrix)
    ids = F.array(*[F.lit(it.label.segment_id) for it in named])
    names = F.array(*[F.lit(it.label.english) for it in named])
    return placed.select(
        "person_id",
        F.lit(whole["as_of_date"]).alias("as_of_date"),
        F.lit(whole["method"]).alias("method"),
        F.get(ids, F.col("centre")).alias("segment_id"),
        F.get(names, F.col("centre")).alias("segment_name"),
        "distance",
        F.lit(whole["is_main"]).alias("is_main"),
    )
