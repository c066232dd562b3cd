"""The write recipes on real tables: done twice is done once, and nothing but what was declared gets in."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from delta.exceptions import ConcurrentAppendException
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from personalake.errors import DataError
from personalake.store import write
from personalake.store.folders import clear_scratch, scratch_path
from personalake.store.read import last_date, read
from personalake.store.schema import ensure_tables
from personalake.store.versions import version_of, versions_of
from personalake.store.write import merge, replace, replace_where
from personalake.tables.spec import BIGINT, DATE, DOUBLE, STRING, STRING_MAP, Col, Table, conform

COLS = (
    Col("thing_id", STRING, "Key"),
    Col("made_date", DATE, "Day", optional=False),
    Col("person_id", STRING, "Whose", person=True),
    Col("size_count", BIGINT, "How big"),
    Col("extras", STRING_MAP, "More"),
    Col("record_version", STRING, "Order"),
)
THINGS = Table("things", "One row per thing.", "test", ("thing_id",), COLS, partition=("made_date",))
SLICES = Table("slices", "One row per thing and day.", "test", ("thing_id", "made_date"), COLS)
ROW = (
    "thing_id string, person_id string, size_count bigint, extras map<string,string>, record_version string, day string"
)


@pytest.fixture(scope="module")
def root(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    root = str(tmp_path_factory.mktemp("lake"))
    ensure_tables(spark, root, [THINGS, SLICES, THINGS, THINGS])
    return root


def frame(spark: SparkSession, *rows: tuple[str, int, str, dict[str, str] | None, str], day: str = "2024-03-01") -> Any:
    made = [(name, "p", size, extras, version, made_on or day) for name, size, made_on, extras, version in rows]
    return spark.createDataFrame(made, ROW).withColumn("made_date", F.col("day").cast("date")).drop("day")


def stored(spark: SparkSession, root: str, table: Table = THINGS) -> dict[tuple[str, str], tuple[int, str]]:
    rows = read(spark, root, table).select("thing_id", "made_date", "size_count", "run_id").collect()
    found = {(r.thing_id, str(r.made_date)): (r.size_count, r.run_id) for r in rows}
    assert len(found) == len(rows)
    return found


def test_a_merge_done_twice_is_done_once_and_only_rows_that_differ_are_written(spark, root):
    rows = frame(spark, ("a", 1, "", {"x": "1", "y": "2"}, "1"), ("b", 2, "", None, "1"), ("c", 3, "", None, "1"))
    merge(spark, root, THINGS, rows, "r1")
    merge(spark, root, THINGS, rows, "r2")
    day = "2024-03-01"
    assert stored(spark, root) == {("a", day): (1, "r1"), ("b", day): (2, "r1"), ("c", day): (3, "r1")}
    other = frame(spark, ("a", 1, "", {"y": "2", "x": "1"}, "1"), ("b", 2, "", {"x": "1"}, "1"),
                  ("c", 4, "2024-03-02", None, "1"))  # fmt: skip
    merge(spark, root, THINGS, other, "r3")
    assert stored(spark, root) == {("a", day): (1, "r1"), ("b", day): (2, "r3"), ("c", "2024-03-02"): (4, "r3")}


def test_first_rows_are_compared_with_nothing_unless_another_writer_was_faster(spark, tmp_path, monkeypatch):
    root = str(tmp_path)
    ensure_tables(spark, root, [THINGS, SLICES])
    rows = frame(spark, ("a", 1, "", None, "1"), ("b", 2, "2024-03-02", None, "1"))
    merge(spark, root, THINGS, rows, "r1")
    merge(spark, root, SLICES, rows.withColumn("made_date", F.lit("2024-03-01").cast("date")), "r1")
    assert [_operation(root, name) for name in ("things", "slices")] == ["WRITE", "WRITE"]
    assert stored(spark, root) == {("a", "2024-03-01"): (1, "r1"), ("b", "2024-03-02"): (2, "r1")}
    merge(spark, root, THINGS, frame(spark, ("c", 3, "", None, "1")), "r2")
    assert _operation(root, "things") == "MERGE"
    # Who looked before the first rows came meets their commit, and merges after all.
    raced = Table("raced", "x", "test", ("thing_id",), COLS)
    ensure_tables(spark, root, [raced])
    write_first = write._write_first

    def beaten(*arguments: Any) -> None:
        monkeypatch.setattr(write, "_write_first", write_first)
        merge(spark, root, raced, rows, "faster")
        raise ConcurrentAppendException("met another commit")

    monkeypatch.setattr(write, "_write_first", beaten)
    merge(spark, root, raced, frame(spark, ("b", 2, "2024-03-02", None, "1"), ("d", 4, "", None, "1")), "r3")
    runs = {name: run for (name, _), (_, run) in stored(spark, root, raced).items()}
    assert runs == {"a": "faster", "b": "faster", "d": "r3"}


def test_writers_that_meet_take_turns(spark, tmp_path):
    root = str(tmp_path)
    ensure_tables(spark, root, [THINGS])
    together = Barrier(3)

    def write_one(name: str) -> None:
        rows = frame(spark, (name, 1, "", None, "1"))
        together.wait()
        merge(spark, root, THINGS, rows, name)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(write_one, "abc"))
    assert {name: run for (name, _), (_, run) in stored(spark, root).items()} == {"a": "a", "b": "b", "c": "c"}


def _operation(root: str, name: str) -> str:
    last = max(Path(root, name, "_delta_log").glob("*.json"))
    infos = [json.loads(line).get("commitInfo") for line in last.read_text().splitlines()]
    return next(info["operation"] for info in infos if info)


def test_of_two_records_the_one_with_the_greater_version_stands_whichever_came_first(spark, root):
    merge(
        spark,
        root,
        THINGS,
        frame(spark, ("late", 1, "", None, "1"), ("early", 1, "", None, "2")),
        "r1",
        "record_version",
    )
    second = frame(spark, ("late", 2, "", None, "2"), ("early", 2, "", None, "1"), ("new", 2, "", None, ""))
    for run in ("r2", "r3"):
        merge(spark, root, THINGS, second, run, "record_version")
    found = {name: value for (name, _), value in stored(spark, root).items()}
    assert (found["late"], found["early"], found["new"]) == ((2, "r2"), (1, "r1"), (2, "r2"))


def test_a_merge_takes_away_what_is_said_to_be_gone_unless_it_is_among_the_new_rows(spark, root):
    merge(
        spark,
        root,
        THINGS,
        frame(spark, ("a", 9, "", None, "1")),
        "r4",
        gone=F.col("t.thing_id").isin("a", "b", "none"),
    )
    found = {name: value for (name, _), value in stored(spark, root).items()}
    assert found["a"] == (9, "r4")
    assert "b" not in found
    assert "c" in found


def test_two_new_rows_of_one_key_stop_the_merge_where_the_key_is_there(spark, root):
    before = stored(spark, root)
    with pytest.raises(PySparkException):
        merge(spark, root, THINGS, frame(spark, ("a", 10, "", None, "1"), ("a", 11, "", None, "1")), "r5")
    assert stored(spark, root) == before


def test_slices_are_replaced_alone_and_a_replaced_table_is_replaced_whole(spark, root):
    one, two = "2024-03-01", "2024-03-02"
    for run in ("r1", "r2"):
        replace_where(spark, root, SLICES, frame(spark, ("a", 1, "", None, "")), run, {"made_date": one})
    replace_where(spark, root, SLICES, frame(spark, ("b", 2, "", None, ""), day=two), "r3", {"made_date": two})
    assert stored(spark, root, SLICES) == {("a", one): (1, "r2"), ("b", two): (2, "r3")}
    nothing = frame(spark, ("a", 1, "", None, "")).limit(0)
    replace_where(spark, root, SLICES, nothing, "r4", {"made_date": one}, also="run_id = 'r3'")
    assert stored(spark, root, SLICES) == {}
    for run in ("r5", "r6"):
        replace(spark, root, SLICES, frame(spark, ("c", 3, "", None, "")), run)
    assert stored(spark, root, SLICES) == {("c", one): (3, "r6")}
    assert str(last_date(read(spark, root, SLICES), "made_date")) == one
    with pytest.raises(PySparkException):
        replace_where(spark, root, SLICES, frame(spark, ("d", 4, two, None, "")), "r7", {"made_date": one})


def test_a_frame_that_does_not_fit_is_refused_with_every_fault(spark, root):
    before = versions_of(root, [THINGS])
    rows = spark.createDataFrame([], "thing_id int, made_date date, persn_id string, record_version string")
    with pytest.raises(DataError) as refused:
        merge(spark, root, THINGS, rows, "r")
    assert str(refused.value) == (
        "The data cannot be used (5 faults):\n"
        "  - things.thing_id: is int. Declared as string.\n"
        "  - things.person_id: is missing. Declared as string.\n"
        "  - things.size_count: is missing. Declared as bigint.\n"
        "  - things.extras: is missing. Declared as map<string,string>.\n"
        "  - things.persn_id: is not declared. Did you mean person_id?"
    )
    assert versions_of(root, [THINGS]) == before
    shuffled = frame(spark, ("a", 1, "", None, "")).select(*reversed([c.name for c in COLS]))
    assert conform(shuffled, THINGS, "r").columns == list(THINGS.names)


def test_keys_and_what_is_not_optional_are_never_null(spark, root):
    for name in ("thing_id", "made_date"):
        rows = frame(spark, ("n", 1, "", None, "1")).withColumn(name, F.lit(None).cast(THINGS[name].type))
        with pytest.raises((PySparkException, Py4JJavaError), match=f"NOT NULL constraint violated for column: {name}"):
            merge(spark, root, THINGS, rows, "r")
    log = _log(root)
    schema = json.loads(next(entry["metaData"]["schemaString"] for entry in log if "metaData" in entry))
    assert [f["name"] for f in schema["fields"] if not f["nullable"]] == ["thing_id", "made_date"]


def test_the_log_tells_the_smallest_and_greatest_value_of_keys_and_times_alone(root):
    stats = [json.loads(entry["add"]["stats"]) for entry in _log(root) if "add" in entry and entry["add"].get("stats")]
    assert stats
    assert {name for s in stats for name in s.get("minValues", {})} == {"thing_id"}


def _log(root: str) -> list[dict[str, Any]]:
    files = sorted(Path(root, "things", "_delta_log").glob("*.json"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_new_columns_that_may_be_null_are_added(spark, root):
    more = Table("slices", "x", "test", SLICES.key, (*COLS, Col("price_value", DOUBLE, "New")))
    ensure_tables(spark, root, [more])
    assert read(spark, root, more).schema["price_value"].dataType == DOUBLE
    assert len(stored(spark, root, SLICES)) == 1
    before = version_of(root, "slices")
    ensure_tables(spark, root, [more])
    assert version_of(root, "slices") == before


def test_a_table_that_is_not_as_declared_is_refused_with_every_fault_and_nothing_is_changed(spark, root):
    other = (
        Col("thing_id", BIGINT, "Key"),
        Col("made_date", DATE, "Day"),
        Col("size_count", BIGINT, "How big"),
        Col("weight_value", DOUBLE, "New and needed", optional=False),
        Col("note", STRING, "New"),
    )
    changed = Table("things", "x", "test", ("thing_id",), other)
    fresh = Table("fresh", "x", "test", ("thing_id",), COLS)
    before = version_of(root, "things")
    with pytest.raises(DataError) as refused:
        ensure_tables(spark, root, [fresh, changed])
    todo = f"Move {root}/things away, or migrate it."
    allowed = "Allowed: made_date, note, run_id, size_count, thing_id, weight_value."
    assert str(refused.value) == (
        "The data cannot be used (6 faults):\n"
        f"  - things.thing_id: is string. Declared as bigint. {todo}\n"
        f"  - things.person_id: is not declared. Did you mean run_id? {todo}\n"
        f"  - things.extras: is not declared. {allowed} {todo}\n"
        f"  - things.record_version: is not declared. {allowed} {todo}\n"
        f"  - things: is partitioned by made_date. Declared: nothing. {todo}\n"
        f"  - things.weight_value: is missing. Declared as double NOT NULL. {todo}"
    )
    assert (version_of(root, "things"), version_of(root, "fresh")) == (before, None)


def test_versions_are_told_by_the_log_alone(tmp_path):
    log = tmp_path / "lake" / "things" / "_delta_log"
    log.mkdir(parents=True)
    for name in ("00000000000000000009.json", "00000000000000000010.json", "00000000000000000011.json.tmp",
                 "00000000000000000010.checkpoint.parquet", "_last_checkpoint"):  # fmt: skip
        (log / name).touch()
    assert version_of(str(tmp_path / "lake"), "things") == 10
    assert version_of(str(tmp_path / "lake"), "none") is None
    assert versions_of(str(tmp_path / "lake"), [THINGS, SLICES]) == {"things": 10}


def test_scratch_is_cleared_and_nothing_else(tmp_path):
    path = Path(scratch_path(f"{tmp_path}/", "run", "rows"))
    path.mkdir(parents=True)
    (tmp_path / "events").mkdir()
    clear_scratch(str(tmp_path))
    clear_scratch(str(tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["events"]
