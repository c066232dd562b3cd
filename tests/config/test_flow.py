"""The flow checks itself; a stage may only touch what it declares; a run is skipped only where nothing changed."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from personalake.config import load_settings
from personalake.flow import FLOW, STAGES, faults, written_by
from personalake.job import Job, Stage
from personalake.manifest import (
    Fingerprint,
    append_run,
    code_version,
    complete_run_ids,
    is_unchanged,
    last_complete,
    run_name,
)
from personalake.store.schema import ensure_tables
from personalake.tables.catalog import ALL, COMMANDS
from personalake.tables.evaluate import MODEL_METRICS
from personalake.tables.ingest import EVENTS, ITEMS
from personalake.tables.runs import RUNS
from personalake.tables.spec import STRING, Col, Table

NOW = datetime(2024, 3, 10, 12, 30, 5, tzinfo=UTC)
DAY = date(2024, 3, 10)


def stage(name: str, reads: tuple[Table, ...] = (), writes: tuple[Table, ...] = ()) -> Stage:
    return Stage(name, name, reads, writes, (), lambda job: None)


def test_the_flow_is_sound_and_writes_every_declared_table():
    assert faults(FLOW) == []
    # Each once, the one that two stages write too.
    by_command = [table for table in ALL.values() if table.stage in COMMANDS]
    assert sorted(table.name for table in (*written_by(FLOW), *by_command, RUNS)) == sorted(ALL)
    assert [s.name for s in FLOW] == list(STAGES)


def test_what_is_wrong_with_a_flow_is_told():
    stray = Table("strays", "x", "other", ("id",), (Col("id", STRING, "x"),))
    assert faults(
        [stage("early", reads=(EVENTS,)), stage("ingest", writes=(EVENTS,)), stage("late", writes=(EVENTS,))]
    ) == [
        "early reads events, which no stage before it writes",
        "late and ingest both write events",
        "late writes events, which is declared for ingest",
    ]
    assert faults([stage("other", writes=(stray,))]) == ["strays is not in the catalogue"]
    assert faults([stage(name, writes=(MODEL_METRICS,)) for name in ("recommend", "evaluate")]) == []
    assert faults([stage("tags", writes=(MODEL_METRICS,))]) == [
        "tags writes model_metrics, which is declared for evaluate, profiles, predict, recommend"
    ]


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    root = str(tmp_path_factory.mktemp("runs"))
    ensure_tables(spark, root, [RUNS])
    return root


def job_of(spark: SparkSession, root: str, **more: Any) -> Job:
    settings = load_settings([], [f"warehouse.root={root}"])
    return Job(spark, settings, stage("ingest", reads=(ITEMS,), writes=(EVENTS,)), "run", NOW, None, **more)


def test_a_stage_touches_only_what_it_declares(spark, tmp_path):
    job = job_of(spark, str(tmp_path))
    rows = spark.createDataFrame([], "x int")
    for touch, told in (
        (lambda: job.read(RUNS), "stage ingest does not declare that it reads runs"),
        (lambda: job.merge(ITEMS, rows), "the flow does not give items to stage ingest"),
        (lambda: job.replace(ITEMS, rows), "the flow does not give items to stage ingest"),
        (lambda: job.replace_where(ITEMS, rows, {}), "the flow does not give items to stage ingest"),
        (lambda: job.as_of, "stage ingest has no as-of day"),
    ):
        with pytest.raises(ValueError, match="stage") as refused:
            touch()
        assert str(refused.value) == told


def test_rows_put_down_come_back_even_where_there_are_none(spark, tmp_path):
    job = job_of(spark, str(tmp_path))
    text = "id string, at timestamp, more map<string,string>"
    empty = job.put_down(spark.createDataFrame([], text), "empty")
    assert (empty.count(), empty.schema.simpleString()) == (0, spark.createDataFrame([], text).schema.simpleString())
    full = job.put_down(
        spark.createDataFrame([("b", NOW, None), ("a", None, {"x": "y"})], text).coalesce(1), "full", "id"
    )
    assert [(r.id, r.more) for r in full.collect()] == [("a", {"x": "y"}), ("b", None)]


def test_the_newest_complete_run_of_each_stage_counts(spark, lake):
    def ran(run_id: str, name: str, hour: int, state: str = "complete") -> None:
        started = NOW.replace(hour=hour)
        append_run(spark, lake, {"run_id": run_id, "stage": name, "state": state, "started_at": started,
                                 "input_versions": {"events": "3"}})  # fmt: skip

    ran("r1", "tags", 1)
    ran("r3", "tags", 3, "failed")
    ran("r2", "tags", 2)
    ran("r1", "segments", 1)
    last = last_complete(spark, lake)
    assert {name: row["run_id"] for name, row in last.items()} == {"tags": "r2", "segments": "r1"}
    assert last["tags"]["input_versions"] == {"events": "3"}
    assert last["tags"]["started_at"] == datetime(2024, 3, 10, 2, 30, 5)
    assert complete_run_ids(spark, lake, "tags") == ["r1", "r2"]


def test_without_a_table_of_runs_there_is_no_last_run(spark, tmp_path):
    assert last_complete(spark, str(tmp_path)) == {}


WANTED = Fingerprint(DAY, "conf", "code", {"events": "3"})
LAST = {"config_hash": "conf", "code_version": "code", "as_of_date": DAY, "input_versions": {"events": "3"},
        "output_versions": {"tags": "1"}}  # fmt: skip


@pytest.mark.parametrize(
    ("case", "last", "unchanged"),
    [
        ("the same", {}, True),
        ("never ran", None, False),
        ("another setting", {"config_hash": "other"}, False),
        ("other code", {"code_version": "other"}, False),
        ("another day", {"as_of_date": date(2024, 3, 9)}, False),
        ("newer input", {"input_versions": {"events": "2"}}, False),
        ("another set of inputs", {"input_versions": {"events": "3", "items": "1"}}, False),
        ("its table was written since", {"output_versions": {"tags": "0"}}, False),
        ("its table is gone", {"output_versions": {"tags": "1", "segments": "1"}}, False),
        ("it wrote nothing", {"output_versions": None}, True),
        ("another stage wrote rows of its own since", {"output_versions": {"model_metrics": "0"}}, True),
        ("a table of several stages went back", {"output_versions": {"model_metrics": "2"}}, False),
    ],
)
def test_a_stage_is_unchanged_only_where_nothing_it_depends_on_has_changed(tmp_path, case, last, unchanged):
    for name in ("tags", "model_metrics"):
        log = tmp_path / name / "_delta_log"
        log.mkdir(parents=True)
        for version in (0, 1):
            Path(log, f"{version:020}.json").touch()
    assert is_unchanged(str(tmp_path), WANTED, None if last is None else LAST | last) is unchanged, case


def test_the_names_of_runs_sort_by_their_start_and_differ_within_a_second():
    names = [run_name(NOW, "a"), run_name(NOW, "b"), run_name(NOW.replace(minute=31), "a")]
    assert names[0].startswith("20240310T123005Z-")
    assert len(set(names)) == 3
    assert max(names) == names[2]
    assert dataclasses.is_dataclass(WANTED)
    assert code_version() == code_version()
