"""Lists by factors: screened in float32, and yet those of float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from personalake.recommend import factor_scorer
from personalake.recommend.block_scorers import Block, id_arrays
from personalake.recommend.factor_scorer import FactorScorer, factor_arrays
from personalake.recommend.node_arrays import put_on_nodes
from personalake.recommend.ragged import Ragged

PERSONS, ITEMS, RANK = 40, 300, 16


def inputs(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Factors of persons and items: plain; or such that float32 cannot tell many of the products apart."""
    persons, items = rng.standard_normal((PERSONS, RANK)), rng.standard_normal((ITEMS, RANK))
    if kind == "nearly alike":
        items = items[:1] + 1e-7 * items
    elif kind == "equal":
        items = np.repeat(items[:20], ITEMS // 20, axis=0)
    elif kind == "cancelling":
        persons[:, 0], items[:, 0] = 1e4, 0.0
        persons[:, 1], items[:, 1] = 1e4, 1.0
        items[:, 0] = -1.0
        items[:, 2:] *= 1e-3
    elif kind == "large":
        persons *= 1e20
        items *= 1e20
    elif kind == "small":
        persons *= 1e-12
    return persons, items


def expected(persons: np.ndarray, items: np.ndarray, masked: Ragged, closed: np.ndarray, limit: int) -> list[Any]:
    """Every product one by one, sorted by falling score, then by item."""
    lists = []
    for row, person in enumerate(persons):
        hidden = {*masked.rows(row, row + 1).values.tolist(), *closed.tolist()}
        scores = {item: float(np.rint((person @ items[item]) * 1e9) / 1e9) for item in range(ITEMS)}
        kept = sorted((-score, item) for item, score in scores.items() if item not in hidden)
        lists.append([(item, -score) for score, item in kept[:limit]])
    return lists


@pytest.mark.parametrize("kind", ["plain", "nearly alike", "equal", "cancelling", "large", "small"])
@pytest.mark.parametrize("limit", [1, 10, ITEMS + 5])
def test_lists_are_those_of_float64(
    spark: SparkSession, kind: str, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Blocks of some seven persons, so that there are several and the last one is not full.
    monkeypatch.setattr(factor_scorer, "_ROUGH_BYTES", 7 * 4 * ITEMS)
    rng = np.random.default_rng(len(kind) + limit)
    persons, items = inputs(kind, rng)
    lengths = rng.integers(0, 6, PERSONS)
    masked = Ragged(np.concatenate([[0], np.cumsum(lengths)]), rng.integers(0, ITEMS, lengths.sum()))
    closed = np.array([3, 77])
    nobody = Ragged(np.zeros(PERSONS + 1, np.int64), np.empty(0, np.int64))
    laid = put_on_nodes(spark, {**id_arrays(pa.array(range(ITEMS))), **factor_arrays(items)})
    found = FactorScorer(laid).top(laid.load(), Block(nobody, persons), masked, closed, limit)
    laid.release()
    assert found.weights is not None
    for row, wanted in enumerate(expected(persons, items, masked, closed, limit)):
        mine = found.rows(row, row + 1)
        assert mine.weights is not None
        # Scores within an ulp of a rounding border may fall to either side: such pairs may trade places.
        scale = max(1e-9, 1e-13 * max((abs(score) for _, score in wanted), default=0.0))
        np.testing.assert_allclose(mine.weights, [score for _, score in wanted], rtol=1e-12, atol=scale)
        assert len(set(mine.values.tolist())) == len(wanted)
        for place, (item, score) in enumerate(wanted):
            if item != mine.values[place]:
                assert abs(float(persons[row] @ items[mine.values[place]]) - score) <= 2 * scale, (row, place)


def test_items_that_are_alike_to_float32_are_told_apart() -> None:
    """The kind `nearly alike` is what it says: by float32 alone the lists would be others."""
    persons, items = inputs("nearly alike", np.random.default_rng(1))
    rough = np.argsort(-(persons.astype(np.float32) @ items.T.astype(np.float32)), axis=1, kind="stable")[:, :10]
    exact = np.argsort(-(persons @ items.T), axis=1, kind="stable")[:, :10]
    assert (rough != exact).mean() > 0.5
