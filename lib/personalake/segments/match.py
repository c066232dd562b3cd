"""Segments of this run told to be those of the last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.optimize import linear_sum_assignment

from personalake.segments.placement import Vector
from personalake.segments.prepare import Preparation


@dataclass(frozen=True)
class OldSegment:
    """A segment as the last run published it; its centre in the units of profiles."""

    segment_id: str
    segment_name: str
    segment_name_zh: str
    centre: Mapping[str, float]
    words: str = ""
    words_zh: str = ""


@dataclass(frozen=True)
class Past:
    """What the runs before published of a method.

    Args:
        day: of the last run that placed anybody; None: there is none.
        live: that run's segments that anybody was in.
        names: all names, English and Chinese, that any segment ever had.
    """

    day: date | None
    live: tuple[OldSegment, ...]
    names: frozenset[str]


@dataclass(frozen=True)
class Match:
    """The old segment that a new centre continues, and how far it moved, per feature [deviations]."""

    old: OldSegment
    distance: float


def match_segments(
    centres: Vector, old: Sequence[OldSegment], preparation: Preparation, limit: float
) -> dict[int, Match]:
    """Pair new centres with old ones so that the sum of the distances is the smallest.

    Old centres are standardised as the new ones are. The distance is the root of the mean squared difference over the
    features both know; centres with none in common, or further apart than the limit, are not the same segment.

    Args:
        centres: the new centres, standardised, one row each.
        old: the last run's segments.
        preparation: of this run.
        limit: greatest distance of a match [deviations per feature].

    Returns:
        Row of centres to its match; a row that is missing is a new segment.

    Source:
        Kuhn's Hungarian method, by scipy.optimize.linear_sum_assignment.
    """
    ordered = sorted(old, key=lambda segment: segment.segment_id)
    if not ordered or not len(centres):
        return {}
    distances = _distances(centres, ordered, preparation)
    # Beyond the limit nothing is gained: a far pair must not draw a centre away from the one it continues.
    costs = np.minimum(distances, limit)
    rows, columns = linear_sum_assignment(costs)
    return {
        int(row): Match(ordered[column], float(distances[row, column]))
        for row, column in zip(rows, columns, strict=True)
        if distances[row, column] <= limit
    }


def match_labels(
    centres: Vector, ids: Sequence[str], old: Sequence[OldSegment], preparation: Preparation
) -> dict[int, Match]:
    """Pair segments whose ids are given with the last run's of the same ids.

    Args:
        centres: the centres, standardised, one row each.
        ids: of the segments, as many.
        old: the last run's segments.
        preparation: of this run.

    Returns:
        Row of centres to its match; the distance is as in `match_segments`, whatever it is.
    """
    by_id = {segment.segment_id: segment for segment in old}
    rows = [row for row, segment_id in enumerate(ids) if segment_id in by_id]
    found = {}
    for row in rows:
        before = by_id[ids[row]]
        found[row] = Match(before, float(_distances(centres[row : row + 1], [before], preparation)[0, 0]))
    return found


def _distances(centres: Vector, old: Sequence[OldSegment], preparation: Preparation) -> Vector:
    """Root of the mean squared difference over the features both know; infinite where there is none."""
    targets = np.stack([preparation.standard(segment.centre) for segment in old])
    squares = (centres[:, None, :] - targets[None, :, :]) ** 2
    known = ~np.isnan(squares)
    sums, counts = np.where(known, squares, 0.0).sum(axis=2), known.sum(axis=2)
    means = np.divide(sums, counts, out=np.full(sums.shape, np.inf), where=counts > 0)
    rounded: Vector = np.sqrt(means).round(9)
    return rounded
