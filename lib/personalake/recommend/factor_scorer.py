"""Scores that are products of factors: screened in float32, reckoned in float64 where it matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from personalake.recommend.block_kernels import SCALE, dense_top, rounded
from personalake.recommend.block_scorers import Block, Loaded, Scorer
from personalake.recommend.product.compiled import HAS_NUMBA
from personalake.recommend.ragged import Doubles, Ints, Ragged, joined, list_room

Floats = npt.NDArray[np.float32]
# Scores of so many bytes at a time are still in the processor's cache when they are looked through.
_ROUGH_BYTES = 8 * 2**20
_UNIT = 2.0**-24
# Beyond this a product of float32 may be no number.
_GREATEST = 1e30


@dataclass(frozen=True)
class FactorScorer(Scorer):
    """A score is the product of a person's and an item's factors; reads `factor_arrays`.

    Lists come from products in float32, which cost half as much: what comes within their error of a list's last place
    is reckoned anew in float64, so the lists are those that float64 alone would give.
    """

    def row_bytes(self, width: int, limit: int) -> int:
        """The list of one person: scores are looked through while they are in the cache."""
        return 16 * min(width, limit)

    def top(self, loaded: Loaded, block: Block, masked: Ragged, closed: Ints, limit: int) -> Ragged:
        """See `Scorer.top`."""
        mine, factors = _factors(block), loaded["factors"]
        size = max(1, _ROUGH_BYTES // (4 * max(1, len(factors))))
        spans = [(start, min(start + size, len(mine))) for start in range(0, len(mine), size)]
        rough: Floats = loaded["rough_factors"]
        if not HAS_NUMBA or not _fits_float32(mine, factors):
            return joined(dense_top(mine[a:b] @ factors.T, masked.rows(a, b), closed, limit) for a, b in spans)
        rough_mine, margins = mine.astype(np.float32), _errors(mine, factors)
        room = np.empty((size, len(factors)), np.float32)
        lists: list[Ragged] = []
        for a, b in spans:
            line = np.matmul(rough_mine[a:b], rough.T, out=room[: b - a])
            lists.append(_screened(line, mine[a:b], factors, margins[a:b], (masked.rows(a, b), closed), limit))
        return joined(lists)

    def pairs(self, loaded: Loaded, block: Block, asked: Ragged) -> Doubles:
        """See `Scorer.pairs`; only the asked products are reckoned."""
        mine = _factors(block)
        parts = [
            loaded["factors"][asked.values[start:stop]] @ mine[person]
            for person, (start, stop) in enumerate(zip(asked.offsets[:-1], asked.offsets[1:], strict=True))
        ]
        scores = rounded(np.concatenate([np.empty(0), *parts]))
        return np.where(np.isfinite(scores), scores, np.nan)


def factor_arrays(factors: Doubles) -> dict[str, npt.NDArray[Any]]:
    """Item factors (items × rank, rows in the order of the item ids) as arrays to `put_on_nodes`."""
    with np.errstate(over="ignore"):
        return {"factors": factors, "rough_factors": factors.astype(np.float32)}


def _screened(
    rough: Floats, mine: Doubles, factors: Doubles, margins: Doubles, hidden: tuple[Ragged, Ints], limit: int
) -> Ragged:
    from personalake.recommend.factor_kernels import screened_top

    masked, closed = hidden
    items, best = list_room(len(mine), min(limit, len(factors)))
    counts = screened_top(rough, mine, factors, margins, closed, (masked.offsets, masked.values), items, best)
    return Ragged.of_lists(items, best, counts)


def _errors(mine: Doubles, factors: Doubles) -> Doubles:
    """By how much a rough score of each person may be off, at most.

    A product of length n summed in float32 in any order is off by at most γₙ Σ|xᵢyᵢ|, γₙ = nu / (1 - nu) (Higham,
    Accuracy and Stability of Numerical Algorithms, 3.1), and so is what rounding the factors adds; Σ|xᵢyᵢ| ≤ ‖x‖‖y‖.
    The last term is for scores that are alike at 9 decimals.
    """
    terms = factors.shape[1] + 8
    longest = float(np.sqrt(np.einsum("ij,ij->i", factors, factors).max(initial=0.0)))
    lengths = np.sqrt(np.einsum("ij,ij->i", mine, mine))
    errors: Doubles = 2 * terms * _UNIT * longest * lengths + 1 / SCALE
    return errors


def _fits_float32(mine: Doubles, factors: Doubles) -> bool:
    greatest = float(np.abs(mine).max(initial=0.0)) * float(np.abs(factors).max(initial=0.0)) * factors.shape[1]
    return bool(greatest < _GREATEST)  # not so where anything is no number


def _factors(block: Block) -> Doubles:
    if block.factors is None:
        raise ValueError("a scorer by factors needs the factors of its persons")
    return block.factors
