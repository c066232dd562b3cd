"""The arithmetic of ALS against plain numpy; no Spark."""

from __future__ import annotations

import numpy as np
import pytest

from personalake.recommend.als_kernels import Ragged, half_step, pair_scores, top_lists

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


@pytest.mark.parametrize("limit", [1, 3, 10, 50])
def test_top_lists_equal_a_full_sort_after_the_mask(limit: int) -> None:
    persons, items = RNG.integers(-2, 3, (25, 3)).astype(float), RNG.integers(-2, 3, (20, 3)).astype(float)
    id_order = RNG.permutation(20)
    masks = [RNG.choice(20, size, replace=False) for size in RNG.integers(0, 21, 25)]
    offsets = np.cumsum([0, *(len(mask) for mask in masks)])
    found = list(top_lists(persons, items, id_order, Ragged(offsets, np.concatenate(masks)), limit))
    for person, (rows, scores) in enumerate(found):
        open_items = [n for n in range(20) if n not in set(masks[person])]
        wanted = sorted(open_items, key=lambda n: (-(persons[person] @ items[n]), id_order[n]))[:limit]
        assert rows.tolist() == wanted
        np.testing.assert_allclose(scores, [persons[person] @ items[n] for n in wanted], atol=1e-9)


def test_pair_scores_are_products_in_the_order_asked() -> None:
    persons, items = RNG.normal(size=(3, 4)), RNG.normal(size=(6, 4))
    found = pair_scores(persons, items, Ragged(np.array([0, 2, 2, 5]), np.array([5, 0, 1, 1, 3])))
    wanted = [persons[0] @ items[5], persons[0] @ items[0], *(persons[2] @ items[n] for n in (1, 1, 3))]
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    assert pair_scores(persons[:0], items, Ragged(np.array([0]), np.array([], dtype=int))).size == 0
