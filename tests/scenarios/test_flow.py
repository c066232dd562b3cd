"""What a user of the command line sees: a run, a second run, a dry run, a query, a look-up, faults; and kills.

kill -9 at named points: the next run completes, and every table equals that of an undisturbed run.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable

from personalake.flow import FLOW, written_by
from personalake.store.lock import LOCK_FILE
from personalake.store.versions import versions_of
from personalake.tables.catalog import ALL
from scenarios.conftest import Flow
from support.command import Ended, environment
from support.warehouse import LEFT, differences

pytestmark = pytest.mark.spark
# One per write recipe: a merge, a replaced table, a replaced slice, an appended run.
ONE_PER_RECIPE = ("write:events", "write:person_days", "write:recommendations", "stage:evaluate")
# Written only while two de-identification keys are held.
BY_TWO_KEYS = "identifier_aliases"
EVERY_POINT = tuple(
    point
    for stage in FLOW
    for point in (*(f"write:{t.name}" for t in stage.writes if t.name != BY_TWO_KEYS), f"stage:{stage.name}")
)
# A month of logs is too short to learn from the next thirty days.
NOT_LEARNED = {"predictions", "prediction_rules"}
NOT_EMPTY = {t.name for t in written_by(FLOW)} - {"identity_moves", "segment_moves", BY_TWO_KEYS} - NOT_LEARNED


def test_a_run_ends_with_its_status_and_says_a_line_a_stage(flow: Flow) -> None:
    status = flow.ended.status
    assert (status["command"], status["state"], status["exit_code"]) == ("run", "complete", 0)
    assert [stage["stage"] for stage in status["stages"]] == [stage.name for stage in FLOW]
    assert len(flow.ended.out.strip().splitlines()) == 1
    for stage in FLOW:
        assert sum(line.startswith(f"{stage.name}: ") for line in flow.ended.err.splitlines()) == 1


def test_a_second_reader_reads_every_table_by_its_path(flow: Flow) -> None:
    for name, table in LEFT.items():
        delta = DeltaTable(str(flow.root / name))
        assert [field.name for field in delta.schema().fields] == list(table.names)
        keys = delta.to_pandas(columns=list(table.key))
        assert not keys.duplicated().any(), name
        assert name not in NOT_EMPTY or len(keys) > 0, f"{name} is empty"


def test_runs_keeps_how_lists_were_made_and_what_rules_removed(flow: Flow) -> None:
    runs = DeltaTable(str(flow.root / "runs")).to_pandas()
    detail = dict(runs.loc[(runs["stage"] == "recommend") & (runs["state"] == "complete"), "detail"].item())
    assert re.match(r"\w+ plan \(.+\): ", detail["item_cosine"]), detail
    assert re.fullmatch(r"\d+ pairs", detail["RUL-001"]), detail


def test_a_second_run_skips_everything(flow: Flow) -> None:
    before = versions_of(str(flow.root), ALL.values())
    again = flow.command("run")
    assert again.code == 0, again.err
    assert {stage["state"] for stage in again.status["stages"]} == {"skipped"}
    assert versions_of(str(flow.root), ALL.values()) == before


def test_a_dry_run_says_what_would_happen_and_writes_nothing(flow: Flow) -> None:
    before = versions_of(str(flow.root), ALL.values())
    plan = flow.command("run", "--dry-run", "--set", "identity.logins_per_device=2")
    assert plan.code == 0, plan.err
    assert plan.status["state"] == "planned"
    states = {stage["stage"]: stage["state"] for stage in plan.status["stages"]}
    assert states["ingest"] == "unchanged"
    assert states["identity"] == "would run"
    rows = len(DeltaTable(str(flow.root / "events")).to_pandas(columns=["event_id"]))
    assert f"  reads events ({rows:,} rows now)" in plan.err
    assert versions_of(str(flow.root), ALL.values()) == before


def test_sql_prints_only_its_rows(flow: Flow) -> None:
    query = "SELECT source, count(*) AS event_count FROM events GROUP BY source ORDER BY source"
    answer = flow.command("sql", query, "--format", "csv")
    assert answer.code == 0, answer.err
    counts = DeltaTable(str(flow.root / "events")).to_pandas(columns=["source"])["source"].value_counts()
    expected = [{"source": name, "event_count": str(counts[name])} for name in sorted(counts.index)]
    assert list(csv.DictReader(io.StringIO(answer.out))) == expected


def test_who_holds_the_key_can_look_people_up(flow: Flow) -> None:
    raw = flow.truth["shared_device"]
    answer = flow.command("lookup", "--source", "shop", "--field", "device_id", stdin=f"{raw}\nnobody\n")
    assert answer.code == 0, answer.err
    rows = list(csv.reader(io.StringIO(answer.out)))
    assert rows[0] == ["raw", "identifier", "person_id"]
    found = DeltaTable(str(flow.root / "identity_map")).to_pandas()
    person = found.loc[(found.identifier_kind == "device") & (found.identifier == rows[1][1]), "person_id"]
    assert rows[1] == [raw, rows[1][1], person.item()]
    assert rows[2][0] == "nobody"
    assert rows[2][2] == ""


def test_an_item_has_an_audience_of_those_who_agreed_and_do_not_have_it(flow: Flow) -> None:
    met = DeltaTable(str(flow.root / "interactions")).to_pandas()
    item = met["item_id"].value_counts().sort_index(kind="stable").sort_values(kind="stable").index[0]
    answer = flow.command("audience", "--item", item, "--limit", "5", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(answer.out)))
    assert answer.code == 0 and list(rows[0]) == ["audience_rank", "person_id", "score", "source"]
    assert [int(row["audience_rank"]) for row in rows] == list(range(1, len(rows) + 1))
    assert not {row["person_id"] for row in rows} & set(met.loc[met["item_id"] == item, "person_id"])
    listed = DeltaTable(str(flow.root / "recommendations")).to_pandas()
    personal = set(listed.loc[listed["source"].str.startswith("blend"), "person_id"])
    assert {row["person_id"] for row in rows} <= personal


def test_a_second_writer_is_refused(flow: Flow) -> None:
    with (flow.root / LOCK_FILE).open("a+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        refused = flow.command("ingest")
    assert refused.code == 4
    assert refused.status["message"].startswith(
        f"The warehouse is in use (1 fault):\n  - warehouse {flow.root}: is being"
    )


def test_all_faults_of_the_settings_come_at_once_before_spark_starts(flow: Flow) -> None:
    wrong = ("--set", "recomend.limit=3", "--set", "recommend.limit=0", "--set", "time_zone=Mars", "--set", "noequals")
    refused = flow.command("run", *wrong)
    assert refused.code == 2
    lines = refused.status["message"].splitlines()
    assert lines[0] == "The configuration cannot be used (4 faults):"
    assert sorted(lines[1:]) == [
        "  - --set noequals: has no `=`. Write section.key=value.",
        "  - --set recomend.limit: is no setting. Did you mean recommend?",
        "  - --set recommend.limit: Input should be greater than or equal to 1.",
        "  - --set time_zone: Mars is no time zone. For example Asia/Shanghai.",
    ]


def test_a_bad_file_stops_its_source_and_the_run_and_no_other_source(flow: Flow, tmp_path: Path) -> None:
    bad = replace(flow, logs=tmp_path / "logs", root=tmp_path / "warehouse")
    shutil.copytree(flow.logs, bad.logs)
    broken = next(path for path in sorted(bad.logs.rglob("*.gz")))
    broken.write_bytes(broken.read_bytes()[:-9])
    refused = bad.command("run")
    assert refused.code == 1
    assert refused.status["message"].splitlines() == [
        "The data cannot be used (1 fault):",
        f"  - source shop, file shop/{broken.name}: is no complete gzip file. Deliver it again.",
    ]
    sources = DeltaTable(str(bad.root / "events")).to_pandas(columns=["source"])["source"]
    whole = DeltaTable(str(flow.root / "events")).to_pandas(columns=["source"])["source"]
    assert sources.value_counts().to_dict() == whole[whole != "shop"].value_counts().to_dict()
    assert "shop" not in set(DeltaTable(str(bad.root / "source_reads")).to_pandas()["source"])
    later = [table for table in ALL.values() if table.stage not in ("ingest", "runtime")]
    assert set(versions_of(str(bad.root), later).values()) <= {0}, "something was made of half the logs"


def test_the_recipes_are_points_of_the_flow() -> None:
    assert set(ONE_PER_RECIPE) <= set(EVERY_POINT)


def _run(flow: Flow, root: Path, **more: str) -> Ended:
    return flow.command("run", root=root, **more)


def _assert_same(root: Path, flow: Flow) -> None:
    found = [line for name in LEFT if name != "runs" for line in differences(root, flow.root, name, 1e-9)]
    assert found == []


def _killed_in_turn(points: tuple[str, ...], flow: Flow, root: Path) -> None:
    """One warehouse, killed at each point in turn; each run goes on where the one before died."""
    for point in points:
        done = _run(flow, root, PERSONALAKE_KILL_AT=point)
        assert done.code == -signal.SIGKILL, f"{point} was not reached:\n{done.err}"
    done = _run(flow, root)
    assert done.code == 0, done.err
    _assert_same(root, flow)


@pytest.mark.slow
def test_killed_once_per_write_recipe(flow: Flow, tmp_path: Path) -> None:
    _killed_in_turn(ONE_PER_RECIPE, flow, tmp_path / "warehouse")


@pytest.mark.slow
def test_killed_at_every_point(flow: Flow, tmp_path: Path) -> None:
    _killed_in_turn(EVERY_POINT, flow, tmp_path / "warehouse")


@pytest.mark.slow
def test_killed_in_the_middle_of_a_merge(flow: Flow, tmp_path: Path) -> None:
    """Files of the merge lie there, its commit does not: they never count."""
    root = tmp_path / "warehouse"
    command = [sys.executable, "-m", "personalake.cli", "run", *flow.options(root)]
    process = subprocess.Popen(
        command,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 300
    while not list(root.glob("events/**/*.parquet")):
        assert process.poll() is None, "the run ended before its merge was seen"
        assert time.monotonic() < deadline, "no merge was seen"
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (root / "events" / "_delta_log" / f"{1:020d}.json").exists(), "the kill came after the commit"
    done = _run(flow, root)
    assert done.code == 0, done.err
    _assert_same(root, flow)
