"""Where a person belongs, by each kind of model: numbers alone, so that a model can be kept and used again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Labels = NDArray[np.int64]
Rows = tuple[tuple[float, ...], ...]

DECIMALS = 9
"""Where numbers are rounded, so that the order of a sum does not show."""

_SMALLEST_VARIANCE = 1e-9


@dataclass(frozen=True)
class Nearest:
    """The nearest centre; of centres equally near, the first.

    Args:
        centres: one row each, in the comparable space.
        kind: how it is kept.
    """

    centres: Rows
    kind: Literal["nearest"] = "nearest"

    def labels(self, features: Vector, raw: Vector) -> Labels:
        """The row of the centre, for each person."""
        nearest: Labels = distances(features, matrix(self.centres)).argmin(axis=1)
        return nearest

    def only(self, rows: Sequence[int]) -> Nearest:
        """The same with these rows alone, in this order."""
        return Nearest(tuple(self.centres[row] for row in rows))


@dataclass(frozen=True)
class Densest:
    """The component under which a person is most probable: weight times normal density.

    Args:
        weights: of the components.
        centres: their means.
        covariances: one square matrix each, row after row.
        kind: how it is kept.
    """

    weights: tuple[float, ...]
    centres: Rows
    covariances: tuple[Rows, ...]
    kind: Literal["densest"] = "densest"

    def labels(self, features: Vector, raw: Vector) -> Labels:
        """The component, for each person."""
        scores = np.empty((len(features), len(self.weights)))
        for n, weight in enumerate(self.weights):
            variances, axes = np.linalg.eigh(matrix(self.covariances[n]))
            variances = np.maximum(variances, _SMALLEST_VARIANCE)
            along = (features - np.array(self.centres[n])) @ axes
            scores[:, n] = np.log(weight) - 0.5 * (np.log(variances).sum() + (along**2 / variances).sum(axis=1))
        densest: Labels = scores.round(DECIMALS).argmax(axis=1)
        return densest

    def only(self, rows: Sequence[int]) -> Densest:
        """The same with these components alone, in this order."""
        return replace(
            self,
            weights=tuple(self.weights[row] for row in rows),
            centres=tuple(self.centres[row] for row in rows),
            covariances=tuple(self.covariances[row] for row in rows),
        )


@dataclass(frozen=True)
class Leaves:
    """The leaf of a tree whose conditions hold, of which there is always one.

    Args:
        rules: for each leaf its conditions: place of the feature, threshold, and whether values above it are meant.
        kind: how it is kept.
    """

    rules: tuple[tuple[tuple[int, float, bool], ...], ...]
    kind: Literal["leaves"] = "leaves"

    def labels(self, features: Vector, raw: Vector) -> Labels:
        """The leaf, for each person."""
        found = np.zeros(len(features), dtype=np.int64)
        for leaf, conditions in enumerate(self.rules):
            is_here = np.ones(len(features), dtype=bool)
            for place, threshold, is_above in conditions:
                is_here &= (features[:, place] > threshold) == is_above
            found[is_here] = leaf
        return found

    def only(self, rows: Sequence[int]) -> Leaves:
        """The same with these leaves alone, in this order; nobody may be in another one."""
        return Leaves(tuple(self.rules[row] for row in rows))


@dataclass(frozen=True)
class Cells:
    """A grid of fifths by fifths over two raw columns; who lacks one is in the last cell.

    Args:
        grid: cell by the first column's fifth, then by the second's.
        kind: how it is kept.
    """

    grid: tuple[tuple[int, ...], ...]
    kind: Literal["cells"] = "cells"

    def labels(self, features: Vector, raw: Vector) -> Labels:
        """The cell, for each person."""
        is_known = ~np.isnan(raw[:, :2]).any(axis=1)
        table = np.array(self.grid, dtype=np.int64)
        found = np.full(len(raw), table.max() + 1, dtype=np.int64)
        ranks = np.clip(raw[is_known, :2].astype(np.int64), 1, len(table)) - 1
        found[is_known] = table[ranks[:, 0], ranks[:, 1]]
        return found


Placement = Nearest | Densest | Leaves | Cells


def matrix(rows: Rows) -> Vector:
    """Rows of numbers as an array."""
    return np.array(rows, dtype=np.float64)


def tuples(rows: Vector) -> Rows:
    """An array as rows of numbers, rounded."""
    return tuple(tuple(float(x) + 0.0 for x in row) for row in rows.round(DECIMALS))


def distances(points: Vector, centres: Vector) -> Vector:
    """Euclidean distance of each point (row) to each centre (column), rounded."""
    # Differences, not the expanded square: exact zeros stay zeros.
    squares = np.stack([((points - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
    rounded: Vector = np.sqrt(squares).round(DECIMALS)
    return rounded
