"""The nearest items of given items on one machine: compiled where numba is there, by numpy where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from personalake.recommend.product.compiled import HAS_NUMBA
from personalake.recommend.product.kernels import SCALE, Csr, cosine_rows
from personalake.recommend.product.measures import CODES, EUCLIDEAN, Measure, similarities
from personalake.recommend.product.pair_kernels import pair_rows
from personalake.recommend.product.words import Rows, items_and_values

Array = npt.NDArray[Any]
# Items whose neighbours are found before rows are handed on: so many, and no more than fit so many bytes.
_BATCH = 4096
_BATCH_BYTES = 64 << 20
_NEIGHBOUR_BYTES = 12


@dataclass(frozen=True)
class Rule:
    """Which pairs of items count, how alike they are, and how many are kept per item."""

    measure: Measure = "cosine"
    neighbours: int = 50
    min_co_count: int = 1
    shrink: float = 0.0


@dataclass(frozen=True)
class Items:
    """What a product needs to know of every item: ‖x‖, its persons, and its place in the order of ids."""

    norms: Array
    counts: Array
    orders: Array
    person_count: int


def batches_of(wanted: Array, items: Items, rule: Rule) -> Iterator[Array]:
    """Cut wanted items into parts whose neighbours take little room, however many of them are kept."""
    size = max(1, min(_BATCH, _BATCH_BYTES // (_NEIGHBOUR_BYTES * _most(items, rule))))
    for begin in range(0, wanted.size, size):
        yield wanted[begin : begin + size]


def nearest(
    wanted: Array, by_item: Csr, by_person: Rows, items: Items, rule: Rule, compiled: bool = HAS_NUMBA
) -> tuple[Array, Array, Array]:
    """The nearest items of each wanted item.

    Args:
        wanted: item numbers.
        by_item, by_person: the matrix in both orders, the second in words; a part of the persons will do, if it is all
            of the wanted items'.
        items: of all items.
        rule: which pairs, by what measure, how many.
        compiled: False takes numpy; the rows are the same.

    Returns:
        For every kept pair, wanted item by wanted item and best first: the other item and the similarity at 9 decimals;
        and for every wanted item how many there are.
    """
    size = _most(items, rule)
    found = np.empty((wanted.size, size), np.int32)
    scores = np.empty((wanted.size, size))
    kept = np.zeros(wanted.size, np.int32)
    out = (found, scores, kept)
    if not compiled:
        _numpy_rows(wanted, by_item, by_person, items, rule, out)
    elif rule.measure == "cosine" and rule.min_co_count <= 1:
        cosine_rows(wanted, by_item, by_person, items.norms, items.orders, float(rule.shrink), out)
    else:
        code = (CODES[rule.measure], rule.min_co_count, float(rule.shrink))
        of_items = (items.norms, items.counts, items.orders, float(items.person_count))
        pair_rows(wanted, by_item, by_person, of_items, code, out)
    mask = np.arange(size)[None, :] < kept[:, None]
    return found[mask], scores[mask], kept


def _most(items: Items, rule: Rule) -> int:
    """How many neighbours an item can have."""
    return min(rule.neighbours, max(1, items.norms.size - 1))


def entries_of(starts: Array, lengths: Array) -> Array:
    """The places start … start + length - 1 of every run, one after another."""
    ends = np.cumsum(lengths)
    return np.asarray(np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths))


def ranks_of(kept: Array) -> Array:
    """1 … n for each of some lists of n, one after another (int32)."""
    return np.asarray(entries_of(np.ones_like(kept), kept), np.int32)


def _numpy_rows(wanted: Array, by_item: Csr, by_person: Rows, items: Items, rule: Rule, out: tuple[Array, ...]) -> None:
    found, scores, kept = out
    code = CODES[rule.measure]
    for place, item in enumerate(wanted):
        others, sums = _sums(item, by_item, by_person, code)
        one, all_counts, norms = items.counts[item], items.counts[others], items.norms[others]
        with np.errstate(invalid="ignore", divide="ignore"):
            raw = similarities(
                code, sums, one, items.norms[item], all_counts, norms, float(items.person_count), rule.shrink
            )
        values = np.rint(raw * SCALE) / SCALE
        usable = (others != item) & (values > 0) & (sums[:, 0] >= rule.min_co_count)
        others, values = others[usable], values[usable]
        best = np.lexsort((items.orders[others], -values))[: found.shape[1]]
        kept[place] = len(best)
        found[place, : len(best)], scores[place, : len(best)] = others[best], values[best]


def _sums(item: int, by_item: Csr, by_person: Rows, code: int) -> tuple[Array, Array]:
    """The items met together with one, and the sums of each such pair as `similarities` reads them."""
    at = slice(by_item[0][item], by_item[0][item + 1])
    persons, mine = by_item[1][at], by_item[2][at]
    starts, lengths = by_person[0][persons], by_person[0][persons + 1] - by_person[0][persons]
    entries = entries_of(starts, lengths)
    met, right = items_and_values(by_person, entries)
    left = np.repeat(mine, lengths)
    others, place = np.unique(met, return_inverse=True)
    product = (left - right) ** 2 if code == EUCLIDEAN else left * right
    parts = (np.ones(len(left)), product, left, right, left * left, right * right)
    return others, np.stack([np.bincount(place, part, len(others)) for part in parts], axis=1)
