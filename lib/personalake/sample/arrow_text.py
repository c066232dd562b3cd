"""Lines of text from columns, a column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_HEX = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), dtype="S2")


def joined(*parts: pa.Array | str, null: str = "") -> pa.Array:
    """Parts of each row put together, as `f"{a}{b}"` would.

    Args:
        parts: string columns and constants, at least one of them a column.
        null: what a missing part reads.
    """
    pieces = [pa.scalar(part) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*pieces, "", null_handling="replace", null_replacement=null)


def quoted(column: pa.Array) -> pa.Array:
    """In double quotes; null stays null.

    Args:
        column: strings without quotes or backslashes.
    """
    return pc.binary_join_element_wise(pa.scalar('"'), column, pa.scalar('"'), "", null_handling="emit_null")


def where(mask: np.ndarray, column: pa.Array) -> pa.Array:
    """The column where the mask is true, else null.

    Args:
        mask: one boolean per row.
        column: any type.
    """
    return pc.if_else(pa.array(mask), column, pa.scalar(None, column.type))


def picked(pool: Sequence[str] | pa.Array, index: np.ndarray) -> pa.Array:
    """Strings of a pool by number; −1 gives null.

    Args:
        pool: the strings.
        index: one number per row.
    """
    strings = pool if isinstance(pool, pa.Array) else pa.array(pool, pa.string())
    return strings.take(pa.array(index, mask=index < 0))


def digits(numbers: np.ndarray, mask: np.ndarray | None = None) -> pa.Array:
    """Whole numbers as text, null where the mask is false.

    Args:
        numbers: integers.
        mask: which rows have one; all where not given.
    """
    column = pa.array(numbers.astype(np.int64), mask=None if mask is None else ~mask)
    return pc.cast(column, pa.string())


def major(minor: np.ndarray, mask: np.ndarray) -> pa.Array:
    """Cents as a decimal string such as `12.90`, null where the mask is false.

    Args:
        minor: cents.
        mask: which rows have an amount.
    """
    size = np.abs(minor)
    sign = picked(("", "-"), (minor < 0).astype(np.int64))
    cents = picked(tuple(f".{number:02d}" for number in range(100)), size % 100)
    return where(mask, joined(sign, digits(size // 100), cents))


def hexadecimal(numbers: np.ndarray) -> pa.Array:
    """64-bit numbers as 16 hexadecimal digits.

    Args:
        numbers: uint64.
    """
    data = _HEX[numbers.astype(">u8").view(np.uint8)].tobytes()
    offsets = np.arange(0, 16 * len(numbers) + 1, 16, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(numbers), [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def mixed(numbers: np.ndarray, salt: int) -> np.ndarray:
    """A fixed permutation of 64-bit numbers that looks random (the finaliser of splitmix64).

    Args:
        numbers: integers.
        salt: another salt gives another permutation.
    """
    with np.errstate(over="ignore"):
        value = numbers.astype(np.uint64) + np.uint64(salt % 2**64)
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@lru_cache(maxsize=1)
def clock() -> pa.Array:
    """`HH:MM:SS` for every second of a day."""
    return pa.array([f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86400)])
