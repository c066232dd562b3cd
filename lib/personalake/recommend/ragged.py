"""Rows of unequal length side by side: histories, masks and lists of a block of persons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Ragged:
    """Rows of unequal length: row i is `values[offsets[i]:offsets[i + 1]]`, its weights lie beside where there are."""

    offsets: Ints
    values: Ints
    weights: Doubles | None = None

    @classmethod
    def of_lists(cls, items: npt.NDArray[np.int32], best: Doubles, counts: Ints) -> Self:
        """Of lists in rows of equal room, each of which is as long as `counts` says."""
        is_kept = np.arange(items.shape[1]) < counts[:, None]
        return cls(np.concatenate([[0], np.cumsum(counts)]), items[is_kept].astype(np.int64), best[is_kept])

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def rows(self, start: int, stop: int) -> Ragged:
        """The rows start … stop - 1."""
        first, last = self.offsets[start], self.offsets[stop]
        weights = None if self.weights is None else self.weights[first:last]
        return Ragged(self.offsets[start : stop + 1] - first, self.values[first:last], weights)

    def row_numbers(self) -> Ints:
        """The number of its row for every value."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))


def joined(parts: Iterable[Ragged]) -> Ragged:
    """Rows with weights, one part after another."""
    found = list(parts)
    lengths = np.concatenate([np.empty(0, np.int64), *(np.diff(part.offsets) for part in found)])
    values = np.concatenate([np.empty(0, np.int64), *(part.values for part in found)])
    weights = np.concatenate([np.empty(0), *(part.weights for part in found if part.weights is not None)])
    return Ragged(np.concatenate([[0], np.cumsum(lengths)]), values, weights)


def list_room(rows: int, limit: int) -> tuple[npt.NDArray[np.int32], Doubles]:
    """Room for lists, a row each: items and scores."""
    return np.empty((rows, limit), np.int32), np.empty((rows, limit))
