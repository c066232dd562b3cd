"""Re-ranking as published, one list at a time in plain Python."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Candidate(NamedTuple):
    """relevance: at most 1. attributes: one value per kind, None where unknown. is_own: False stays behind."""

    relevance: float
    attributes: tuple[object, ...]
    is_own: bool = True


class Wish(NamedTuple):
    """As `rerank.kernel.Order`; taste: share by value of the calibrated kind."""

    length: int
    mmr_lambda: float
    calibration: float
    calibrated: int
    smoothing: float
    caps: Sequence[tuple[int, int]]
    taste: Mapping[object, float]


def divergence(picked: Sequence[Candidate], wish: Wish) -> float:
    """KL(p || (1 - α) q + α p) over all values (Steck 2018)."""
    counts = Counter(candidate.attributes[wish.calibrated] for candidate in picked)
    total = 0.0
    for value, share in wish.taste.items():
        if share > 0:
            mixed = (1 - wish.smoothing) * counts[value] / len(picked) + wish.smoothing * share
            total += share * math.log(share / mixed)
    return total


def alike(one: Candidate, other: Candidate) -> float:
    """The share of kinds whose values are known and equal."""
    pairs = list(zip(one.attributes, other.attributes, strict=True))
    return sum(a == b and a is not None for a, b in pairs) / len(pairs)


def is_capped(candidate: Candidate, picked: Sequence[Candidate], wish: Wish) -> bool:
    return any(
        candidate.attributes[kind] is not None
        and sum(other.attributes[kind] == candidate.attributes[kind] for other in picked) >= limit
        for kind, limit in wish.caps
    )


def greedy(candidates: Sequence[Candidate], wish: Wish) -> list[int]:
    """Places of the picks: the best again and again, of equals the first."""
    places: list[int] = []
    while len(places) < wish.length:
        picked = [candidates[n] for n in places]
        best: tuple[float, int] | None = None
        for n, candidate in enumerate(candidates):
            if n in places or is_capped(candidate, picked, wish):
                continue
            likeness = max((alike(candidate, other) for other in picked), default=0.0)
            worth = wish.mmr_lambda * candidate.relevance - (1 - wish.mmr_lambda) * likeness
            if wish.calibration:
                worth = (1 - wish.calibration) * worth - wish.calibration * divergence([*picked, candidate], wish)
            worth = worth if candidate.is_own else -1e6 - n
            if best is None or worth > best[0] + 1e-9:
                best = (worth, n)
        if best is None:
            break
        places.append(best[1])
    return places
