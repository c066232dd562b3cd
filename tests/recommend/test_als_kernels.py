"""The arithmetic of ALS against plain numpy; no Spark."""

from __future__ import annotations

import numpy as np
import pytest

from personalake.recommend.als_kernels import half_step

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("implicit", [True, False])
def test_half_step_solves_the_normal_equations(implicit: bool) -> None:
    items, weights, alpha, ridge = RNG.normal(size=(30, 4)), RNG.random(6) + 0.5, 3.0, 0.2
    mine = items[[1, 4, 9, 16, 25, 29]]
    found = half_step(mine, items.T @ items, weights, ridge, alpha, implicit)
    confidence = np.zeros(30)
    confidence[[1, 4, 9, 16, 25, 29]] = alpha * weights
    if implicit:
        left = items.T @ np.diag(1 + confidence) @ items + ridge * 6 * np.eye(4)
        right = items.T @ ((confidence > 0) * (1 + confidence))
    else:
        left, right = mine.T @ mine + ridge * 6 * np.eye(4), mine.T @ weights
    np.testing.assert_allclose(left @ found, right, rtol=1e-9)


def test_a_history_that_leaves_directions_open_has_the_shortest_solution() -> None:
    found = half_step(np.array([[1.0, 1.0]]), np.zeros((2, 2)), np.array([2.0]), 0.0, 1.0, implicit=False)
    np.testing.assert_allclose(found, [1.0, 1.0])
