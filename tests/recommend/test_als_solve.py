"""The solver of ALS against the normal equations, compiled and in numpy; no Spark."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from personalake.recommend import als_cg_numpy
from personalake.recommend.als_kernels import half_step
from personalake.recommend.als_matrix import HEAVIEST, _bytes_of
from personalake.recommend.als_solve import Form, gram_of, principal_axes, solved_rows

kernel = pytest.importorskip("personalake.recommend.als_cg_kernel")
SOLVERS = {"compiled": kernel.solve_rows, "numpy": als_cg_numpy.solve_rows}
FORMS = [Form(0.2, 3.0, implicit=True), Form(0.2, 3.0, implicit=False)]
RANK, ITEMS = 6, 40


def seeded_rows(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Histories of 1 to 40 items, a long one and a row of one item among them."""
    rng = np.random.default_rng(seed)
    lengths = np.concatenate([[ITEMS, 1], rng.integers(1, 15, 60)])
    columns = np.concatenate([np.sort(rng.choice(ITEMS, size, replace=False)) for size in lengths])
    return np.concatenate([[0], np.cumsum(lengths)]), columns.astype(np.int32), rng.random(len(columns)) * 3 + 0.1


def seeded_source(seed: int, form: Form, kind: Any = np.float64) -> tuple[np.ndarray, np.ndarray]:
    factors = np.random.default_rng(seed).standard_normal((ITEMS, RANK))
    spectrum, axes = principal_axes(factors, form.implicit)
    return (factors @ axes).astype(kind), spectrum.astype(kind)


def exact(rows: tuple[np.ndarray, ...], source: np.ndarray, form: Form) -> np.ndarray:
    starts, columns, weights = rows
    gram, wide = gram_of(source.astype(np.float64)), source.astype(np.float64)
    parts = [slice(start, stop) for start, stop in pairwise(starts)]
    return np.array([half_step(wide[columns[part]], gram, weights[part], *form.numbers) for part in parts])


@pytest.mark.parametrize("form", FORMS, ids=["implicit", "explicit"])
def test_many_steps_solve_the_normal_equations(form: Form) -> None:
    for seed in range(5):
        rows = seeded_rows(seed)
        for kind, limit in ((np.float64, 1e-8), (np.float32, 1e-4)):
            source, spectrum = seeded_source(seed, form, kind)
            found, _ = solved_rows(rows, source, spectrum, form, np.zeros((62, RANK), kind))
            np.testing.assert_allclose(found, exact(rows, source, form), rtol=limit, atol=limit, err_msg=f"seed {seed}")


@pytest.mark.parametrize("form", FORMS, ids=["implicit", "explicit"])
@pytest.mark.parametrize("steps", [1, 3])
def test_compiled_and_numpy_take_the_same_steps(form: Form, steps: int) -> None:
    for seed, kind, limit in ((1, np.float64, 1e-9), (2, np.float64, 1e-9), (3, np.float32, 1e-4)):
        starts, columns, weights = seeded_rows(seed)
        source, spectrum = seeded_source(seed, form, kind)
        begin = np.random.default_rng(seed).standard_normal((62, RANK)).astype(kind)
        found: dict[str, tuple[np.ndarray, ...]] = {}
        for name, solve in SOLVERS.items():
            found[name] = (begin.copy(), np.empty(62), np.empty(62, np.int32))
            solve((starts, columns, weights.astype(kind)), source, spectrum, form.numbers, steps, 1e-14, found[name])
        for one, other in zip(*found.values(), strict=True):
            np.testing.assert_allclose(one, other, rtol=limit, atol=limit, err_msg=f"seed {seed}")


@pytest.mark.parametrize("form", FORMS, ids=["implicit", "explicit"])
def test_the_loss_told_is_that_of_the_factors_and_falls_with_every_step(form: Form) -> None:
    starts, columns, weights = seeded_rows(1)
    source, spectrum = seeded_source(1, form)
    last = np.full(62, np.inf)
    for steps in range(4):
        factors, losses = solved_rows((starts, columns, weights), source, spectrum, form, np.ones((62, RANK)), steps)
        for row, x in enumerate(factors):
            mine = slice(starts[row], starts[row + 1])
            scores = source @ x
            if form.implicit:
                confidence, wanted = np.ones(ITEMS), np.zeros(ITEMS)
                confidence[columns[mine]] += form.alpha * weights[mine]
                wanted[columns[mine]] = 1.0
                loss = (confidence * (wanted - scores) ** 2).sum()
            else:
                loss = ((weights[mine] - scores[columns[mine]]) ** 2).sum()
            loss += form.regularisation * len(weights[mine]) * (x @ x)
            assert losses[row] == pytest.approx(loss, rel=1e-9), (steps, row)
        assert (losses <= last + 1e-9).all()
        last = losses


def test_without_a_ridge_a_short_history_has_the_shortest_solution() -> None:
    rows = (np.array([0, 1]), np.array([1], np.int32), np.array([2.0]))
    source = np.array([[5.0, 0.0], [1.0, 1.0]])
    found, _ = solved_rows(rows, source, np.zeros(2), Form(0.0, 1.0, implicit=False), np.zeros((1, 2)))
    np.testing.assert_allclose(found, [[1.0, 1.0]])


@pytest.mark.parametrize("solve", SOLVERS.values(), ids=SOLVERS.keys())
def test_the_heaviest_weights_stay_finite(solve: Callable[..., None]) -> None:
    weights = np.array([HEAVIEST / 3, 1e-6, 1.0], np.float32)
    for form in FORMS:
        source, spectrum = seeded_source(2, form, np.float32)
        out = (np.zeros((1, RANK), np.float32), np.empty(1), np.empty(1, np.int32))
        solve((np.array([0, 3]), np.array([3, 4, 9], np.int32), weights), source, spectrum, form.numbers, 3, 1e-14, out)
        assert np.isfinite(out[0]).all() and np.isfinite(out[1]).all()


def test_axes_turn_nothing_but_the_basis() -> None:
    factors = np.random.default_rng(4).standard_normal((30, RANK))
    spectrum, axes = principal_axes(factors, implicit=True)
    np.testing.assert_allclose(axes @ axes.T, np.eye(RANK), atol=1e-12)
    np.testing.assert_allclose(gram_of(factors @ axes), np.diag(spectrum), atol=1e-10)


@pytest.mark.parametrize(
    ("text", "size"), [("1g", 2**30), ("512m", 2**29), ("2GB", 2**31), ("100", 100), ("0", 0), ("?", 0)]
)
def test_sizes_are_read_as_spark_writes_them(text: str, size: int) -> None:
    assert _bytes_of(text) == size
