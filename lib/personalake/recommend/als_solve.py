"""What both half-steps and the fold-in of ALS stand on: the axes in which a Gram matrix is diagonal, and the solver."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from personalake.recommend.als_kernels import half_step

if TYPE_CHECKING:
    from personalake.recommend.als import Als

Array = npt.NDArray[Any]
Rows = tuple[Array, Array, Array]
Solver = Callable[[Rows, Array, Array, tuple[float, float, bool], int, float, tuple[Array, Array, Array]], None]
_BLOCK_ROWS = 8192
# A row is done at this share of its first squared residual: where more steps change nothing; as far as float64 goes.
_LEAST, _LEAST_EXACT = 1e-14, 1e-20


@dataclass(frozen=True)
class Form:
    """Which normal equations: λ, α and implicit or explicit; see `als_kernels.half_step`."""

    regularisation: float
    alpha: float
    implicit: bool

    @classmethod
    def of(cls, settings: Als) -> Form:
        """That of an algorithm."""
        return cls(settings.regularisation, settings.alpha, settings.implicit)

    @property
    def numbers(self) -> tuple[float, float, bool]:
        """As the kernels take it."""
        return float(self.regularisation), float(self.alpha), self.implicit


def gram_of(factors: Array) -> Array:
    """FᵀF in float64, by blocks of float32 products: the same on any machine with the same BLAS."""
    blocks = (factors[first:last] for first, last in gram_cuts(len(factors)))
    return _summed((block.T @ block for block in blocks), factors.shape[1])


def gram_cuts(count: int) -> list[tuple[int, int]]:
    """The blocks of rows whose products make up a Gram matrix, in the order in which they are added: first, last."""
    return [(start, min(start + _BLOCK_ROWS, count)) for start in range(0, count, _BLOCK_ROWS)]


def _summed(parts: Iterable[Array], size: int) -> Array:
    gram = np.zeros((size, size))
    for part in parts:
        gram += part
    return gram


def principal_axes(factors: Array, implicit: bool) -> tuple[Array, Array]:
    """The axes in which the columns of factors are orthogonal.

    Args:
        factors: n × rank.
        implicit: whether the Gram matrix is part of the equations; where it is not, the axes stay as they are.

    Returns:
        The diagonal of the Gram matrix in these axes (rank; zeros where it is no part), and the axes as columns.
    """
    if not implicit:
        return np.zeros(factors.shape[1]), np.eye(factors.shape[1])
    return _axes_of(gram_of(factors))


def principal_axes_of(parts: Array, implicit: bool) -> tuple[Array, Array]:
    """What `principal_axes` gives, from the products of the blocks that `gram_cuts` names (blocks × rank × rank)."""
    size = parts.shape[1]
    return _axes_of(_summed(parts, size)) if implicit else (np.zeros(size), np.eye(size))


def _axes_of(gram: Array) -> tuple[Array, Array]:
    spectrum, axes = np.linalg.eigh(gram)
    return np.maximum(spectrum, 0.0), axes


def solved_rows(
    rows: Rows, source: Array, spectrum: Array, form: Form, start: Array, steps: int | None = None
) -> tuple[Array, Array]:
    """Solve the rows of a half-step against the factors of the other side.

    Args:
        rows: the history of each row: starts (from 0), columns (rows of `source`), weights.
        source: factors in axes in which their columns are orthogonal; float32 or float64, the kind reckoned in.
        spectrum: the diagonal of their Gram matrix.
        form: the normal equations.
        start: factors to begin from; they are written over.
        steps: steps of conjugate gradients per row; None: to the end, and what does not come to an end is solved
            directly, by the shortest solution where there are several.

    Returns:
        The factors, and each row's part of the loss (without the ridge of the source).
    """
    kind = source.dtype
    starts, columns, weights = _frozen(rows[0], np.int64), _frozen(rows[1], np.int32), _frozen(rows[2], kind)
    losses, taken = np.empty(len(start)), np.empty(len(start), np.int32)
    limit, least = (_exact_steps(len(spectrum)), _LEAST_EXACT) if steps is None else (steps, _LEAST)
    settings = ((starts, columns, weights), _frozen(source, kind), _frozen(spectrum, kind), form.numbers, limit, least)
    _row_solver()(*settings, (start, losses, taken))
    if steps is None:
        open_ended = not form.implicit and form.regularisation == 0
        gram = np.diag(spectrum)
        for row in np.flatnonzero(np.full(len(start), True) if open_ended else taken == limit):
            mine = slice(starts[row], starts[row + 1])
            start[row] = half_step(source[columns[mine]], gram, weights[mine], *form.numbers)
    return start, losses


def _exact_steps(rank: int) -> int:
    """Steps after which conjugate gradients have come to the end, or never will: in theory rank."""
    return 4 * rank + 50


def _frozen(array: Array, kind: npt.DTypeLike) -> Array:
    """The same array of a kind, read-only as mapped ones are: the kernel is compiled for few types of input."""
    view = np.ascontiguousarray(array, kind).view()
    view.flags.writeable = False
    return view


def _row_solver() -> Solver:
    """The compiled kernel where numba is installed, else the one of numpy."""
    from personalake.recommend.product.compiled import HAS_NUMBA

    if HAS_NUMBA:
        from personalake.recommend.als_cg_kernel import solve_rows
    else:
        from personalake.recommend.als_cg_numpy import solve_rows
    return solve_rows
