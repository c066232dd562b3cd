"""Which plan multiplies: by the size of the matrix against a memory setting, as Spark chooses a join."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from personalake.recommend.product.matrix import ENTRY_BYTES

Plan = Literal["auto", "join", "broadcast", "shuffle"]


@dataclass(frozen=True)
class Choice:
    """The plan taken, and why; `warning`: what is wrong with what it was given, "" where nothing is."""

    plan: Plan
    why: str
    row_count: int
    pair_count: int = 0
    dropped: str = ""
    warning: str = ""

    def __str__(self) -> str:
        pairs = f", {self.pair_count:,} products" if self.pair_count else ""
        size = f"{self.row_count:,} entries{pairs}, {megabytes(self.row_count):,} MiB on a node"
        return f"{self.plan} plan ({self.why}): {size}{self.dropped}{self.warning}"


def megabytes(row_count: int) -> int:
    """What the matrix takes on the driver while it is built, its largest moment [MiB], at least 1."""
    return max(1, row_count * ENTRY_BYTES >> 20)


def chosen(wanted: Plan, row_count: int, memory_mb: int) -> Choice:
    """The plan to take.

    Args:
        wanted: what the settings say; auto: broadcast where the matrix fits, else shuffle.
        row_count: entries of the matrix.
        memory_mb: what it may take on the driver and on every node [MiB].
    """
    if wanted != "auto":
        return Choice(wanted, "as set", row_count)
    fits = megabytes(row_count) <= memory_mb
    verb = "fits" if fits else "does not fit"
    return Choice("broadcast" if fits else "shuffle", f"the matrix {verb} memory_mb {memory_mb:,}", row_count)
