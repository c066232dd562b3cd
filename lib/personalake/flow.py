"""The flow, left to right, and its own checker."""

from __future__ import annotations

from collections.abc import Sequence

from personalake.job import Stage
from personalake.stages import evaluate, identity, ingest, predict, profiles, recommend, segments, tags
from personalake.tables.catalog import ALL, COMMANDS
from personalake.tables.spec import Table

FLOW: tuple[Stage, ...] = (
    ingest.STAGE,
    identity.STAGE,
    profiles.STAGE,
    predict.STAGE,
    segments.STAGE,
    tags.STAGE,
    recommend.STAGE,
    evaluate.STAGE,
)
STAGES = {stage.name: stage for stage in FLOW}


def faults(flow: Sequence[Stage]) -> list[str]:
    """What is wrong with a flow: a table read before it is written, written twice, or not declared as its stage's."""
    found = []
    written: dict[str, str] = {}
    for stage in flow:
        for table in stage.reads:
            if table.name not in written and table.stage not in COMMANDS:
                found.append(f"{stage.name} reads {table.name}, which no stage before it writes")
        for table in stage.writes:
            if table.name in written and not table.also:
                found.append(f"{stage.name} and {written[table.name]} both write {table.name}")
            if stage.name not in table.writers:
                found.append(f"{stage.name} writes {table.name}, which is declared for {', '.join(table.writers)}")
            if ALL.get(table.name) is not table:
                found.append(f"{table.name} is not in the catalogue")
            written[table.name] = stage.name
    return found


def written_by(flow: Sequence[Stage]) -> tuple[Table, ...]:
    """Every table that a flow writes, once: some have rows of several stages."""
    return tuple({table.name: table for stage in flow for table in stage.writes}.values())
