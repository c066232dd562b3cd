"""How well a partition of identifiers into persons agrees with the truth, and how to compare two partitions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from itertools import combinations
from typing import NamedTuple

Pair = tuple[Hashable, Hashable]


class PairScores(NamedTuple):
    """Pairwise precision and recall, and the counts they come from."""

    precision: float
    recall: float
    found_pairs: int
    true_pairs: int
    right_pairs: int


def pairwise_scores(found: Mapping[Hashable, Hashable], truth: Iterable[tuple[Hashable, Hashable]]) -> PairScores:
    """Scores over the pairs of identifiers that the truth knows.

    Args:
        found: identifier → person, as found; identifiers that are missing are alone.
        truth: (identifier, person); an identifier may have several persons (a shared device), and a pair is right
            when any person has both.
    """
    rows = list(truth)
    known = {identifier for identifier, _ in rows}
    true = _pairs((identifier, person) for identifier, person in rows)
    grouped = _pairs((identifier, person) for identifier, person in found.items() if identifier in known)
    right = len(true & grouped)
    return PairScores(
        right / len(grouped) if grouped else 1.0, right / len(true) if true else 1.0, len(grouped), len(true), right
    )


def groups(labels: Iterable[tuple[Hashable, Hashable]]) -> frozenset[frozenset[Hashable]]:
    """(member, label) rows as a set of sets: two partitions are the same when these are equal."""
    by_label: dict[Hashable, set[Hashable]] = defaultdict(set)
    for member, label in labels:
        by_label[label].add(member)
    return frozenset(frozenset(members) for members in by_label.values())


def _pairs(labels: Iterable[tuple[Hashable, Hashable]]) -> set[Pair]:
    return {pair for members in groups(labels) for pair in combinations(sorted(members, key=repr), 2)}
