"""Every file is looked at from end to end before any of it is used."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc
from pyspark.sql import SparkSession

from ingest.source_text import source_of
from personalake.errors import DataError
from personalake.ingest.files import RawFile, changed_files, list_files, missing_files
from personalake.ingest.inspect import inspect_files

SEED = 1952
HEADER = b"ts,visitor,uid,act,item,price,note\n"
COLUMNS = "ts string, n bigint"


def put(root: Path, name: str, content: bytes) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


def avro(rows: list[dict[str, object]]) -> bytes:
    fields = [{"name": "ts", "type": "string"}, {"name": "n", "type": "long"}]
    stream = io.BytesIO()
    fastavro.writer(stream, {"type": "record", "name": "row", "fields": fields}, rows, codec="deflate")
    return stream.getvalue()


def parquet(root: Path, name: str, table: pa.Table) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, root / name)


def test_every_broken_file_is_told_at_once_and_the_sound_ones_get_a_hash(spark: SparkSession, tmp_path):
    raw, conf = tmp_path / "raw", tmp_path / "conf"
    web = source_of(conf, "web", path="web/*")
    bare = source_of(conf, "bare", path="bare/*", header=False)
    table = source_of(conf, "table", format="parquet", path="table/*", schema=COLUMNS, event_id="ts",
                      fields={"device_id": "ts", "event_type": "ts"})  # fmt: skip
    doc = source_of(conf, "doc", format="json", path="doc/*", schema=COLUMNS, event_id="ts", records="data.events",
                    fields={"device_id": "ts", "event_type": "ts"})  # fmt: skip
    rows = source_of(conf, "rows", format="orc", path="rows/*", schema=COLUMNS, event_id="ts",
                     fields={"device_id": "ts", "event_type": "ts"})  # fmt: skip
    packed = source_of(conf, "packed", format="avro", path="packed/*", schema="ts string", event_id="ts",
                       fields={"device_id": "ts", "event_type": "ts"})  # fmt: skip
    row = b"1,v,u,pv,i,,\n"
    document = b'{"data": {"events": [{"ts": "1"}, {"ts": "2", "more": 1}]}}'
    good = {
        "web/good.csv": HEADER + row,
        "web/good.csv.gz": gzip.compress(HEADER + row),
        "web/two members.csv.gz": gzip.compress(HEADER) + gzip.compress(row),
        "web/bom, quoted and CRLF.csv": b"\xef\xbb\xbf" + HEADER.replace(b"ts,", b'"ts", ').replace(b"\n", b"\r\n"),
        "web/two frames.csv.zst": zstd(HEADER) + zstd(row),
        "web/other order.csv": b"note,ts,visitor,uid,act,item,price,further\n,1,v,u,pv,i,,x\n",
        "web/empty.csv": b"",
        "web/header alone.csv": HEADER,
        "doc/good.json": document,
        "doc/none.json": b'{"data": {"events": []}}',
        "web/empty.csv.gz": b"",
        "bare/anything.csv": row,
    }
    cut = gzip.compress(HEADER + random.Random(SEED).randbytes(5000))
    bad = {
        "web/cut.csv.gz": cut[: len(cut) // 2],
        "web/plain.csv.gz": HEADER,
        "web/cut.csv.zst": zstd(HEADER + row)[:-3],
        "web/plain.csv.zst": HEADER,
        "web/packed.csv": gzip.compress(HEADER + row),
        "web/parquet.csv": b"PAR1" + row,
        "web/twice.csv": HEADER.replace(b"note", b"note,ts"),
        "web/utf-16.csv": (HEADER + row).decode().encode("utf-16"),
        "doc/cut.json": document[: len(document) // 2],
        "doc/elsewhere.json": b'{"data": {"event": []}}',
        "doc/lines.json": b'{"ts": "1"}\n{"ts": "2"}\n',
        "web/other header.csv": HEADER.replace(b"visitor", b"cookie"),
        "web/no header.csv": row,
        "web/at 12:30.csv": HEADER,
        "table/text.parquet": b"ts,n\n",
        "table/empty.parquet": b"",
    }
    for name, content in (good | bad).items():
        put(raw, name, content)
    (raw / "rows").mkdir()
    parquet(raw, "table/good.parquet", pa.table({"n": pa.array([1], pa.int64()), "ts": ["1"], "more": [1.5]}))
    parquet(raw, "table/other.parquet", pa.table({"n": pa.array([1], pa.int32())}))
    parquet(raw, "table/unknown.parquet", pa.table({"ts": ["1"], "n": pa.array([1], pa.uint64())}))
    orc.write_table(pa.table({"n": pa.array([1], pa.int64()), "ts": ["1"]}), str(raw / "rows" / "good.orc"))
    orc.write_table(pa.table({"n": pa.array([1], pa.int32()), "ts": ["1"]}), str(raw / "rows" / "other.orc"))
    put(raw, "rows/cut.orc", (raw / "rows/good.orc").read_bytes()[:-20])
    put(raw, "packed/good.avro", avro([{"ts": "1", "n": 2}] * 50))
    put(raw, "packed/cut.avro", avro([{"ts": "1", "n": 2}] * 50)[:-20])
    put(raw, "packed/text.avro", b"ts,n\n")
    sources = (web, bare, doc, rows, packed, table)
    files = list_files(str(raw), sources)
    gone = RawFile("web", "web/gone.csv", str(raw / "web/gone.csv"), 1, datetime(2024, 1, 1, tzinfo=UTC))
    _, faults = inspect_files(spark, str(raw), [*files, gone], sources)
    declared = "Declared: ts, visitor, uid, act, item, price, note."
    no_parquet = "is no complete Parquet file. Deliver it again."
    no_gzip = "is no complete gzip file. Deliver it again."
    no_zstd = "is no complete Zstandard file. Deliver it again."
    no_document = "is no complete JSON document with an array of records at data.events. Deliver it again."
    as_declared = "Deliver what the source declares, under an ending that tells its packing."
    assert [str(fault) for fault in faults] == [
        "source web, file web/at 12:30.csv: has a colon in its name, which Spark cannot read. Rename it.",
        f"source web, file web/cut.csv.gz: {no_gzip}",
        f"source web, file web/cut.csv.zst: {no_zstd}",
        f"source web, file web/no header.csv: has the columns 1, v, u, pv, i, , . {declared}",
        f"source web, file web/other header.csv: has the columns ts, cookie, uid, act, item, price, note. {declared}",
        f"source web, file web/packed.csv: is a gzip file, not a text. {as_declared}",
        f"source web, file web/parquet.csv: is a Parquet file, not a text. {as_declared}",
        f"source web, file web/plain.csv.gz: {no_gzip}",
        f"source web, file web/plain.csv.zst: {no_zstd}",
        f"source web, file web/twice.csv: has the columns ts, visitor, uid, act, item, price, note, ts. {declared}",
        "source web, file web/utf-16.csv: begins with the byte-order mark of UTF-16, not of utf-8. "
        "Say `encoding: utf-16` in its YAML.",
        f"source doc, file doc/cut.json: {no_document}",
        f"source doc, file doc/elsewhere.json: {no_document}",
        f"source doc, file doc/lines.json: {no_document}",
        "source rows, file rows/cut.orc: is no complete ORC file. Deliver it again.",
        "source rows, file rows/other.orc: column n is int, declared as bigint.",
        "source packed, file packed/cut.avro: is no complete Avro file. Deliver it again.",
        "source packed, file packed/text.avro: is no complete Avro file. Deliver it again.",
        f"source table, file table/empty.parquet: {no_parquet}",
        "source table, file table/other.parquet: column ts is missing, declared as string; "
        "column n is int, declared as bigint.",
        f"source table, file table/text.parquet: {no_parquet}",
        "source table, file table/unknown.parquet: has a column of a type that Spark does not know. "
        "Deliver it without.",
        "source web, file web/gone.csv: cannot be read (FileNotFoundError). Check that it exists and may be read.",
    ]
    sound = [
        file for file in files if file.read_key in {*good, "table/good.parquet", "rows/good.orc", "packed/good.avro"}
    ]
    seen, none = inspect_files(spark, str(raw), sound, sources)
    assert none == []
    assert [dataclasses.replace(file, content_hash="", header=(), undeclared=()) for file in seen] == sound
    found = {file.read_key: (file.header, dict(file.undeclared)) for file in seen if file.header or file.undeclared}
    assert found == {
        "doc/good.json": ((), {"more": 1}),
        "packed/good.avro": ((), {"n": 50}),
        "web/other order.csv": (("note", "ts", "visitor", "uid", "act", "item", "price", "further"), {"further": 1}),
    }
    for file in seen:
        assert file.content_hash == hashlib.sha256(Path(file.path).read_bytes()).hexdigest()
    assert len(seen) == len(good) + 3


def test_files_of_a_source_are_found_below_raw_root_alone(tmp_path):
    raw = tmp_path / "raw"
    for name in ("web/b.csv", "web/a.csv", "web/deep/c.csv", "web/.hidden.csv", "web/_temporary/0/d.csv", "web/e.txt"):
        put(raw, name, b"x")
    os.utime(raw / "web/a.csv", (1_700_000_000.9, 1_700_000_000.9))
    files = list_files(f"{tmp_path}/other/../raw/", [source_of(tmp_path / "conf", path="web/*.csv")])
    assert [(f.source, f.read_key, f.size) for f in files] == [
        ("web", "web/a.csv", 1),
        ("web", "web/b.csv", 1),
        ("web", "web/deep/c.csv", 1),
    ]
    assert files[0].modified_at == datetime.fromtimestamp(1_700_000_000, UTC)
    assert files[0].path == str(raw / "web/a.csv")


def test_missing_files_of_all_sources_are_told_at_once(tmp_path):
    sources = [source_of(tmp_path / name, name, path=f"{name}/*.csv") for name in ("app", "web")]
    optional = source_of(tmp_path / "tv", "tv", path="tv/*.csv", optional=True)
    root = tmp_path / "raw"
    with pytest.raises(DataError) as refused:
        list_files(str(root), sources)
    assert str(refused.value) == (
        "The data cannot be used (1 fault):\n"
        f"  - raw.root: {root} is no folder. Name the folder that holds the raw logs."
    )
    root.mkdir()
    files = list_files(str(root), [*sources, optional])
    assert [str(fault) for fault in missing_files(str(root), [*sources, optional], files)] == [
        f"source app: no file matches app/*.csv below {root}. Deliver it, or say `optional: true` in its YAML.",
        f"source web: no file matches web/*.csv below {root}. Deliver it, or say `optional: true` in its YAML.",
    ]


def test_a_file_that_grows_or_goes_while_it_is_read_is_told(spark: SparkSession, tmp_path):
    raw = tmp_path / "raw"
    web = source_of(tmp_path / "conf", path="web/*.csv")
    for name in ("a", "b", "c", "d"):
        put(raw, f"web/{name}.csv", HEADER)
    files = list_files(str(raw), [web])
    put(raw, "web/b.csv", HEADER + b"1,v,u,pv,i,,\n")
    _, faults = inspect_files(spark, str(raw), files, [web])
    advice = "Write it under a name that begins with _ and rename it when it is whole."
    assert [str(fault) for fault in faults] == [
        "source web, file web/b.csv: had 35 bytes when it was listed and 48 when it was read, so it is still being "
        f"written. {advice}"
    ]
    os.utime(raw / "web/c.csv", (1, 1))
    (raw / "web/d.csv").unlink()
    told = [f"source web, file web/{name}.csv: changed while it was read. {advice}" for name in ("b", "c", "d")]
    assert [str(fault) for fault in changed_files(str(raw), files)] == told
