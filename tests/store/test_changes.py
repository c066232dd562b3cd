"""Which days of a table changed, from commits that another library wrote."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from personalake.store.changes import changed_partitions

DAYS = ("2026-03-01", "2026-03-02", "2026-03-03")


def rows(*days: str) -> pa.Table:
    dates = pa.array([date.fromisoformat(day) for day in days])
    return pa.table({"event_id": pa.array([f"e{n}" for n in range(len(days))]), "event_date": dates})


@pytest.fixture
def root(tmp_path: Path) -> str:
    """Version 0: three days; 1: a row more of the second; 2: the third is deleted; 3: only rewritten."""
    table = str(tmp_path / "events")
    write_deltalake(table, rows(*DAYS), partition_by=["event_date"])
    write_deltalake(table, rows(DAYS[1]), mode="append")
    delta = DeltaTable(table)
    delta.delete(f"event_date = '{DAYS[2]}'")
    delta.optimize.compact()
    assert delta.version() == 3
    return str(tmp_path)


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (0, 0, set()),
        (0, 1, {DAYS[1]}),
        (1, 2, {DAYS[2]}),
        (0, 3, {DAYS[1], DAYS[2]}),
        (2, 3, set()),
        (-1, 3, set(DAYS)),
        (3, 2, None),
        (3, 4, None),
    ],
)
def test_the_days_between_two_versions(root, since, until, days):
    assert changed_partitions(root, "events", "event_date", since, until) == (None if days is None else frozenset(days))


def test_a_commit_that_is_gone_tells_nothing(root):
    (Path(root) / "events" / "_delta_log" / f"{2:020}.json").unlink()
    assert changed_partitions(root, "events", "event_date", 0, 3) is None
    assert changed_partitions(root, "events", "event_date", 2, 3) == frozenset()


def test_a_table_that_is_not_laid_out_by_the_column_tells_nothing(root, tmp_path):
    assert changed_partitions(root, "events", "started_date", 0, 1) is None
    log = tmp_path / "events" / "_delta_log" / f"{1:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    log.write_text(
        "\n".join(json.dumps(a | {"add": a["add"] | {"partitionValues": {}}} if "add" in a else a) for a in actions)
    )
    assert changed_partitions(root, "events", "event_date", 0, 1) is None


def test_of_a_table_without_days_it_tells_only_that_nothing_changed(root):
    assert changed_partitions(root, "events", None, 2, 3) == frozenset()
    assert changed_partitions(root, "events", None, 1, 3) is None
