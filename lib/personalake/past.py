"""What the last complete run of a stage read and wrote: what may be built upon, and what changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from personalake.store.changes import changed_partitions
from personalake.store.versions import version_of
from personalake.tables.spec import Table


@dataclass(frozen=True)
class Last:
    """What the last complete run of a stage left, whichever code did it.

    Args:
        started_at: when it began.
        outputs: table to the version that was left.
    """

    started_at: datetime
    outputs: Mapping[str, int]

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> Last:
        """As a row of runs tells it."""
        return cls(row["started_at"], {name: int(version) for name, version in (row["output_versions"] or {}).items()})


@dataclass(frozen=True)
class Before:
    """The last complete run of a stage, where the same code did it.

    Args:
        inputs: table to the version that was read.
        outputs: table to the version that was left.
        had_same_settings: whether the settings that its rows depend on were those of now.
        day: its as-of day.
        facts: what else its rows depended on, as the stage's fingerprint tells it.
    """

    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    had_same_settings: bool = True
    day: date | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    def changed_dates(self, root: str, source: Table, version: int, kept: Table, column: str) -> list[str] | None:
        """Days on which an input changed between what was read and a version; see `Job.changed_dates`."""
        since, left = self.inputs.get(source.name), self.outputs.get(kept.name)
        now = version_of(root, kept.name)
        if since is None or left is None or now is None or now < left:
            return None
        days = changed_partitions(root, source.name, column, since, version)
        return None if days is None else sorted(days)

    def is_as_left(self, root: str, table: Table) -> bool:
        """Whether a table holds the rows that were left, no more and no less.

        Args:
            root: warehouse.root.
            table: partitioned by one column or none.
        """
        left, now = self.outputs.get(table.name), version_of(root, table.name)
        if left is None or now is None:
            return False
        column = table.partition[0] if table.partition else None
        return changed_partitions(root, table.name, column, left, now) == frozenset()
