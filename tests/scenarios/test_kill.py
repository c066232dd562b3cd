"""kill -9 at named points: the next run completes, and every table equals that of an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command import QUICK, environment, personalake
from support.tiny_logs import tiny_conf, write_tiny_logs
from support.warehouse import differences

from personalake.flow import FLOW
from personalake.tables.catalog import ALL

# One per write recipe: a merge, a replaced table, a replaced slice, a slice by run, an appended run.
ONE_PER_RECIPE = ("write:events", "write:person_days", "write:segments", "write:recommendations", "stage:evaluate")
EVERY_POINT = tuple(
    point for stage in FLOW for point in (*(f"write:{table.name}" for table in stage.writes), f"stage:{stage.name}")
)
KEY = "k" * 40


def test_the_recipes_are_points_of_the_flow() -> None:
    assert set(ONE_PER_RECIPE) <= set(EVERY_POINT)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    write_tiny_logs(folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("undisturbed") / "warehouse"
    done = _run(logs, root)
    assert done.code == 0, done.err
    yield root


def _run(logs: Path, root: Path, **more: str):  # noqa: ANN202
    options = [*tiny_conf(logs), "--set", f"warehouse.root={root}", *QUICK]
    return personalake("run", *options, PERSONALAKE_KEY=KEY, **more)


def _assert_same(root: Path, undisturbed: Path) -> None:
    found = [line for name in ALL if name != "runs" for line in differences(root, undisturbed, name, 1e-9)]
    assert found == []


def _killed_in_turn(points: tuple[str, ...], logs: Path, root: Path, undisturbed: Path) -> None:
    """One warehouse, killed at each point in turn; each run goes on where the one before died."""
    for point in points:
        done = _run(logs, root, PERSONALAKE_KILL_AT=point)
        assert done.code == -signal.SIGKILL, f"{point} was not reached:\n{done.err}"
    done = _run(logs, root)
    assert done.code == 0, done.err
    _assert_same(root, undisturbed)


@pytest.mark.spark
def test_killed_once_per_write_recipe(logs: Path, undisturbed: Path, tmp_path: Path) -> None:
    _killed_in_turn(ONE_PER_RECIPE, logs, tmp_path / "warehouse", undisturbed)


@pytest.mark.slow
@pytest.mark.spark
def test_killed_at_every_point(logs: Path, undisturbed: Path, tmp_path: Path) -> None:
    _killed_in_turn(EVERY_POINT, logs, tmp_path / "warehouse", undisturbed)


@pytest.mark.slow
@pytest.mark.spark
def test_killed_in_the_middle_of_a_merge(logs: Path, undisturbed: Path, tmp_path: Path) -> None:
    """Files of the merge lie there, its commit does not: they never count."""
    root = tmp_path / "warehouse"
    options = [*tiny_conf(logs), "--set", f"warehouse.root={root}", *QUICK]
    command = [sys.executable, "-m", "personalake.cli", "run", *options]
    process = subprocess.Popen(
        command,
        env=environment(PERSONALAKE_KEY=KEY),
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
    done = _run(logs, root)
    assert done.code == 0, done.err
    _assert_same(root, undisturbed)
