"""What `als_cg_kernel.solve_rows` does, for machines without numba: many rows at a time, by numpy and scipy."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

Array = npt.NDArray[Any]
Rows = tuple[Array, Array, Array]
Form = tuple[float, float, bool]
# Entries whose factors are gathered at once; a longer row is a block of its own.
_BLOCK = 2**17
_NOTHING, _TINY = 1e-300, 1e-30


def solve_rows(
    rows: Rows, source: Array, spectrum: Array, form: Form, steps: int, least: float, out: tuple[Array, Array, Array]
) -> None:
    """See `als_cg_kernel.solve_rows`; equal to it but for the order of float sums."""
    starts, columns, weights = rows
    cuts = np.searchsorted(starts, np.arange(starts[0], starts[-1], _BLOCK))
    for first, last in pairwise(np.unique([0, *cuts, len(starts) - 1])):
        begin, end = starts[first], starts[last]
        block = _Block(starts[first : last + 1] - begin, columns[begin:end], weights[begin:end], source, spectrum, form)
        block.solve(steps, least, *(array[first:last] for array in out))


class _Block:
    """Rows that are solved side by side."""

    def __init__(
        self, starts: Array, columns: Array, weights: Array, source: Array, spectrum: Array, form: Form
    ) -> None:
        regularisation, self.alpha, self.implicit = form
        lengths = np.diff(starts)
        self.starts, self.columns, self.weights = starts, columns, weights
        self.source, self.gathered = source, source[columns]
        self.row_of = np.repeat(np.arange(len(lengths)), lengths)
        dense = (regularisation * lengths)[:, None] + (spectrum if self.implicit else np.zeros_like(spectrum))
        self.dense = dense.astype(source.dtype)
        floor = 1e-7 * spectrum.max() + _TINY
        self.inverse = 1.0 / np.maximum(self.dense, floor) if self.implicit else np.ones_like(self.dense)

    def solve(self, steps: int, least: float, x: Array, losses: Array, taken: Array) -> None:
        residual = self._residual(x, losses)
        taken[:] = 0
        turned = self.inverse * residual
        direction, square = turned, _dots(residual, turned)
        goal = square * least
        for _ in range(steps):
            image = self.dense * direction + self._summed(self._confidence() * self._scores(direction))
            curve = _dots(direction, image)
            open_rows = (square > goal) & (square > _NOTHING) & (curve > 0.0)
            if not open_rows.any():
                break
            step = np.divide(square, curve, out=np.zeros_like(square), where=open_rows)
            x += step.astype(x.dtype)[:, None] * direction
            residual -= step.astype(x.dtype)[:, None] * image
            losses -= step * square
            taken += open_rows
            turned = self.inverse * residual
            after = np.where(open_rows, _dots(residual, turned), 0.0)
            kept = np.divide(after, square, out=np.zeros_like(square), where=open_rows)
            direction, square = turned + kept.astype(x.dtype)[:, None] * direction, after

    def _residual(self, x: Array, losses: Array) -> Array:
        scores, confidence = self._scores(x), self._confidence()
        if self.implicit:
            missed = confidence * (1.0 - scores) ** 2 + 1.0 - 2.0 * scores
            share = 1.0 + confidence - confidence * scores
        else:
            missed, share = (self.weights - scores) ** 2, self.weights - scores
        losses[:] = _dots(x, self.dense * x) + np.bincount(self.row_of, missed, len(x))
        residual: Array = self._summed(share) - self.dense * x
        return residual

    def _confidence(self) -> Array:
        return self.alpha * self.weights.astype(np.float64) if self.implicit else np.ones(len(self.weights))

    def _scores(self, left: Array) -> Array:
        scores: Array = np.einsum("ij,ij->i", left[self.row_of], self.gathered)
        return scores

    def _summed(self, shares: Array) -> Array:
        """Σ share × factors of the source, row by row."""
        shape = (len(self.starts) - 1, len(self.source))
        matrix = sparse.csr_matrix((shares.astype(self.source.dtype), self.columns, self.starts), shape=shape)
        summed: Array = matrix @ self.source
        return summed


def _dots(left: Array, right: Array) -> Array:
    dots: Array = np.einsum("ij,ij->i", left, right, dtype=np.float64)
    return dots
