"""What a sample file shows of itself: packing, encoding, format, columns and some of their values."""

from __future__ import annotations

import csv
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from pyarrow import orc
from pyspark.sql.pandas.types import from_arrow_schema

from personalake.errors import DataError, Fault
from personalake.ingest.documents import avro_records
from personalake.ingest.unpack import lines, open_digested, plain_bytes, quoted_lines, texts

_HEAD = 4 << 20
_ROWS = 2000
_DELIMITERS = (",", "\t", ";", "|")
_PLAIN_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
# Words that SQL keeps for itself.
_RESERVED = {"at", "when", "order", "no", "from", "to", "time", "timestamp", "date", "user", "group", "table", "end"}


@dataclass(frozen=True)
class SampleFile:
    """What was found.

    Args:
        format: csv, json, parquet, orc or avro.
        columns: raw column to Spark type, in order.
        rows: some records; of CSV all values are texts.
        shape: settings of a source that differ from their defaults.
    """

    format: str
    columns: Mapping[str, str]
    rows: list[dict[str, Any]]
    shape: dict[str, Any] = field(default_factory=dict)

    @property
    def ddl(self) -> str:
        """The columns as Spark DDL."""
        return ", ".join(f"{quoted(name)} {kind}" for name, kind in self.columns.items())


def quoted(name: str) -> str:
    """A column's name as an expression says it."""
    return name if _PLAIN_NAME.match(name) and name.lower() not in _RESERVED else "`" + name.replace("`", "``") + "`"


def look_at(path: Path) -> SampleFile:
    """Look at the first records of a file.

    Raises:
        DataError: it cannot be read, or is no file of records.
    """
    try:
        with path.open("rb") as stream:
            mark = stream.read(4)
        if mark in (b"PAR1", b"ORC\x02", b"ORC\x03") or mark[:3] == b"ORC":
            return _columnar(path, "parquet" if mark == b"PAR1" else "orc")
        if mark == b"Obj\x01":
            with open_digested(pafs.LocalFileSystem(), str(path)) as whole:
                rows = [json.loads(record) for record in islice(avro_records(whole), _ROWS)]
            return replace(_of_objects(rows, {}), format="avro")
        text, encoding = _text_of(_plain_head(path))
    except (EOFError, zlib.error):
        raise DataError(Fault(str(path), "is no complete gzip file.", "Name a sample file that is whole.")) from None
    except (OSError, ValueError) as error:
        raise DataError(Fault(str(path), f"cannot be read ({type(error).__name__}).", "Name a sample file.")) from None
    shape = {} if encoding == "utf-8" else {"encoding": encoding}
    found = _json_lines(text)
    if found is None or len(found.rows) == 1:
        found = _json_document(text) or found
    with suppress(csv.Error):
        found = found or _delimited(text)
    if found is None:
        raise DataError(
            Fault(str(path), "holds no records that can be told apart.", "CSV, JSON, Parquet, ORC or Avro.")
        )
    return SampleFile(found.format, found.columns, found.rows, shape | found.shape)


def _columnar(path: Path, kind: str) -> SampleFile:
    table: pa.Table = pq.ParquetFile(path).read() if kind == "parquet" else orc.ORCFile(path).read()
    columns = {f.name: f.dataType.simpleString() for f in from_arrow_schema(table.schema).fields}
    return SampleFile(kind, columns, table.slice(0, _ROWS).to_pylist())


def _plain_head(path: Path) -> bytes:
    parts, length = [], 0
    with open_digested(pafs.LocalFileSystem(), str(path)) as stream:
        for part in plain_bytes(stream, path.name):
            parts.append(part)
            length += len(part)
            if length >= _HEAD:
                break
    return b"".join(parts)[:_HEAD]


def _text_of(head: bytes) -> tuple[str, str]:
    """The text and the encoding that fits it."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "".join(texts([head], "utf-16")), "utf-16"
    if b"\0" in head[1:200:2]:
        return "".join(texts([head], "utf-16-le")), "utf-16-le"
    for encoding in ("utf-8", "gb18030"):
        # The last bytes may be half of a character.
        if any(_decodes(head[: len(head) - cut], encoding) for cut in range(min(4, len(head)) + 1)):
            return "".join(texts([head], encoding)), encoding
    return "".join(texts([head], "latin-1")), "iso8859-1"


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _json_lines(text: str) -> SampleFile | None:
    rows = []
    for line in islice((line for line in lines([text]) if line.strip()), _ROWS):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        rows += [value] if isinstance(value, dict) else []
    told = sum(bool(line.strip()) for line in islice(lines([text]), _ROWS))
    return _of_objects(rows, {}) if rows and len(rows) * 2 > told else None


def _json_document(text: str) -> SampleFile | None:
    try:
        path, rows = next(_arrays(json.loads(text), ()), ((), []))
    except ValueError:
        return None
    return _of_objects(rows[:_ROWS], {"records": ".".join(path) or "."}) if rows else None


def _arrays(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[dict[str, Any]]]]:
    """Arrays of objects in a document, the outermost first."""
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _arrays(inner, (*path, name))


def _of_objects(rows: list[dict[str, Any]], shape: dict[str, Any]) -> SampleFile:
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: _type_of([row[name] for row in rows if row.get(name) is not None]) for name in names}
    return SampleFile("json", columns, rows, shape)


def _type_of(values: list[Any]) -> str:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "bigint"
    if kinds and kinds <= {int, float}:
        return "double"
    if kinds == {dict}:
        names = dict.fromkeys(name for value in values for name in value)
        inner = {n: _type_of([v[n] for v in values if v.get(n) is not None]) for n in names}
        return f"struct<{', '.join(f'{quoted(n)}: {kind}' for n, kind in inner.items())}>" if inner else "string"
    if kinds == {list}:
        return f"array<{_type_of([item for value in values for item in value if item is not None])}>"
    return "string"


def _delimited(text: str) -> SampleFile | None:
    best: tuple[int, str, list[list[str]], bool] | None = None
    for delimiter in _DELIMITERS:
        records = list(islice(quoted_lines(lines([text]), delimiter), _ROWS))[: -1 or None]
        rows = [row for row in csv.reader(records, delimiter=delimiter) if row]
        widths = [len(row) for row in rows]
        width = max(set(widths), key=widths.count, default=1)
        if width > 1 and widths.count(width) * 10 >= len(widths) * 8 and (best is None or width > best[0]):
            whole = [row for row in rows if len(row) == width]
            best = width, delimiter, whole, any("\n" in record for record in records)
    if best is None:
        return None
    width, delimiter, whole, has_breaks = best
    first = [name.strip() for name in whole[0]]
    is_header = len(set(first)) == width and all(name and not re.match(r"^[\d.,:/+-]+$", name) for name in first)
    names = first if is_header else [f"c{n + 1}" for n in range(width)]
    shape: dict[str, Any] = {} if delimiter == "," else {"delimiter": delimiter}
    shape |= ({} if is_header else {"header": False}) | ({"quoted_newlines": True} if has_breaks else {})
    rows_of = [dict(zip(names, row, strict=True)) for row in whole[int(is_header) :]]
    return SampleFile("csv", dict.fromkeys(names, "string"), rows_of, shape)
