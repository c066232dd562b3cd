"""Refused records of columnar files, put again: the same values to the last digit, so the same events."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc
from pyspark.sql import SparkSession

from ingest.lake import ARRIVAL, Lake, T
from personalake.tables.ingest import EVENTS, REJECTED_RECORDS

# Column → its type as Spark declares it, and as Arrow has it. Spark takes each time of an ORC file for a moment.
COLUMNS: dict[str, tuple[str, pa.DataType]] = {
    "id": ("string", pa.string()),
    "verb": ("string", pa.string()),
    "stamp": ("string", pa.string()),
    "at": ("timestamp", pa.timestamp("us", "UTC")),
    "local": ("timestamp_ntz", pa.timestamp("us")),
    "day": ("date", pa.date32()),
    "raw": ("binary", pa.binary()),
    "fee": ("decimal(38,10)", pa.decimal128(38, 10)),
    "ratio": ("double", pa.float64()),
    "part": ("float", pa.float32()),
    "big": ("bigint", pa.int64()),
    "prices": ("array<decimal(9,3)>", pa.list_(pa.decimal128(9, 3))),
}
LACKS = {"parquet": (), "orc": ("local",), "avro": ("prices",)}
MOMENT = datetime(2016, 10, 16, 12, 0, 0, 123456, UTC)


def records() -> list[dict[str, Any]]:
    """Three records that only differ beyond the thousandth of a second; and one that says nothing but who and when."""
    plain = {
        "verb": "swipe",
        "stamp": "2016-10-16T12:00:00Z",
        "day": date(2016, 10, 16),
        "raw": b"\x00\xff\x10" * 40,
        "fee": Decimal("1234567890123456789012345678.0123456789"),
        "ratio": 0.1 + 0.2,
        "part": 0.5,
        "big": 2**63 - 1,
        "prices": [Decimal("1.005"), None],
    }
    rows = []
    for number in range(3):
        at = MOMENT.replace(microsecond=123456 + number)
        rows.append({"id": "same", **plain, "at": at, "local": at.replace(tzinfo=None)})
    said = {"id": "bare", "verb": "swipe", "stamp": plain["stamp"], "at": MOMENT}
    return [*rows, {**dict.fromkeys(COLUMNS), **said}]


AVRO = {
    "type": "record",
    "name": "r",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "verb", "type": "string"},
        {"name": "stamp", "type": "string"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "local", "type": ["null", {"type": "long", "logicalType": "local-timestamp-micros"}]},
        {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}]},
        {"name": "raw", "type": ["null", "bytes"]},
        {
            "name": "fee",
            "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 10}],
        },
        {"name": "ratio", "type": ["null", "double"]},
        {"name": "part", "type": ["null", "float"]},
        {"name": "big", "type": ["null", "long"]},
    ],
}


def put(folder: Path, form: str) -> None:
    folder.mkdir(parents=True)
    path, names = folder / f"a.{form}", [name for name in COLUMNS if name not in LACKS[form]]
    rows = [{name: row[name] for name in names} for row in records()]
    if form == "avro":
        with path.open("wb") as stream:
            fastavro.writer(stream, AVRO, rows)
    else:
        kinds = {name: COLUMNS[name][1] for name in names}
        if form == "orc":
            kinds["at"] = pa.timestamp("us")
            rows = [{**row, "at": row["at"].replace(tzinfo=None)} for row in rows]
        table = pa.Table.from_pylist(rows, pa.schema(list(kinds.items())))
        pq.write_table(table, path) if form == "parquet" else orc.write_table(table, path)
    os.utime(path, (T, T))


@pytest.mark.parametrize("form", list(LACKS))
def test_put_again_they_are_the_events_that_a_plain_reading_gives(spark: SparkSession, tmp_path, form):
    names = [name for name in COLUMNS if name not in LACKS[form]]
    told = {name: f"hex({name})" if name == "raw" else f"`{name}`" for name in names[3:]}
    source = {
        "format": form,
        "path": f"typed/*.{form}",
        "schema": ", ".join(f"{name} {COLUMNS[name][0]}" for name in names),
        "time": {"column": "stamp", "format": "iso8601"},
        "event_id": [*told.values()],
        "fields": {"device_id": "id", "event_type": "verb"},
        "properties": told,
        "revision": None,
    }
    mended = {**source, "event_types": {"swipe": "view"}}
    lake, fresh = Lake(spark, tmp_path / "mended"), Lake(spark, tmp_path / "fresh")
    for one, first in ((lake, source), (fresh, mended)):
        put(one.folder / "raw" / "typed", form)
        one.source(**first)
        one.run()
    assert (lake.rows(EVENTS), len(lake.rows(REJECTED_RECORDS))) == ([], 4)
    lake.source(**mended)
    lake.requeue("web")
    assert lake.rows(REJECTED_RECORDS) == []
    assert len(lake.rows(EVENTS)) == 4
    assert lake.rows(EVENTS, ARRIVAL) == fresh.rows(EVENTS, ARRIVAL)
    lake.run(force=True)
    assert lake.rows(EVENTS, ARRIVAL) == fresh.rows(EVENTS, ARRIVAL)
