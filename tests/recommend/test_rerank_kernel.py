"""Greedy re-ranking of many lists at once against the published greedy, one list at a time in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from personalake.recommend.rerank.kernel import Lists, Order, greedy_picks
from support.greedy_oracle import Candidate, Wish, greedy

SEED = 11
KINDS, WIDTH, PERSONS = 3, 12, 40
CASES = {
    "relevance": Order(5),
    "mmr": Order(6, mmr_lambda=0.6),
    "unlikeness alone": Order(6, mmr_lambda=0.0),
    "calibration": Order(6, calibration=0.5),
    "both": Order(7, mmr_lambda=0.7, calibration=0.3, calibrated=1, smoothing=0.05),
    "caps": Order(8, caps=((0, 2), (2, 3))),
    "all": Order(8, mmr_lambda=0.5, calibration=0.4, calibrated=2, caps=((1, 2),)),
    "longer than the list": Order(WIDTH + 3, mmr_lambda=0.8),
}


def seeded_lists(seed: int = SEED) -> tuple[Lists, np.ndarray]:
    """Lists of unequal length with ties, unknown values and popular rows, and each person's taste: shares by value."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, WIDTH + 1, PERSONS)
    is_there = np.arange(WIDTH)[None, :] < lengths[:, None]
    relevance = np.sort(np.round(rng.random((PERSONS, WIDTH)), 1), axis=1)[:, ::-1]
    is_own = is_there & (np.arange(WIDTH)[None, :] < (lengths - rng.integers(0, 4, PERSONS))[:, None])
    attributes = np.where(is_there[:, :, None], rng.integers(-1, 4, (PERSONS, WIDTH, KINDS)), -1)
    taste = rng.random((PERSONS, 4)) * (rng.random((PERSONS, 4)) < 0.7)
    taste = taste / np.maximum(taste.sum(axis=1, keepdims=True), 1e-12)
    return Lists(np.where(is_own, relevance, 0.0), is_own, is_there, attributes, np.zeros((PERSONS, WIDTH))), taste


def with_taste(lists: Lists, taste: np.ndarray, kind: int) -> Lists:
    values = lists.attributes[:, :, kind]
    shares = np.where(values >= 0, np.take_along_axis(taste, np.maximum(values, 0), axis=1), 0.0)
    return Lists(lists.relevance, lists.is_own, lists.is_there, lists.attributes, shares)


def plain_picks(lists: Lists, taste: np.ndarray, person: int, order: Order) -> list[int]:
    candidates = [
        Candidate(
            float(lists.relevance[person, n]),
            tuple(None if value < 0 else int(value) for value in lists.attributes[person, n]),
            bool(lists.is_own[person, n]),
        )
        for n in range(WIDTH)
        if lists.is_there[person, n]
    ]
    shares = {value: float(share) for value, share in enumerate(taste[person])}
    wish = Wish(
        order.length, order.mmr_lambda, order.calibration, order.calibrated, order.smoothing, order.caps, shares
    )
    return greedy(candidates, wish)


@pytest.mark.parametrize("name", CASES)
def test_the_picks_are_those_of_the_plain_greedy(name: str) -> None:
    order = CASES[name]
    plain, taste = seeded_lists()
    lists = with_taste(plain, taste, order.calibrated)
    picks, _ = greedy_picks(lists, order)
    for person in range(PERSONS):
        found = [int(n) for n in picks[person] if n >= 0]
        assert found == plain_picks(lists, taste, person, order), f"seed {SEED}, person {person}"


def test_off_it_changes_nothing() -> None:
    lists, _ = seeded_lists()
    picks, kept_out = greedy_picks(lists, Order(WIDTH))
    assert (picks == np.where(lists.is_there, np.arange(WIDTH)[None, :], -1)).all()
    assert (kept_out == -1).all()


def test_what_a_cap_keeps_out_is_told() -> None:
    attributes = np.array([[[7, 0], [7, 1], [7, 2], [8, 3], [-1, 4], [8, 5], [7, 6]]])
    there = np.ones((1, 7), dtype=bool)
    lists = Lists(np.linspace(1, 0, 7)[None, :], there, there, attributes, np.zeros((1, 7)))
    picks, kept_out = greedy_picks(lists, Order(4, caps=((0, 1),)))
    assert picks.tolist() == [[0, 3, 4, -1]]
    assert kept_out.tolist() == [[-1, 0, 0, -1, -1, -1, -1]]


def test_nobody_and_nothing() -> None:
    for persons, width in ((0, 5), (3, 0)):
        there = np.zeros((persons, width), dtype=bool)
        empty: Any = np.zeros((persons, width))
        picks, _ = greedy_picks(Lists(empty, there, there, np.zeros((persons, width, 3), np.int64), empty), Order(4))
        assert picks.tolist() == [[-1] * 4] * persons
