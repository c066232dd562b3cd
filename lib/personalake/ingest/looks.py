"""How a file looks: what format its first bytes are of, its columns, and the fields in it that nobody declared."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Set
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from pyarrow import orc
from pyspark.sql.pandas.types import from_arrow_schema

from personalake.ingest.readers import raw_columns
from personalake.ingest.source import Source

COLUMNAR = {"parquet": "Parquet", "orc": "ORC"}
SAMPLED, MOST_FIELDS = 1000, 50
# What does not look like the name of a field may be a value, so it is not told.
NAME, ODD = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"), "(other)"
_MARKS = {
    b"\x1f\x8b": "a gzip file",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"PAR1": "a Parquet file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"PK\x03\x04": "a zip file",
    b"SQLite format 3": "a database file",
    b"%PDF-": "a PDF file",
    b"\x89PNG": "an image",
    b"BZh": "a bzip2 file",
}


def foreign_format(head: bytes, encoding: str) -> str | None:
    """What a file is that should be a text, by its first plain bytes; None where nothing speaks against a text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and not encoding.startswith(("utf-16", "utf-32")):
        return f"begins with the byte-order mark of UTF-16, not of {encoding}. Say `encoding: utf-16` in its YAML."
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return f"is {name}, not a text. Deliver what the source declares, under an ending that tells its packing."
    return None


def first_line(text: str) -> str:
    """The first line of a text, without its end."""
    return text.split("\n", 1)[0].rstrip("\r")


def columns_of(filesystem: pafs.FileSystem, path: str, kind: str) -> str:
    """Column to Spark type of a Parquet or ORC file, as JSON."""
    with filesystem.open_input_file(path) as stream:
        found = pq.read_schema(stream) if kind == "parquet" else orc.ORCFile(stream).schema
    told = {f.name: f.dataType.simpleString() for f in from_arrow_schema(found).fields}
    # Spark takes a time of ORC, and the 96 bits of older Parquet, for a moment; Arrow knows no zone of either.
    moments = {f.name for f in found if kind == "orc" or f.type == pa.timestamp("ns")}
    plain = {name: re.sub(r"\btimestamp_ntz\b", "timestamp", t) if name in moments else t for name, t in told.items()}
    return json.dumps(plain)


def header_of(source: Source, head: str | None) -> tuple[str, ...]:
    """The columns of a CSV file in the order of its header, where that is another than declared; else nothing."""
    if source.format != "csv" or not source.header or not head:
        return ()
    names = _names(source, head)
    return () if names == list(raw_columns(source).names) else tuple(names)


def shape_fault(source: Source, head: str | None) -> str | None:
    """What a file's columns lack of those declared."""
    declared = {f.name: f.dataType.simpleString() for f in raw_columns(source).fields}
    if source.format == "csv" and source.header and head:
        names = _names(source, head)
        if not set(declared) <= set(names) or len(set(names)) < len(names):
            return f"has the columns {', '.join(names)}. Declared: {', '.join(declared)}."
    if source.format in COLUMNAR and head is not None:
        found = json.loads(head)
        wrong = [
            f"column {name} is {found.get(name, 'missing')}, declared as {kind}"
            for name, kind in declared.items()
            if found.get(name) != kind
        ]
        return "; ".join(wrong) + "." if wrong else None
    return None


def undeclared(source: Source, declared: Set[str], text: str) -> dict[str, int]:
    """Field to how many of the first records have it, of the fields that the source does not declare.

    Args:
        source: how its files are written.
        declared: its columns; only a session can tell them from its DDL.
        text: how a text file begins; its last line may be cut.
    """
    if source.further_fields == "ignore":
        return {}
    if source.format == "csv":
        names = _names(source, first_line(text)) if source.header and text else []
        further = [name for name in names if name not in declared]
        return {name if NAME.match(name) else ODD: 1 for name in further} if set(names) > declared else {}
    found: Counter[str] = Counter()
    for line in text.split("\n")[:SAMPLED]:
        found.update(name if NAME.match(name) else ODD for name in set(_object(line)) - declared)
    return dict(sorted(found.items())[:MOST_FIELDS])


def _object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _names(source: Source, head: str) -> list[str]:
    row = next(csv.reader([head], delimiter=source.delimiter, skipinitialspace=True), [])
    return [name.strip() for name in row]
