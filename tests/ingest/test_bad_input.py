"""What bad input gets: whole faults stop their source alone, records go to quarantine with a code, a rerun repairs."""

from __future__ import annotations

import gzip
import os
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from ingest.lake import HEADER, KEY, Lake, T
from personalake.errors import DataError
from personalake.privacy.hashing import decrypt_text
from personalake.stages import ingest as stage
from personalake.store.read import read
from personalake.tables.ingest import EVENTS, REJECTED_RECORDS

GOOD = f"{T},v,u,pv,good,1,1"
MILLION = "x" * 1_000_000

# name of the case → (line, what becomes of it). The item is the case's name.
LINES = {
    "a million-character line": (f"{T},v,u,pv,long,1,{MILLION}", "taken"),
    "a million commas": (f"{T},v,u,pv,commas" + "," * 1_000_000, "ING-001"),
    "a million characters in open quotes": (f'{T},v,u,pv,open,1,"{MILLION}', "ING-001"),
    "a million quotes": (f"{T},v,u,pv,quotes,1," + '"' * 999_999, "ING-001"),
    "NUL bytes": (f"{T},v\0,u,pv,nul\0,1,1", "taken"),
    "a 40-digit number": (f"{T},v,u,pv,digits,{'9' * 40},1", "taken"),
    "a 40-digit time": (f"{'9' * 40},v,u,pv,time,1,1", "ING-002"),
    "a login that is the word null": (f"{T},v,NULL,pv,null login,1,1", "taken"),
    "nobody but the word null": (f"{T},null,undefined,pv,nobody,1,1", "ING-006"),
    "half a line": (f"{T},v", "ING-001"),
    "another format": ('{"ts": 1}', "ING-001"),
}


