"""What a fit found, and how it is kept as text."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pydantic import TypeAdapter
from pyspark.sql import DataFrame

from personalake.segments.placement import Nearest, Placement, Rows, Vector, matrix
from personalake.segments.prepare import Preparation
from personalake.segments.rfm_grid import Label


@dataclass(frozen=True)
class Candidate:
    """One number of segments that was tried.

    Args:
        k: so many were asked for.
        silhouette: mean silhouette, squared Euclidean; None with fewer than two segments.
        stability: mean adjusted Rand index between fits on halves of the persons; None where not measured.
        segment_count: so many have persons.
        smallest_share: share of the persons measured on that are in the smallest.
        person_count: persons measured on.
        is_chosen: whether this one stands.
    """

    k: int
    silhouette: float | None
    stability: float | None = None
    segment_count: int = 1
    smallest_share: float = 1.0
    person_count: int = 0
    is_chosen: bool = False


@dataclass(frozen=True)
class FittedSegments:
    """What a fit found: nothing to change, all that is needed to place a person.

    Args:
        method: name of the method in conf.
        preparation: the way into the comparable space.
        placement: where a person belongs; its labels are the rows of the centres.
        raw_columns: columns of profiles that the placement reads as they are.
        centres: one tuple per segment in that space: by falling person_counts, then by the numbers themselves; in the
            order of labels where there are any.
        person_counts: persons in each.
        silhouette: of this clustering, squared Euclidean; None with fewer than two segments.
        candidates: every k that was tried.
        labels: ids and names that are given already; None: they come from the last run and from the centres.
    """

    method: str
    preparation: Preparation
    placement: Placement
    raw_columns: tuple[str, ...]
    centres: Rows
    person_counts: tuple[int, ...]
    silhouette: float | None
    candidates: tuple[Candidate, ...]
    labels: tuple[Label, ...] | None = None

    @property
    def matrix(self) -> Vector:
        """The centres as rows."""
        return matrix(self.centres).reshape(len(self.centres), len(self.preparation.features))

    def points(self, profiles: DataFrame) -> DataFrame:
        """The persons as this fit sees them: person_id, features, raw."""
        return self.preparation.prepared(profiles, self.raw_columns)

    def labelled(self, labels: Sequence[Label]) -> FittedSegments:
        """The same with ids and names that last as long as it is used."""
        return replace(self, labels=tuple(labels))

    def to_json(self) -> str:
        """As text; `from_json` gives an equal one back."""
        return _adapter().dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> FittedSegments:
        """What `to_json` was given."""
        return _adapter().validate_json(text)


def nothing_fitted(method: str) -> FittedSegments:
    """What is found where there is nobody."""
    return FittedSegments(method, Preparation(()), Nearest(()), (), (), (), None, ())


def mean_rows(sums: Sequence[Sequence[float]], counts: Sequence[int]) -> Vector:
    """Sums by counts; zeros where nobody counts."""
    divisors = np.maximum(np.array(counts, dtype=np.float64), 1.0)
    rows: Vector = np.array(sums, dtype=np.float64) / divisors[:, None]
    return rows


@functools.cache
def _adapter() -> TypeAdapter[FittedSegments]:
    return TypeAdapter(FittedSegments)
