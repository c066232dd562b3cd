"""What every way of running the engine cg shares: how rows are dealt to tasks, turned into other axes, and solved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from personalake.recommend.als_solve import Form, solved_rows
from personalake.recommend.product.matrix import Matrix

if TYPE_CHECKING:
    from personalake.recommend.als import Als

Array = npt.NDArray[Any]
PERSON, ITEM = "person", "item"
_SLICE_BYTES = 4 * 2**20
# Tasks and slices begin at such rows: the blocks that BLAS multiplies are the same however many there are.
_ALIGNED = 64


@dataclass(frozen=True)
class Problem:
    """What there is to fit.

    Args:
        arrays: `{side}_starts`, `{side}_columns`, `{side}_weights` of the persons and the items.
        lengths: of each side how many entries its rows have.
        first: the persons' first factors, directions from the seed as MLlib's are; nothing is read of the items' before
            they are solved.
    """

    arrays: dict[str, Array]
    lengths: dict[str, Array]
    first: Array

    @classmethod
    def of(cls, matrix: Matrix, settings: Als) -> Self:
        """That of a matrix."""
        arrays: dict[str, Array] = {}
        lengths: dict[str, Array] = {}
        for side, rows in ((PERSON, matrix.by_person), (ITEM, matrix.by_item)):
            starts = rows.indptr.astype(np.int64)
            arrays |= {f"{side}_starts": starts, f"{side}_columns": rows.indices, f"{side}_weights": rows.data}
            lengths[side] = np.diff(starts)
        generator = np.random.default_rng(settings.seed)
        directions = generator.standard_normal((len(lengths[PERSON]), settings.rank), dtype=np.float32)
        return cls(arrays, lengths, directions / np.linalg.norm(directions, axis=1, keepdims=True))


@dataclass(frozen=True)
class Source:
    """The side a half-step is solved from.

    Args:
        factors: in axes in which their columns are orthogonal; float32 or float64, the kind reckoned in.
        spectrum: the diagonal of their Gram matrix there.
        axes: these axes in terms of those before.
    """

    factors: Array
    spectrum: Array
    axes: Array


def cuts_of(lengths: Array, rank: int, tasks: int) -> Array:
    """Cut rows into consecutive parts of about equal work.

    Args:
        lengths: entries of each row.
        rank: length of a factor.
        tasks: most parts, ≥ 1.

    Returns:
        Where each part begins, and where the last one ends; multiples of 64 but for the end.
    """
    work = np.cumsum(lengths + rank // 8 + 1)
    wanted = np.searchsorted(work, work[-1] * np.arange(1, tasks) / tasks)
    return np.unique([0, *(wanted // _ALIGNED * _ALIGNED), len(lengths)])


def spans(first: int, last: int, source: Array) -> Iterator[tuple[int, int]]:
    """Cut rows into slices whose factors take a few MiB: first and last row of each."""
    height = max(1, _SLICE_BYTES // (source.itemsize * source.shape[1] * _ALIGNED)) * _ALIGNED
    for start in range(first, last, height):
        yield start, min(start + height, last)


def turned(factors: Array, axes: Array) -> Array:
    """Rows, the first of which is a multiple of 64, in other axes: of the kind of these, and the same however cut."""
    blocks = np.zeros((-(-len(factors) // _ALIGNED), _ALIGNED, len(axes)), axes.dtype)
    blocks.reshape(-1, len(axes))[: len(factors)] = factors
    rows: Array = (blocks @ axes).reshape(-1, len(axes))[: len(factors)]
    return rows


def solved_slice(
    matrix: Mapping[str, Array], side: str, start: int, factors: Array, source: Source, form: Form, steps: int | None
) -> tuple[Array, Array]:
    """Solve some rows of a side.

    Args:
        matrix: arrays of `Problem`.
        side: whose rows.
        start: the first of them.
        factors: what to begin from, of the source's kind; written over.
        source: the other side.
        form: the normal equations.
        steps: steps per row; None: to the end.

    Returns:
        The factors, and each row's part of the loss.
    """
    starts = matrix[f"{side}_starts"][start : start + len(factors) + 1]
    entries = slice(starts[0], starts[-1])
    rows = (starts - starts[0], matrix[f"{side}_columns"][entries], matrix[f"{side}_weights"][entries])
    return solved_rows(rows, source.factors, source.spectrum, form, factors, steps)


def whole_loss(parts: Array, items: Array, lengths: Array, form: Form) -> float:
    """The loss, of the persons' parts and the ridge of the items (in any orthogonal axes)."""
    squares = np.einsum("ij,ij->i", items, items, dtype=np.float64)
    return float(parts.sum() + form.regularisation * (lengths @ squares))
