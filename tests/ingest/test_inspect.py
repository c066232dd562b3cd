"""Every file is looked at from end to end before any of it is used."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import os
import random
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from ingest.source_text import source_of
from personalake.errors import DataError
from personalake.ingest.files import RawFile, list_files
from personalake.ingest.inspect import _unpacked, inspect_files

SEED = 1952
HEADER = b"ts,visitor,uid,act,item,price,note\n"
COLUMNS = "ts string, n bigint"


def _split(draw: random.Random, data: bytes) -> list[bytes]:
    cuts = sorted(draw.randrange(len(data) + 1) for _ in range(draw.randrange(4)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def test_gzip_of_any_members_in_any_chunks_gives_what_the_standard_library_gives():
    draw = random.Random(SEED)
    for _ in range(200):
        members = [draw.randbytes(draw.randrange(2000)) * draw.randrange(1, 60) for _ in range(draw.randrange(1, 4))]
        packed = b"".join(gzip.compress(member, draw.randrange(10)) for member in members)
        assert b"".join(_unpacked(_split(draw, packed))) == gzip.decompress(packed), f"seed {SEED}"


def test_gzip_cut_or_spoilt_anywhere_is_told():
    draw = random.Random(SEED)
    packed = gzip.compress(b"first") + gzip.compress(draw.randbytes(300))
    whole = {0, len(gzip.compress(b"first")), len(packed)}
    for length in range(len(packed)):
        if length not in whole:
            with pytest.raises((EOFError, zlib.error)):
                list(_unpacked(_split(draw, packed[:length])))
    for extra in (b"x", b"\n", b"\0\0"):
        with pytest.raises((EOFError, zlib.error)):
            list(_unpacked([packed + extra]))


def test_a_gzip_bomb_takes_no_more_than_a_chunk_of_memory_at_a_time():
    packed = gzip.compress(b"\0" * (64 << 20))
    assert max(len(part) for part in _unpacked([packed])) <= 1 << 20


def put(root: Path, name: str, content: bytes) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)


def parquet(root: Path, name: str, table: pa.Table) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, root / name)


def test_every_broken_file_is_told_at_once_and_the_sound_ones_get_a_hash(spark: SparkSession, tmp_path):
    raw, conf = tmp_path / "raw", tmp_path / "conf"
    web = source_of(conf, "web", path="web/*")
    bare = source_of(conf, "bare", path="bare/*", header=False)
    table = source_of(conf, "table", format="parquet", path="table/*", schema=COLUMNS, event_id="ts",
                      fields={"device_id": "ts", "event_type": "ts"})  # fmt: skip
    row = b"1,v,u,pv,i,,\n"
    good = {
        "web/good.csv": HEADER + row,
        "web/good.csv.gz": gzip.compress(HEADER + row),
        "web/two members.csv.gz": gzip.compress(HEADER) + gzip.compress(row),
        "web/bom, quoted and CRLF.csv": b"\xef\xbb\xbf" + HEADER.replace(b"ts,", b'"ts", ').replace(b"\n", b"\r\n"),
        "web/empty.csv": b"",
        "web/empty.csv.gz": b"",
        "bare/anything.csv": row,
    }
    cut = gzip.compress(HEADER + random.Random(SEED).randbytes(5000))
    bad = {
        "web/cut.csv.gz": cut[: len(cut) // 2],
        "web/plain.csv.gz": HEADER,
        "web/other header.csv": HEADER.replace(b"visitor", b"cookie"),
        "web/no header.csv": row,
        "web/at 12:30.csv": HEADER,
        "table/text.parquet": b"ts,n\n",
        "table/empty.parquet": b"",
    }
    for name, content in (good | bad).items():
        put(raw, name, content)
    parquet(raw, "table/good.parquet", pa.table({"n": pa.array([1], pa.int64()), "ts": ["1"], "more": [1.5]}))
    parquet(raw, "table/other.parquet", pa.table({"n": pa.array([1], pa.int32())}))
    parquet(raw, "table/unknown.parquet", pa.table({"ts": ["1"], "n": pa.array([1], pa.uint64())}))
    sources = (web, bare, table)
    files = list_files(str(raw), sources)
    gone = RawFile("web", "web/gone.csv", str(raw / "web/gone.csv"), 1, datetime(2024, 1, 1, tzinfo=UTC))
    with pytest.raises(DataError) as refused:
        inspect_files(spark, str(raw), [*files, gone], sources)
    declared = "Declared: ts, visitor, uid, act, item, price, note."
    no_parquet = "is no complete Parquet file. Deliver it again."
    no_gzip = "is no complete gzip file. Deliver it again."
    assert str(refused.value).split("\n") == [
        "The data cannot be used (10 faults):",
        "  - source web, file web/at 12:30.csv: has a colon in its name, which Spark cannot read. Rename it.",
        f"  - source web, file web/cut.csv.gz: {no_gzip}",
        f"  - source web, file web/no header.csv: has the columns 1, v, u, pv, i, , . {declared}",
        f"  - source web, file web/other header.csv: has the columns ts, cookie, uid, act, item, price, note. "
        f"{declared}",
        f"  - source web, file web/plain.csv.gz: {no_gzip}",
        f"  - source table, file table/empty.parquet: {no_parquet}",
        "  - source table, file table/other.parquet: column ts is missing, declared as string; "
        "column n is int, declared as bigint.",
        f"  - source table, file table/text.parquet: {no_parquet}",
        "  - source table, file table/unknown.parquet: has a column of a type that Spark does not know. "
        "Deliver it without.",
        "  - source web, file web/gone.csv: cannot be read (FileNotFoundError). Check that it exists and may be read.",
    ]
    sound = [file for file in files if file.read_key in good or file.read_key == "table/good.parquet"]
    seen = inspect_files(spark, str(raw), sound, sources)
    assert [dataclasses.replace(file, content_hash="") for file in seen] == sound
    for file in seen:
        assert file.content_hash == hashlib.sha256(Path(file.path).read_bytes()).hexdigest()
    assert len(seen) == len(good) + 1


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
    with pytest.raises(DataError) as refused:
        list_files(str(root), [*sources, optional])
    assert str(refused.value) == (
        "The data cannot be used (2 faults):\n"
        f"  - source app: no file matches app/*.csv below {root}. Deliver it, or say `optional: true` in its YAML.\n"
        f"  - source web: no file matches web/*.csv below {root}. Deliver it, or say `optional: true` in its YAML."
    )
