"""The stage on real tables: any order of files, files twice, files changed, records corrected, runs again."""

from __future__ import annotations

from datetime import datetime

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from ingest.lake import KEY, Lake, T
from ingest.source_text import EVENT
from personalake.errors import ConfigError, DataError
from personalake.ingest.entities import doubtful_keys, only_one_per_key
from personalake.privacy.hashing import decrypt_text
from personalake.stages import merging
from personalake.stages.ingest import raw_fingerprint
from personalake.store.read import read
from personalake.tables.ingest import EVENTS, REJECTED_RECORDS, SOURCE_READS
from personalake.tables.spec import Table

DAY = 86_400

# The price is the record's number, the note its revision; the id is visitor and item.
OLD_FIRST = [f"{T},v1,u,pv,corrected later,1,1", f"{T + DAY},v1,u,pv,corrected before,2,2"]
NEW_THEN = [f"{T + DAY},v1,u,pv,corrected later,3,2", f"{T},v1,u,pv,corrected before,4,1"]
SAME = f"{T},v1,u,pv,in both files,5,1"
TIE = (f"{T},v1,u,pv,tie,6,1", f"{T},v1,u,pv,tie,7,1")
CUT = f"{T},v1,u"
A = [*OLD_FIRST, SAME, SAME, TIE[0], CUT, CUT, f"{T},v1,u,swipe,x,8,1"]
B = [*NEW_THEN, SAME, TIE[1], f"{T + 2 * DAY},v2,,pv,only in b,9,", f"{T},,,pv,nobody,10,1"]


def told(lake: Lake, *columns: str) -> dict[str, tuple[object, ...]]:
    frame = read(lake.spark, lake.settings.warehouse.root, EVENTS).select("item_id", *columns)
    return {row.item_id: tuple(row)[1:] for row in frame.collect()}


