"""The rows of an ALS half-step by conjugate gradients, compiled: each row on its own, so no dealing changes a bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from personalake.recommend.product.compiled import compiled_unordered

Array = npt.NDArray[Any]
# Starts, columns, weights: row r holds the entries starts[r] … starts[r + 1].
Rows = tuple[Array, Array, Array]
# Regularisation, alpha, whether implicit.
Form = tuple[float, float, bool]
_NOTHING, _TINY = 1e-300, 1e-30


@compiled_unordered
def solve_rows(
    rows: Rows, source: Array, spectrum: Array, form: Form, steps: int, least: float, out: tuple[Array, Array, Array]
) -> None:
    """Improve the factors of rows by preconditioned conjugate gradients (Takács, Pilászy, Tikk 2011).

    The normal equations are those of `als_kernels.half_step`. The columns of the source are orthogonal, so its Gram
    matrix costs rank and not rank² operations a step, and with the ridge it is an exact preconditioner of the dense
    part: what is left differs from it by one direction per entry of the history.

    Args:
        rows: the history of each row: starts, columns (rows of `source`), weights (> 0).
        source: factors of the other side, with orthogonal columns where implicit.
        spectrum: diagonal of the source's Gram matrix; read where implicit.
        form: regularisation, alpha, whether implicit.
        steps: most steps per row.
        least: a row is done when its squared residual is this share of what it was before the first step.
        out: factors, from which the steps begin; each row's part of the loss, without the ridge of the source; the
            steps it took. All three are written.
    """
    factors, losses, taken = out
    size, kind = source.shape[1], source.dtype
    residual, direction = np.empty(size, kind), np.empty(size, kind)
    image, inverse = np.empty(size, kind), np.empty(size, kind)
    floor = 1e-7 * spectrum.max() + _TINY
    for row in range(factors.shape[0]):
        history, x = (rows[0][row], rows[0][row + 1]), factors[row]
        ridge = form[0] * (history[1] - history[0])
        for f in range(size):
            inverse[f] = 1.0 / max(spectrum[f] + ridge, floor) if form[2] else 1.0
        loss = _residual(rows, history, source, spectrum, ridge, form, x, residual)
        square, count = _turn(residual, inverse, 0.0, direction), 0
        goal = square * least
        while count < steps and square > goal and square > _NOTHING:
            curve = _image(rows, history, source, spectrum, ridge, form, direction, image)
            if curve <= 0.0:
                break
            step = kind.type(square / curve)
            for f in range(size):
                x[f] += step * direction[f]
                residual[f] -= step * image[f]
            loss -= square * square / curve
            square = _turn(residual, inverse, square, direction)
            count += 1
        losses[row], taken[row] = loss, count


@compiled_unordered
def _residual(
    rows: Rows,
    history: tuple[int, int],
    source: Array,
    spectrum: Array,
    ridge: float,
    form: Form,
    x: Array,
    residual: Array,
) -> float:
    """residual = b - A x; gives the loss at x."""
    kind, loss = source.dtype, 0.0
    for f in range(x.size):
        dense = kind.type(ridge + spectrum[f] if form[2] else ridge) * x[f]
        loss += x[f] * dense
        residual[f] = -dense
    for entry in range(history[0], history[1]):
        y, weight = source[rows[1][entry]], rows[2][entry]
        confidence = form[1] * weight
        score = _dot(x, y)
        if form[2]:
            loss += confidence * (1.0 - score) ** 2 + 1.0 - 2.0 * score
            share = kind.type(1.0 + confidence - confidence * score)
        else:
            loss += (weight - score) ** 2
            share = kind.type(weight - score)
        for f in range(x.size):
            residual[f] += share * y[f]
    return loss


@compiled_unordered
def _image(
    rows: Rows,
    history: tuple[int, int],
    source: Array,
    spectrum: Array,
    ridge: float,
    form: Form,
    direction: Array,
    image: Array,
) -> float:
    """image = A direction; gives direction · image."""
    kind, curve = source.dtype, 0.0
    for f in range(direction.size):
        image[f] = kind.type(ridge + spectrum[f] if form[2] else ridge) * direction[f]
    for entry in range(history[0], history[1]):
        y = source[rows[1][entry]]
        share = _dot(direction, y)
        if form[2]:
            share = kind.type(form[1] * rows[2][entry]) * share
        for f in range(direction.size):
            image[f] += share * y[f]
    for f in range(direction.size):
        curve += direction[f] * image[f]
    return curve


@compiled_unordered
def _turn(residual: Array, inverse: Array, before: float, direction: Array) -> float:
    """The next direction (the first where `before` is 0); gives residual · inverse · residual."""
    square = 0.0
    for f in range(residual.size):
        square += residual[f] * inverse[f] * residual[f]
    kept = residual.dtype.type(square / before if before > 0.0 else 0.0)
    for f in range(residual.size):
        # Before the first step there is no direction yet, and what lies in its memory may be anything.
        direction[f] = inverse[f] * residual[f] + (kept * direction[f] if before > 0.0 else residual.dtype.type(0.0))
    return square


@compiled_unordered
def _dot(left: Array, right: Array) -> float:
    total: float = left.dtype.type(0.0)
    for f in range(left.size):
        total += left[f] * right[f]
    return total
