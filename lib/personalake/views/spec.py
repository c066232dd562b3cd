"""What a view is: declared once, with a comment for every column."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """A reader's question and its answer in SQL.

    Args:
        name: ends in `_v1`; a change that breaks readers is a `_v2` beside it.
        comment: what one row is.
        columns: (name, comment), in the order of the query.
        tables: declared tables the query itself reads; those behind its views are theirs.
        views: views the query reads.
        sql: the query; names are relative to the current database.
    """

    name: str
    comment: str
    columns: tuple[tuple[str, str], ...]
    tables: tuple[str, ...]
    views: tuple[str, ...]
    sql: str

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(name for name, _ in self.columns)