@pytest.fixture(scope="module")
def lines(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(spark, tmp_path_factory.mktemp("lines"))
    lake.source(revision=None)
    lake.put("plain.csv", [line for line, _ in LINES.values()])
    lake.run()
    return lake


def test_each_bad_line_is_taken_or_refused_with_its_code(lines):
    rows = read(lines.spark, lines.settings.warehouse.root, REJECTED_RECORDS).collect()
    refused = {decrypt_text(KEY, row.record): row.reason_code for row in rows}
    assert {name: refused.get(line, "taken") for name, (line, _) in LINES.items()} == {
        name: code for name, (_, code) in LINES.items()
    }


def test_what_no_number_and_no_login_becomes(lines):
    rows = {row.item_id: row for row in read(lines.spark, lines.settings.warehouse.root, EVENTS).collect()}
    assert rows["digits"].value == pytest.approx(1e40)
    assert rows["null login"].login_id is None
    assert rows["null login"].device_id == rows["digits"].device_id != rows["nul\0"].device_id
    assert len(rows) == 4


BROKEN = {
    "a gzip cut in half": ("cut.csv.gz", gzip.compress(f"{HEADER}\n{GOOD}\n".encode() * 50)[:40]),
    "a file of another format": ("picture.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 50),
    "a file of other columns": ("other.csv", b"a;b\n1;2\n"),
}


def test_whole_faults_stop_their_source_alone_and_a_rerun_repairs(spark, tmp_path):
    lake = Lake(spark, tmp_path)
    lake.source("app", path="app/*.csv")
    lake.source("tv", path="tv/*.csv")
    app = tmp_path / "raw" / "app" / "a.csv"
    app.parent.mkdir(parents=True)
    app.write_text(f"{HEADER}\n{GOOD}\n")
    lake.put("empty.csv", [])
    (tmp_path / "raw" / "web" / "nothing.csv").write_bytes(b"")
    lake.put("good.csv", [GOOD])
    for name, content in BROKEN.values():
        (tmp_path / "raw" / "web" / name).write_bytes(content)
    lake.source(path="web/*")
    with pytest.raises(DataError) as refused:
        lake.run()
    assert str(refused.value) == (
        "The data cannot be used (4 faults):\n"
        f"  - source tv: no file matches tv/*.csv below {tmp_path / 'raw'}. Deliver it, or say `optional: true` in its "
        "YAML.\n"
        "  - source web, file web/cut.csv.gz: is no complete gzip file. Deliver it again.\n"
        "  - source web, file web/other.csv: has the columns a;b. Declared: ts, visitor, uid, act, item, price, note.\n"
        "  - source web, file web/picture.csv: is an image, not a text. Deliver what the source declares, under an "
        "ending that tells its packing."
    )
    assert sources_of(lake) == {"app": 1}
    for name, _ in BROKEN.values():
        (tmp_path / "raw" / "web" / name).unlink()
    lake.source("tv", path="tv/*.csv", optional=True)
    job = lake.run()
    assert sources_of(lake) == {"app": 1, "web": 1}
    assert (job.rows_in, job.rows_rejected) == (1, 0)


def sources_of(lake: Lake) -> dict[str, int]:
    counts = read(lake.spark, lake.settings.warehouse.root, EVENTS).groupBy("source").count().collect()
    return {row["source"]: row["count"] for row in counts}


def test_a_file_that_grows_while_it_is_read_stops_its_source_and_is_read_when_it_is_whole(spark, tmp_path, monkeypatch):
    lake = Lake(spark, tmp_path)
    lake.source("app", path="app/*.csv")
    app = tmp_path / "raw" / "app" / "a.csv"
    app.parent.mkdir(parents=True)
    app.write_text(f"{HEADER}\n{GOOD}\n")
    lake.put("a.csv", [GOOD])
    grown = tmp_path / "raw" / "web" / "a.csv"
    real = stage.map_records

    def map_and_grow(*arguments):
        mapped = real(*arguments)
        with grown.open("a") as stream:
            stream.write(f"{T},v,u,pv,more,1,1\n")
        return mapped

    monkeypatch.setattr(stage, "map_records", map_and_grow)
    with pytest.raises(DataError) as refused:
        lake.run()
    assert "source web, file web/a.csv: changed while it was read. Write it under a name that begins" in str(
        refused.value
    )
    assert sources_of(lake) == {"app": 1}
    monkeypatch.undo()
    lake.run()
    assert sources_of(lake) == {"app": 1, "web": sum("pv" in line for line in grown.read_text().splitlines()[1:]) - 1}


# How a record may be written, and what its one event says: item and time.
SHAPES = {
    "gb18030": ({"encoding": "gb18030"}, f"{HEADER}\n{T},v,u,pv,\u8336,1,1\n".encode("gb18030"), "\u8336"),
    "utf-16": ({"encoding": "utf-16"}, f"{HEADER}\r\n{T},v,u,pv,\u8336,1,1\r\n".encode("utf-16"), "\u8336"),
    "a byte-order mark": ({}, b"\xef\xbb\xbf" + f"{HEADER}\n{T},v,u,pv,bom,1,1\n".encode(), "bom"),
    "zstd": ({}, pa.compress(f"{HEADER}\n{T},v,u,pv,zstd,1,1\n".encode(), codec="zstd", asbytes=True), "zstd"),
    "quoted newline": ({"quoted_newlines": True}, f'{HEADER}\n{T},v,u,pv,"two\nlines",1,1\n'.encode(), "two\nlines"),
    "another order": ({}, f"more,note,price,item,act,uid,visitor,ts\n,1,1,order,pv,u,v,{T}\n".encode(), "order"),
}
RECORD = f'{{"ts": "{T}", "visitor": "v", "act": "pv", "item": "doc"}}'
DOCUMENT = f'{{"data": {{"events": [\n  {RECORD},\n  {{"ts": 5}}, 7]}}}}'
# Six styles of a date, the hour that does not exist, and the one that comes twice.
STYLES = {
    "dd/MM/yyyy HH:mm:ss": ("16/10/2016 12:00:00", "2016-10-16 10:00:00"),
    "MM-dd-yyyy h:mm a": ("10-16-2016 12:00 PM", "2016-10-16 10:00:00"),
    "yyyyMMddHHmmss": ("20161016120000", "2016-10-16 10:00:00"),
    "d MMM yyyy HH:mm": ("6 Oct 2016 12:00", "2016-10-06 10:00:00"),
    "unix_millis": ("1476619200000", "2016-10-16 12:00:00"),
    "iso8601": ("2016-10-16T12:00:00+05:30", "2016-10-16 06:30:00"),
    "yyyy-MM-dd HH:mm": ("2016-03-27 02:30", "2016-03-27 01:30:00"),
    "yyyy-MM-dd HH:mm:ss": ("2016-10-30 02:30:00", "2016-10-30 00:30:00"),
}


@pytest.fixture(scope="module")
def written(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, datetime]]]:
    """Source to item and time of its events: every way of writing a file, in one run."""
    lake = Lake(spark, tmp_path_factory.mktemp("shapes"))
    (lake.folder / "conf" / "web.yaml").unlink()
    for number, (_, (settings, content, _)) in enumerate(SHAPES.items()):
        ending = "csv.zst" if content[:4] == b"\x28\xb5\x2f\xfd" else "csv"
        put(lake.folder, f"s{number}", ending, content)
        lake.source(f"s{number}", path=f"s{number}/*", **settings)
    put(lake.folder, "doc", "json", DOCUMENT.encode())
    lake.source("doc", path="doc/*", format="json", records="data.events")
    for number, (form, (said, _)) in enumerate(STYLES.items()):
        put(lake.folder, f"t{number}", "csv", f"{HEADER}\n{said},v,u,pv,time,1,1\n".encode())
        time = {"column": "ts", "format": form} | ({} if form == "unix_millis" else {"zone": "Europe/Berlin"})
        lake.source(f"t{number}", path=f"t{number}/*", time=time)
    lake.refused = lake.run().rows_rejected  # type: ignore[attr-defined]
    found: dict[str, list[tuple[str, datetime]]] = {"refused": lake.refused}  # type: ignore[attr-defined,dict-item]
    for row in read(spark, lake.settings.warehouse.root, EVENTS).collect():
        found.setdefault(row.source, []).append((row.item_id, row.event_at))
    return found


