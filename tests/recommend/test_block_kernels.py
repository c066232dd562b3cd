"""Blocked scoring on numpy arrays: compiled and plain give the same bits, and both what a full sort gives; no Spark."""

from __future__ import annotations

import numpy as np
import pytest

from personalake.recommend import block_kernels
from personalake.recommend.block_kernels import Product, dense_top, product_pairs, product_top, row_blocks
from personalake.recommend.ragged import Ragged

SEEDS = range(12)


def ragged(rng: np.random.Generator, rows: int, width: int, weighted: bool = False) -> Ragged:
    lists = [np.sort(rng.choice(width, rng.integers(0, width + 1), replace=False)) for _ in range(rows)]
    offsets = np.cumsum([0, *map(len, lists)])
    values = np.concatenate([np.empty(0, np.int64), *lists])
    return Ragged(offsets, values, rng.random(len(values)) + 0.1 if weighted else None)


def few_values(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Many ties, some of them only after rounding."""
    return rng.integers(-3, 4, shape) + rng.integers(0, 2, shape) * 1e-12


def lists_of(best: Ragged) -> list[list[tuple[int, float]]]:
    assert best.weights is not None
    starts, stops = best.offsets[:-1], best.offsets[1:]
    return [
        list(zip(best.values[a:b].tolist(), best.weights[a:b].tolist(), strict=True))
        for a, b in zip(starts, stops, strict=True)
    ]


def sorted_whole(scores: dict[int, float], hidden: set[int], limit: int) -> list[tuple[int, float]]:
    exact = {item: float(np.rint(score * 1e9) / 1e9) for item, score in scores.items() if np.isfinite(score)}
    return sorted(((i, s) for i, s in exact.items() if i not in hidden), key=lambda pair: (-pair[1], pair[0]))[:limit]


@pytest.fixture(params=["compiled", "plain"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "plain":
        monkeypatch.setattr(block_kernels, "_compiled", lambda: None)
    else:
        pytest.importorskip("numba")


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_dense_block_gives_the_head_of_a_full_sort_after_the_masks(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, width, limit = int(rng.integers(0, 9)), int(rng.integers(1, 200)), int(rng.integers(1, 30))
    scores = few_values(rng, rows, width)
    scores[rng.random(scores.shape) < 0.1] = rng.choice([-np.inf, np.inf, np.nan])
    masked, closed = ragged(rng, rows, width), rng.choice(width, width // 5, replace=False)
    wanted = [
        sorted_whole(
            dict(enumerate(scores[row])), {*closed.tolist(), *masked.rows(row, row + 1).values.tolist()}, limit
        )
        for row in range(rows)
    ]
    assert lists_of(dense_top(scores.copy(), masked, closed, limit)) == wanted, f"seed {seed}"


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_sparse_product_says_something_of_touched_items_only(seed: int, kind: type) -> None:
    rng = np.random.default_rng(seed)
    rows, width, limit = int(rng.integers(0, 9)), int(rng.integers(1, 60)), int(rng.integers(1, 30))
    people, near, masked = ragged(rng, rows, width, weighted=True), ragged(rng, width, width), ragged(rng, rows, width)
    product = Product(near.offsets, near.values.astype(np.int32), few_values(rng, len(near.values)).astype(kind), width)
    closed = rng.choice(width, width // 5, replace=False)
    sums: list[dict[int, float]] = []
    for row in range(rows):
        mine = people.rows(row, row + 1)
        sums.append({})
        for item, weight in zip(mine.values, mine.weights, strict=True):
            for place in range(near.offsets[item], near.offsets[item + 1]):
                other = int(near.values[place])
                sums[-1][other] = sums[-1].get(other, 0.0) + weight * float(product.values[place])
    wanted = [
        sorted_whole(told, {*closed.tolist(), *masked.rows(row, row + 1).values.tolist()}, limit)
        for row, told in enumerate(sums)
    ]
    assert lists_of(product_top(people, product, masked, closed, limit)) == wanted, f"seed {seed}"
    asked = ragged(rng, rows, width)
    found = product_pairs(people, product, asked)
    expected = [sums[row].get(int(item), np.nan) for row, item in zip(asked.row_numbers(), asked.values, strict=True)]
    np.testing.assert_array_equal(found, np.rint(np.array(expected) * 1e9) / 1e9, f"seed {seed}")


def test_blocks_hold_a_row_at_least_and_their_bytes_at_most() -> None:
    assert list(row_blocks(3, block_kernels.BLOCK_BYTES * 2)) == [(0, 1), (1, 2), (2, 3)]
    assert list(row_blocks(5, block_kernels.BLOCK_BYTES // 4)) == [(0, 4), (4, 5)]
    assert list(row_blocks(0, 8)) == []


@pytest.mark.usefixtures("kernel")
def test_a_history_of_a_hundred_thousand_items_is_scored() -> None:
    rng = np.random.default_rng(5)
    width, reach = 100_050, 2
    columns = rng.integers(0, width, width * reach)
    product = Product(np.arange(width + 1) * reach, columns, rng.random(width * reach), width)
    history = np.arange(100_000)
    rows = Ragged(np.array([0, len(history)]), history, rng.random(len(history)))
    best = product_top(rows, product, Ragged(rows.offsets, history), np.empty(0, np.int64), 10**9)
    weights = np.zeros(width)
    weights[history] = rows.weights
    scores = np.bincount(columns, np.repeat(weights, reach) * product.values, width)
    found = lists_of(best)[0]
    assert len(found) == np.count_nonzero(scores[100_000:])
    wanted = sorted_whole(dict(enumerate(scores)), set(range(100_000)), len(found))
    assert [item for item, _ in found] == [item for item, _ in wanted]
    np.testing.assert_allclose([score for _, score in found], [score for _, score in wanted], atol=2e-9)
