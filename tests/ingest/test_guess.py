"""A first YAML from a sample file holds, names the right columns, and is a source that can be loaded."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from pyarrow import orc

from personalake.errors import DataError
from personalake.ingest.guess import guess_source
from personalake.ingest.source import load_sources

T = 1_476_619_200
CSV = "ts,visitor,uid,act,article,session,price\n" + "".join(
    f"{T + n},v{n % 3},,{('pv', 'pay', 'like')[n % 3]},a{n},s{n % 5},{n}.90\n" for n in range(30)
)
OBJECTS = [
    {"event": {"id": f"e{n}", "name": "CONTENT_VIEW"}, "device": {"id": f"d{n % 3}"}, "user": {"login": "u"},
     "content": {"id": 9007199254740993 + n}, "at": f"2016-10-16T12:00:{n:02d}-03:00", "n": 1.5, "tags": ["x"]}
    for n in range(20)
]  # fmt: skip
LINES = "\n".join(map(json.dumps, OBJECTS))


def guessed(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    path = folder / "raw" / "shop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    text = "\n".join(guess_source(path, folder / "raw"))
    (folder / "conf").mkdir()
    (folder / "conf" / "shop.yaml").write_text(text, encoding="utf-8")
    load_sources(folder / "conf")
    return dict(yaml.safe_load(text))


def test_a_csv_file(tmp_path):
    found = guessed(tmp_path, "2016-10.csv.gz", gzip.compress(CSV.encode()))
    assert found == {
        "entity": "event",
        "format": "csv",
        "path": "shop/*.csv.gz",
        "schema": "ts string, visitor string, uid string, act string, article string, session string, price string",
        "time": {"column": "ts", "format": "unix_seconds"},
        "event_id": ["ts", "visitor", "article", "act"],
        "fields": {"event_type": "act", "source_session_id": "session", "device_id": "visitor", "item_id": "article",
                   "amount_minor": "try_cast(try_cast(price as decimal(20,2)) * 100 as bigint)"},
        "event_types": {"like": "favourite", "pay": "buy", "pv": "view"},
    }  # fmt: skip


def test_json_lines_with_structs(tmp_path):
    found = guessed(tmp_path, "a.jsonl", LINES.encode())
    assert found["schema"] == (
        "event struct<id: string, name: string>, device struct<id: string>, `user` struct<login: string>, "
        "content struct<id: bigint>, `at` string, n double, tags array<string>"
    )
    assert (found["event_id"], found["time"]) == ("event.id", {"column": "`at`", "format": "iso8601"})
    fields = {"event_type": "event.name", "device_id": "device.id", "login_id": "`user`.login", "item_id": "content.id"}
    assert found["fields"] == fields
    assert found["event_types"] == {"CONTENT_VIEW": "view"}


@pytest.mark.parametrize(
    ("name", "content", "shape"),
    [
        ("a.json", json.dumps({"data": {"events": OBJECTS}}).encode(), {"format": "json", "records": "data.events"}),
        ("b.json", json.dumps(OBJECTS).encode(), {"format": "json", "records": "."}),
        ("c.jsonl.zst", pa.compress(LINES.encode(), codec="zstd", asbytes=True), {"format": "json"}),
        ("d.tsv", CSV.replace(",", "\t").encode("utf-16"), {"delimiter": "\t", "encoding": "utf-16"}),
        ("e.csv", CSV.replace("like", "\u559c\u6b22").encode("gb18030"), {"encoding": "gb18030"}),
        ("f.csv", b"\xef\xbb\xbf" + CSV.replace(",pv,", ',"p\nv",').encode(), {"quoted_newlines": True}),
        ("g.csv", CSV.split("\n", 1)[1].encode(), {"header": False}),
    ],
)  # fmt: skip
def test_how_files_are_written(tmp_path, name, content, shape):
    found = guessed(tmp_path, name, content)
    keys = {"records", "encoding", "delimiter", "header", "quoted_newlines"}
    assert {key: found[key] for key in shape} == shape
    assert {key for key in found if key in keys} == {key for key in shape if key in keys}


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_columnar_files(tmp_path, kind):
    table = pa.table({
        "record_id": ["a", "b"],
        "happened": pa.array([datetime(2016, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("us", "UTC")),
        "customer": pa.array([1, 2], pa.int64()),
        "action": ["view", "bought"],
    })  # fmt: skip
    path = tmp_path / "x"
    (pq if kind == "parquet" else orc).write_table(table, path)
    found = guessed(tmp_path, f"x.{kind}", path.read_bytes())
    assert found["schema"] == "record_id string, happened timestamp, customer bigint, action string"
    assert found["time"] == {"column": "happened", "format": "timestamp"}
    assert (found["event_id"], found["fields"]) == ("record_id", {"event_type": "action", "login_id": "customer"})


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ("16/10/2016 23:59:59", "dd/MM/yyyy HH:mm:ss"),
        ("10/16/2016 23:59", "MM/dd/yyyy HH:mm"),
        ("1476619200123", "unix_millis"),
        ("2016-10-16 12:00:00+08", "iso8601"),
        ("16.10.2016 12:00:00", "dd.MM.yyyy HH:mm:ss"),
        ("2016/10/16 12:00:00", "yyyy/MM/dd HH:mm:ss"),
    ],
)
def test_six_styles_of_time(tmp_path, said, form):
    found = guessed(tmp_path, "a.csv", f"when,device,act\n{said},d,pv\n{said},e,pv\n".encode())
    assert found["time"] == {"column": "`when`", "format": form}


def test_a_catalogue_is_one_of_items(tmp_path):
    rows = [{"sku": f"s{n}", "name": f"Thing {n}", "tree": "A > B", "cents": n, "since": "2024-01-01T00:00:00Z"}
            for n in range(5)]  # fmt: skip
    found = guessed(tmp_path, "c.jsonl", "\n".join(map(json.dumps, rows)).encode())
    assert found["entity"] == "item"
    fields = {"item_id": "sku", "title": "name", "category": "tree", "price_minor": "try_cast(cents as bigint)"}
    assert found["fields"] == fields


# The last is what the reader of CSV itself refuses: a lone carriage return in the middle of a line.
@pytest.mark.parametrize("content", [b"", b"one word\n", b"\x00\x01\x02", bytes(range(1, 255)) * 9])
def test_what_holds_no_records(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        list(guess_source(path, tmp_path))
    assert str(refused.value.faults[0]) == (
        f"{path}: holds no records that can be told apart. CSV, JSON, Parquet, ORC or Avro."
    )


@pytest.mark.parametrize("spoilt", [lambda packed: packed[:-9], lambda packed: packed[:12] + b"\xff" * 40])
def test_a_broken_gzip_file(tmp_path, spoilt):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(spoilt(gzip.compress(b"a,b\n" + b"1,2\n" * 500)))
    with pytest.raises(DataError) as refused:
        list(guess_source(path, tmp_path))
    assert str(refused.value.faults[0]) == f"{path}: is no complete gzip file. Name a sample file that is whole."


def test_a_person_is_no_id_of_an_event_however_few_there_are(tmp_path):
    rows = [{"ts": T, "user": {"id": "u1"}, "event": "view", "device": {"id": "d1"}}]
    found = guessed(tmp_path, "a.json", json.dumps(rows).encode())
    assert found["event_id"] == ["ts", "device.id", "`user`.id", "event"]
    assert found["fields"] == {"event_type": "event", "device_id": "device.id", "login_id": "`user`.id"}
