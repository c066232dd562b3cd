"""Greedy re-ranking of many lists side by side, on numpy arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NOTHING = -1
_DECIMALS = 9
_BELOW_OWN = -1e6


@dataclass(frozen=True)
class Lists:
    """Candidates of many persons, padded to one length, each person's in the order they come in.

    Args:
        relevance: persons × candidates; the higher the better; at most 1.
        is_own: whether it is a candidate of the person's own; others stay behind these, in the order they come in.
        is_there: False where there is no candidate.
        attributes: persons × candidates × kinds; equal numbers are equal values, -1 is unknown.
        taste: the share of the person's history that the candidate's value of the calibrated kind has.
    """

    relevance: Doubles
    is_own: Flags
    is_there: Flags
    attributes: Ints
    taste: Doubles


@dataclass(frozen=True)
class Order:
    """How lists are ordered.

    Args:
        length: of the lists.
        mmr_lambda: share of relevance against the likeness to the most alike picked so far; 1: relevance alone.
        calibration: weight of calibration, from 0 to below 1.
        calibrated: which kind of attribute is calibrated.
        smoothing: share of the taste mixed into the list's distribution.
        caps: kind of attribute, and how many picks may have one value of it.
    """

    length: int
    mmr_lambda: float = 1.0
    calibration: float = 0.0
    calibrated: int = 0
    smoothing: float = 0.01
    caps: Sequence[tuple[int, int]] = ()


def greedy_picks(lists: Lists, order: Order) -> tuple[Ints, Ints]:
    """Pick the best candidate again and again.

    Best is (1 − c) · [λ · relevance − (1 − λ) · largest likeness to a pick] − c · KL(taste ‖ list with it): maximal
    marginal relevance (Carbonell, Goldstein 1998) and greedy calibration (Steck 2018) together, each as published where
    the other is off. Likeness is the share of attributes that two items have in common. Of equals, the first is taken.

    Args:
        lists: the candidates.
        order: what to go by.

    Returns:
        persons × length: places of the picks, -1 where no candidate is left; and persons × candidates: which cap kept
        a candidate out that stands before the last pick, -1 where none did.
    """
    persons, width = lists.relevance.shape
    picks = np.full((persons, order.length), NOTHING, dtype=np.int64)
    same = np.zeros(lists.attributes.shape, dtype=np.int32)
    likeness = np.zeros((persons, width))
    left = lists.is_there.copy()
    rows = np.arange(persons)
    for place in range(order.length if width else 0):
        value = np.where(
            left & (_capped(same, lists, order) == NOTHING), _value(lists, order, same, likeness, place), -np.inf
        )
        best = value.argmax(axis=1)
        is_picked = value[rows, best] > -np.inf
        if not is_picked.any():
            break
        picks[is_picked, place] = best[is_picked]
        left[rows[is_picked], best[is_picked]] = False
        mine = lists.attributes[rows, best][:, None, :]
        equal = (lists.attributes == mine) & (mine != NOTHING) & is_picked[:, None, None]
        same += equal
        np.maximum(likeness, equal.mean(axis=2), out=likeness)
    return picks, _kept_out(picks, left, _capped(same, lists, order))


def _value(lists: Lists, order: Order, same: npt.NDArray[np.int32], likeness: Doubles, place: int) -> Doubles:
    """What each candidate would add as the next pick."""
    worth = order.mmr_lambda * lists.relevance - (1 - order.mmr_lambda) * likeness
    if order.calibration:
        worth = (1 - order.calibration) * worth + order.calibration * _gain(lists, order, same, place)
    behind = _BELOW_OWN - np.arange(worth.shape[1])
    return np.where(lists.is_own, np.round(worth, _DECIMALS), behind)


def _gain(lists: Lists, order: Order, same: npt.NDArray[np.int32], place: int) -> Doubles:
    """By how much a candidate brings the list nearer to the taste than one of no known value would.

    KL(p ‖ q̃) = Σ p log(p / q̃), q̃ = (1 − α) q + α p: of the candidates for one pick, only the term of a candidate's own
    value differs from what all have in common.
    """
    own, mixed = lists.taste, order.smoothing * lists.taste
    before = (1 - order.smoothing) * same[:, :, order.calibrated] / (place + 1)
    after = before + (1 - order.smoothing) / (place + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain: Doubles = own * (np.log(after + mixed) - np.log(before + mixed))
    return np.where(own > 0, gain, 0.0)


def _capped(same: npt.NDArray[np.int32], lists: Lists, order: Order) -> Ints:
    """Which cap a candidate has run into; -1: none."""
    found = np.full(lists.relevance.shape, NOTHING, dtype=np.int64)
    for number, (kind, limit) in reversed(list(enumerate(order.caps))):
        found[(same[:, :, kind] >= limit) & (lists.attributes[:, :, kind] != NOTHING)] = number
    return found


def _kept_out(picks: Ints, left: Flags, capped: Ints) -> Ints:
    last = picks.max(axis=1, initial=NOTHING)
    stands_before = np.arange(left.shape[1])[None, :] < last[:, None]
    return np.where(left & stands_before, capped, NOTHING)
