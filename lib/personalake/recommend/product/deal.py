"""Items dealt to stripes of equal work, so that no task is left with the popular ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def work_by_item(item_starts: Array, item_persons: Array, person_starts: Array) -> Array:
    """How many products each item's row of XᵀX takes: Σ over its persons of their number of items.

    Args:
        item_starts, item_persons: the matrix by item.
        person_starts: where each person's items start in the matrix by person.
    """
    lengths = np.diff(person_starts)[item_persons].astype(np.int64)
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return np.asarray(ends[item_starts[1:]] - ends[item_starts[:-1]])


def dealt(work: Array, stripes: int) -> Array:
    """The stripe of each item: by falling work, to and fro over the stripes.

    Args:
        work: of each item.
        stripes: how many there are, ≥ 1.
    """
    turn = np.arange(len(work)) % (2 * stripes)
    stripe_of = np.empty(len(work), np.int32)
    stripe_of[np.argsort(-work, kind="stable")] = np.where(turn < stripes, turn, 2 * stripes - 1 - turn)
    return stripe_of
