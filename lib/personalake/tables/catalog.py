"""All declared tables, by name, in the order of the flow."""

from __future__ import annotations

from personalake.tables import (
    audiences,
    evaluate,
    identity,
    ingest,
    predictions,
    profiles,
    recommend,
    runs,
    segments,
    tags,
)
from personalake.tables.spec import Table

ALL: dict[str, Table] = {
    table.name: table
    for module in (ingest, identity, profiles, predictions, segments, tags, audiences, recommend, evaluate, runs)
    for table in vars(module).values()
    if isinstance(table, Table)
}

COMMANDS = frozenset({"unlink", "tag", "audience"})
"""Commands that write a table of their own, which stages read."""
