"""Whether each file can be read from end to end and has the declared columns, before any of it is used."""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
from pyspark.errors import PySparkTypeError
from pyspark.sql import SparkSession

from personalake.errors import Fault
from personalake.ingest.documents import avro_records, document_records
from personalake.ingest.files import RawFile, open_root
from personalake.ingest.looks import (
    COLUMNAR,
    columns_of,
    first_line,
    foreign_format,
    header_of,
    shape_fault,
    undeclared,
)
from personalake.ingest.readers import raw_columns
from personalake.ingest.source import Source
from personalake.ingest.unpack import ZSTD, Digested, open_digested, plain_bytes, texts

_HEAD, _SAMPLED = 1 << 16, 1000
_Expected = tuple[Source, frozenset[str]]
_ANSWER = ("source", "read_key", "content_hash", "head", "fault", "undeclared")


def inspect_files(
    spark: SparkSession, root: str, files: Sequence[RawFile], sources: Sequence[Source]
) -> tuple[tuple[RawFile, ...], list[Fault]]:
    """Read every file once from end to end, in tasks: its hash, whether it unpacks, whether its columns are declared.

    Args:
        spark: where the tasks run.
        root: raw.root.
        files: from `list_files`.
        sources: what the files should look like.

    Returns:
        The same files with content_hash, header and undeclared fields, in the same order; and a fault for every
        unreadable file, every file of another shape than declared and every file that is still being written.

    Cost:
        One pass over the bytes, no shuffle. The answer has one small row a file.
    """
    if not files:
        return (), []
    by_name = {source.name: source for source in sources}
    expected = {source.name: (source, frozenset(raw_columns(source).names)) for source in sources}
    rows = [(f.source, f.read_key, f.path, f.size) for f in files]
    slices = max(1, min(len(rows), 4 * spark.sparkContext.defaultParallelism))
    frame = spark.createDataFrame(rows, "source string, read_key string, path string, size bigint")
    answers = (
        frame.repartition(slices)
        .mapInArrow(_inspector(root, expected), ", ".join(f"{n} string" for n in _ANSWER))
        .collect()
    )
    seen = {(a.source, a.read_key): a for a in answers}
    faults, inspected = [], []
    for file in files:
        answer, source = seen[file.source, file.read_key], by_name[file.source]
        fault = answer.fault or shape_fault(source, answer.head)
        if fault:
            faults.append(Fault(f"source {file.source}, file {file.read_key}", fault))
        header = () if fault else header_of(source, answer.head)
        further = tuple(sorted(json.loads(answer.undeclared or "{}").items()))
        digest = answer.content_hash or ""
        inspected.append(dataclasses.replace(file, content_hash=digest, header=header, undeclared=further))
    return tuple(inspected), faults


def _inspector(
    root: str, expected: Mapping[str, _Expected]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    schema = pa.schema([(name, pa.string()) for name in _ANSWER])

    def inspect(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        filesystem, _ = open_root(root)
        for batch in batches:
            rows = [_inspect(filesystem, row, expected[row["source"]]) for row in batch.to_pylist()]
            yield pa.RecordBatch.from_pylist(rows, schema=schema)

    return inspect


def _inspect(filesystem: pafs.FileSystem, row: dict[str, Any], expected: _Expected) -> dict[str, str | None]:
    path, source = row["path"].split("://", 1)[-1], expected[0]
    answer: dict[str, str | None] = {"source": row["source"], "read_key": row["read_key"]}
    if ":" in row["read_key"]:
        return answer | {"fault": "has a colon in its name, which Spark cannot read. Rename it."}
    try:
        return answer | _read_through(filesystem, path, expected, row["size"])
    except (zlib.error, EOFError):
        answer["fault"] = "is no complete gzip file. Deliver it again."
    except ValueError as error:
        # Arrow's own faults are of this class too: a file that is not what its ending or its source says.
        answer["fault"] = f"is no complete {_what_it_should_be(source, error)}. Deliver it again."
    except PySparkTypeError:
        answer["fault"] = "has a column of a type that Spark does not know. Deliver it without."
    except OSError as error:
        text = f"cannot be read ({type(error).__name__}). Check that it exists and may be read."
        # Arrow says of a cut file of these kinds only that it cannot be read.
        kind = "ORC" if source.format == "orc" else "Zstandard" if path.endswith(ZSTD) else ""
        is_cut = kind and not isinstance(error, FileNotFoundError | PermissionError)
        answer["fault"] = f"is no complete {kind} file. Deliver it again." if is_cut else text
    return answer


def _what_it_should_be(source: Source, error: ValueError) -> str:
    if source.format not in ("csv", "json"):
        return f"{COLUMNAR.get(source.format, 'Avro')} file"
    where = f"with an array of records at {source.records}" if source.records != "." else "that is an array of records"
    return "Zstandard file" if isinstance(error, pa.ArrowInvalid) else f"JSON document {where}"


def _read_through(filesystem: pafs.FileSystem, path: str, expected: _Expected, size: int) -> dict[str, str | None]:
    """Hash of the bytes, how the plain text begins, fields nobody declared, and what is wrong with the whole."""
    source, declared = expected
    with open_digested(filesystem, path) as stream:
        if source.format in COLUMNAR:
            digest = stream.finish()
            return {"content_hash": digest, "head": columns_of(filesystem, path, source.format)} | _grown(stream, size)
        head = _text_head(stream, path, source)
        digest = stream.finish()
    found: dict[str, str | None] = {"content_hash": digest, "fault": foreign_format(head, source.encoding)}
    if found["fault"] is None:
        text = "".join(texts([head], source.encoding))
        found |= {"head": first_line(text), "undeclared": json.dumps(undeclared(source, declared, text))}
    return found | _grown(stream, size)


def _first_of(records: Iterator[str]) -> str:
    """The first records, a line each, once all of them could be read."""
    kept = [record for _, record in zip(range(_SAMPLED), records, strict=False)]
    for _ in records:
        pass
    return "\n".join(kept)


def _text_head(stream: Digested, path: str, source: Source) -> bytes:
    """How the plain bytes begin; a document is read whole, to see that it ends and where its records are."""
    if source.format == "avro":
        return _first_of(avro_records(stream)).encode(source.encoding)
    parts: list[bytes] = []
    length = 0
    for plain in plain_bytes(stream, path):
        if source.is_document or length < _HEAD:
            parts.append(plain)
            length += len(plain)
    head = b"".join(parts)
    if source.is_document and head:
        text = "".join(texts([head], source.encoding))
        return _first_of(document_records(text, source.record_path)).encode(source.encoding)
    return head if source.is_document else head[:_HEAD]


def _grown(stream: Digested, size: int) -> dict[str, str | None]:
    if stream.size == size:
        return {}
    text = f"had {size} bytes when it was listed and {stream.size} when it was read, so it is still being written."
    return {"fault": f"{text} Write it under a name that begins with _ and rename it when it is whole."}
