"""A stage is refused for a day for which the stages before it were not run."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from personalake.errors import DataError
from personalake.stages import identity, predict, profiles, recommend, segments, tags
from personalake.tables.runs import RUNS
from personalake.upstream import later_day, refuse_other_days
from support.rows import write_tables

FIRST, NOW = date(2024, 3, 1), date(2024, 3, 9)
STAGES = {it.STAGE.name: it.STAGE for it in (identity, profiles, predict, segments, tags, recommend)}

# case → (stage to its runs' days, the last one last; the stage that is wanted as of the ninth; what it is told)
CASES: dict[str, tuple[dict[str, list[date]], str, list[str]]] = {
    "all of the day": ({"identity": [NOW], "profiles": [NOW]}, "segments", []),
    "nothing before it": ({}, "identity", []),
    "a map of another day": ({"identity": [NOW, FIRST]}, "profiles", ["identity: was last run as of 2024-03-01"]),
    "a slice of the day is there": ({"profiles": [NOW, FIRST]}, "segments", []),
    "no slice of the day": ({"profiles": [FIRST]}, "segments", ["profiles: was last run as of 2024-03-01"]),
    "never run": ({}, "segments", ["profiles: was never run"]),
    "roll-ups of another day's persons": (
        {"identity": [FIRST], "profiles": [NOW, FIRST]},
        "predict",
        ["identity: was last run as of 2024-03-01", "profiles: was last run as of 2024-03-01"],
    ),
    "no predictions asked for": ({"identity": [NOW], "profiles": [NOW], "segments": [NOW]}, "tags", []),
    "predictions of another day": (
        {"identity": [NOW, FIRST], "profiles": [NOW], "predict": [FIRST], "segments": [NOW]},
        "tags",
        [],
    ),
}


def rows_of(runs: dict[str, list[date]]) -> list[dict[str, object]]:
    return [
        {"run_id": f"{stage}-{n}", "stage": stage, "as_of_date": day, "state": "complete"}
        for stage, days in runs.items()
        for n, day in enumerate(days)
    ]


@pytest.fixture
def root(tmp_path: Path) -> str:
    return str(tmp_path)


@pytest.mark.parametrize("case", CASES)
def test_what_was_not_made_for_the_day_is_refused(spark: SparkSession, root: str, case: str) -> None:
    runs, wanted, told = CASES[case]
    write_tables(root, {RUNS: rows_of(runs)})
    last = {stage: {"as_of_date": days[-1]} for stage, days in runs.items()}
    stage = STAGES[wanted]
    if not told:
        absent = refuse_other_days(spark, root, wanted, stage.reads, NOW, last)
        assert absent == (["predict"] if case == "predictions of another day" else [])
        return
    with pytest.raises(DataError) as refused:
        refuse_other_days(spark, root, wanted, stage.reads, NOW, last)
    lines = str(refused.value).splitlines()[1:]
    assert len(lines) == len(told)
    assert all(text in line for text, line in zip(told, lines, strict=True))


def test_the_message_says_what_to_do(spark: SparkSession, root: str) -> None:
    write_tables(root, {RUNS: rows_of({"profiles": [FIRST]})})
    with pytest.raises(DataError) as refused:
        refuse_other_days(spark, root, "segments", STAGES["segments"].reads, NOW, {"profiles": {"as_of_date": FIRST}})
    assert str(refused.value).splitlines()[1:] == [
        "  - stage profiles: was last run as of 2024-03-01, not 2024-03-09. "
        "Run `personalake profiles --as-of 2024-03-09` first, or `personalake run --as-of 2024-03-09`."
    ]


def test_the_next_day_that_was_run(spark: SparkSession, root: str) -> None:
    assert later_day(spark, root, "identity", FIRST) is None
    days = [date(2024, 3, 7), NOW, FIRST]
    write_tables(root, {RUNS: rows_of({"identity": days, "profiles": [date(2024, 3, 2)]})})
    assert [later_day(spark, root, "identity", day) for day in sorted(days)] == [days[0], NOW, None]