@pytest.fixture(scope="module")
def one_by_one(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The files in two runs; the second one brings the first file once more under another name."""
    lake = Lake(spark, tmp_path_factory.mktemp("one_by_one"))
    lake.put("m.csv", A)
    lake.first = lake.run()  # type: ignore[attr-defined]
    lake.put("b.csv", B, T + 60)
    lake.put("z copy of m.csv", A, T + 60)
    lake.second = lake.run()  # type: ignore[attr-defined]
    return lake


@pytest.mark.parametrize("many", [0, merging.MANY], ids=["first asking which come twice", "sorting all"])
def test_files_one_by_one_give_what_all_at_once_in_another_order_give(spark, one_by_one, tmp_path, monkeypatch, many):
    monkeypatch.setattr(merging, "MANY", many)
    lake = Lake(spark, tmp_path)
    lake.put("0.csv", [*reversed(B)])
    lake.put("1.csv", [*reversed(A)])
    job = lake.run()
    assert lake.rows(EVENTS) == one_by_one.rows(EVENTS)
    where = {"rejection_id", "file", "rejected_at", "run_id"}
    assert lake.rows(REJECTED_RECORDS, where) == one_by_one.rows(REJECTED_RECORDS, where)
    assert (job.rows_in, job.rows_rejected) == (14, 4)


def test_the_record_with_the_greater_revision_stands_and_may_move_to_another_day(one_by_one):
    assert {name: (value, str(day)) for name, (value, day) in told(one_by_one, "value", "event_date").items()} == {
        "corrected later": (3.0, "2016-10-17"),
        "corrected before": (2.0, "2016-10-17"),
        "in both files": (5.0, "2016-10-16"),
        "tie": (told(one_by_one, "value")["tie"][0], "2016-10-16"),
        "only in b": (9.0, "2016-10-18"),
    }


def test_a_key_that_is_doubted_for_nothing_is_one_row_all_the_same(spark):
    rows = [(f"e{n % 40}", f"{n:03}", ("ING-001", "broken") if n % 14 == 7 else None) for n in range(100)]
    schema = "event_id string, record_version string, _reason struct<code: string, reason: string>"
    staged = with_all_columns(spark.createDataFrame(rows, schema), EVENTS)
    best: dict[str, str] = {}
    for key, version, reason in rows:
        if reason is None:
            best[key] = max(version, best.get(key, ""))
    everybody = staged.select(F.xxhash64("event_id").alias("_key_hash")).distinct()
    for doubtful in (doubtful_keys(staged, EVENTS), everybody, None):
        found = only_one_per_key(staged, EVENTS, doubtful).select("event_id", "record_version").collect()
        assert sorted(map(tuple, found)) == sorted(best.items())


def with_all_columns(rows: DataFrame, table: Table) -> DataFrame:
    missing = [F.lit(None).cast(c.type).alias(c.name) for c in table.cols if c.name not in rows.columns]
    return rows.select("*", *missing)


def test_a_record_that_comes_again_keeps_when_it_first_came(one_by_one):
    assert told(one_by_one, "received_at", "run_id")["in both files"] == (datetime(2016, 10, 16, 12), "run-1")


def test_the_ledger_tells_each_file_and_a_copy_is_not_read_again(one_by_one):
    first, second = one_by_one.first, one_by_one.second
    assert (first.rows_in, first.rows_rejected) == (8, 3)
    assert (second.rows_in, second.rows_rejected) == (6, 1)
    names = {"read_key", "rows_in", "rows_rejected", "state", "modified_at", "run_id"}
    assert one_by_one.rows(SOURCE_READS, set(SOURCE_READS.names) - names) == sorted(
        [
            ("web/b.csv", "2016-10-16 12:01:00", "6", "1", "read", "run-2"),
            ("web/m.csv", "2016-10-16 12:00:00", "8", "3", "read", "run-1"),
            ("web/z copy of m.csv", "2016-10-16 12:01:00", "0", "0", "same content", "run-2"),
        ],
        key=str,
    )


def test_equal_broken_records_are_kept_each_and_can_be_read_by_who_holds_the_key(one_by_one):
    frame = read(one_by_one.spark, one_by_one.settings.warehouse.root, REJECTED_RECORDS)
    found = sorted((decrypt_text(KEY, r.record), r.position, r.reason_code, r.file) for r in frame.collect())
    assert found == [
        (f"{T},,,pv,nobody,10,1", 1, "ING-006", "web/b.csv"),
        (CUT, 1, "ING-001", "web/m.csv"),
        (CUT, 2, "ING-001", "web/m.csv"),
        (f"{T},v1,u,swipe,x,8,1", 1, "ING-003", "web/m.csv"),
    ]


def test_no_raw_identifier_is_in_any_file_of_the_warehouse(one_by_one):
    # Parquet packs its pages, so the rows are looked at, and the log as bytes.
    log = b"".join(p.read_bytes() for p in (one_by_one.folder / "lake").rglob("*.json"))
    assert b"v1" not in log.replace(b'"v1', b"")
    shown = {cell for row in one_by_one.rows(EVENTS) for cell in row}
    assert {"v1", "v2", "u"} & shown == set()


# The rest happens in the order it stands here.
def test_a_rerun_does_nothing(one_by_one):
    before = one_by_one.versions()
    job = one_by_one.run()
    assert (job.rows_in, job.rows_out, job.outputs, one_by_one.versions()) == (0, 0, {}, before)


def test_a_changed_file_is_told_and_left_alone(one_by_one):
    before = one_by_one.versions()
    fingerprint = raw_fingerprint(one_by_one.settings)
    one_by_one.put("m.csv", [*A[:-1], f"{T},v1,u,pv,new in m,11,1"], T + 120)
    assert raw_fingerprint(one_by_one.settings) != fingerprint
    job = one_by_one.run()
    assert job.detail == {"changed_files": "1", "changed_file_names": "web/m.csv"}
    assert one_by_one.versions() == before


def test_by_force_changed_files_and_new_mappings_are_read_and_what_was_refused_is_told_anew(one_by_one):
    one_by_one.source(event_types=EVENT["event_types"] | {"swipe": "view"}, required=["device_id"])
    one_by_one.run(force=True)
    found = told(one_by_one, "value")
    assert (found["new in m"], found["x"]) == ((11.0,), (8.0,))
    names = {"file", "position", "reason_code"}
    assert one_by_one.rows(REJECTED_RECORDS, set(REJECTED_RECORDS.names) - names) == [
        ("web/b.csv", "1", "ING-004"),
        ("web/m.csv", "1", "ING-001"),
        ("web/m.csv", "2", "ING-001"),
        ("web/z copy of m.csv", "1", "ING-001"),
        ("web/z copy of m.csv", "2", "ING-001"),
    ]


def test_whatever_is_wrong_with_key_sources_or_files_stops_the_run_before_it_writes(one_by_one):
    before = one_by_one.versions()
    with pytest.raises(ConfigError) as refused:
        one_by_one.run(key=None)
    assert "privacy.key_file: there is no key. Name a file with 32 bytes or more." in str(refused.value)
    one_by_one.source(acquisition={"x": "nott"})
    with pytest.raises(ConfigError) as refused:
        one_by_one.run()
    assert "acquisition.x: nott cannot be resolved. Did you mean note?" in str(refused.value)
    one_by_one.source()
    one_by_one.put("good.csv", [f"{T},v1,u,pv,in a good file,12,1"])
    (one_by_one.folder / "raw" / "web" / "wrong.csv").write_text("a,b\n")
    with pytest.raises(DataError) as refused:
        one_by_one.run()
    assert "source web, file web/wrong.csv: has the columns a, b. Declared: ts, visitor" in str(refused.value)
    assert one_by_one.versions() == before
