"""How a command ends: exit code, words on stderr, one JSON line on stdout."""

from __future__ import annotations

import json
from datetime import date

import pytest

from personalake import operate, sourcing
from personalake.console import guarded
from personalake.errors import (
    ConfigError,
    DataError,
    Fault,
    FloorError,
    LockedError,
    QualityError,
    SetupError,
    near_miss,
)
from personalake.runner import Options
from personalake.runtime import parse_day


class Quoting(Exception):
    """An error of a library whose text quotes the data."""

    def getCondition(self) -> str:
        return "CAST_INVALID_INPUT"


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (DataError(Fault("a", "b.")), 1, "The data cannot be used (1 fault):\n  - a: b."),
        (ConfigError(Fault("a", "b.", "c."), Fault("d", "e.")), 2,
         "The configuration cannot be used (2 faults):\n  - a: b. c.\n  - d: e."),
        (SetupError(Fault("Java", "is missing.")), 2, "This machine is not ready (1 fault):\n  - Java: is missing."),
        (QualityError(Fault("recall", "is .1.")), 3, "A quality gate was not met (1 fault):\n  - recall: is .1."),
        (FloorError(Fault("audience", "is few.")), 3, "The audience is too small (1 fault):\n  - audience: is few."),
        (LockedError(Fault("w", "is held.")), 4, "The warehouse is in use (1 fault):\n  - w: is held."),
        (KeyboardInterrupt(), 130, "Interrupted. Run the same command again to go on."),
        (Quoting("ann@example.org"), 1, "Failed with Quoting [CAST_INVALID_INPUT]. Nothing half-done counts. "
         "PERSONALAKE_DEBUG=1 shows where; that may quote values of the data."),
        (OSError(28, "No space left on device"), 1, "This machine is not ready (1 fault):\n"
         "  - The disk: is full. Free some space, then run the same command again."),
    ],
)  # fmt: skip
def test_each_ending(capsys, error, code, told):
    def work() -> dict[str, object]:
        raise error

    assert guarded("ingest", work) == code
    out, err = capsys.readouterr()
    assert err == told + "\n"
    assert json.loads(out) == {"command": "ingest", "exit_code": code, "state": "failed", "message": told}
    assert guarded("sql", work, prints_data=True) == code
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("command", ["init", "report", "demo", "sample"])
def test_a_command_that_only_writes_refuses_a_dry_run(command):
    more = (1, 1, 1, "2026-01-01", 7, None) if command == "sample" else ()
    with pytest.raises(ConfigError) as refused:
        getattr(operate, command)(Options(dry_run=True), *more)
    assert str(refused.value.faults[0]) == "--dry-run: is not for this command, which only writes. Leave it out."


def test_a_good_ending_is_one_line(capsys):
    assert guarded("ingest", lambda: {"state": "complete", "rows": 3}) == 0
    assert json.loads(capsys.readouterr().out) == {"command": "ingest", "exit_code": 0, "state": "complete", "rows": 3}
    assert guarded("sql", lambda: None, prints_data=True) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("word", "allowed", "told"),
    [("viwe", ["view", "click"], "Did you mean view?"), ("zzz", ["b", "a"], "Allowed: a, b."), ("x", [], "")],
)
def test_near_misses(word, allowed, told):
    assert near_miss(word, allowed) == told


@pytest.mark.parametrize("text", ["20260101", "2026-W01-1", "2026-02-30", "2026-13-01", "01-02-2026", "today", ""])
def test_a_day_is_written_in_one_way(text):
    with pytest.raises(ConfigError) as refused:
        parse_day(text, "--since")
    assert str(refused.value.faults[0]) == f"--since {text}: is no day. Write YYYY-MM-DD."
    assert parse_day("2026-02-28") == date(2026, 2, 28)


def test_a_sample_that_is_not_there_is_a_fault_of_usage(tmp_path):
    with pytest.raises(ConfigError) as refused:
        sourcing.guess(Options(), f"{tmp_path}/nope.csv")
    assert str(refused.value.faults[0]) == f"{tmp_path}/nope.csv: is no file. Name a sample file."


def test_a_run_that_tells_no_rows_has_its_line():
    row = {
        "started_at": "2024-03-01 12:00:00",
        "stage": "recommend",
        "state": "running",
        "seconds": None,
        "rows_out": None,
    }
    assert operate.run_line(row) == "2024-03-01 12:00:00  recommend  running        0.0 s             0 rows"