def put(folder: Path, source: str, ending: str, content: bytes) -> None:
    path = folder / "raw" / source / f"a.{ending}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (T, T))


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=list(SHAPES))
def test_every_way_of_writing_a_file_gives_the_same_event(written, number):
    item = list(SHAPES.values())[number][2]
    assert written[f"s{number}"] == [(item, datetime(2016, 10, 16, 12))]


def test_a_document_gives_its_records_and_refuses_the_broken_ones(written):
    assert written["doc"] == [("doc", datetime(2016, 10, 16, 12))]
    assert written["refused"] == 2


@pytest.mark.parametrize("number", range(len(STYLES)), ids=list(STYLES))
def test_dates_of_many_styles_and_the_hour_that_does_not_exist(written, number):
    told = list(STYLES.values())[number][1]
    assert written[f"t{number}"] == [("time", datetime.fromisoformat(told))]


PACKINGS = {
    "csv": bytes,
    "csv.gz": gzip.compress,
    "csv.zst": lambda content: pa.compress(content, codec="zstd", asbytes=True),
}


def test_a_carriage_return_within_a_line_ends_none_however_the_file_is_packed(spark, tmp_path):
    lake = Lake(spark, tmp_path)
    (tmp_path / "conf" / "web.yaml").unlink()
    text = f"\ufeff{HEADER}\r\n{T},v,u,pv,a\rb,1,1\r\n{T},v,u,pv,end,1,\r\r\n{T},v,u\r{T},v\n"
    for number, (ending, pack) in enumerate(PACKINGS.items()):
        put(lake.folder, f"r{number}", ending, pack(text.encode()))
        lake.source(f"r{number}", path=f"r{number}/*")
    lake.run()
    rows = read(spark, lake.settings.warehouse.root, EVENTS).collect()
    refused = read(spark, lake.settings.warehouse.root, REJECTED_RECORDS).collect()
    for number in range(len(PACKINGS)):
        assert sorted(row.item_id for row in rows if row.source == f"r{number}") == ["a\rb", "end"]
        told = [decrypt_text(KEY, row.record) for row in refused if row.source == f"r{number}"]
        assert told == [f"{T},v,u\r{T},v"]
