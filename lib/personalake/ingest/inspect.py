"""Whether each file can be read from end to end and has the declared columns, before any of it is used."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
from pyspark.errors import PySparkTypeError
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from personalake.errors import DataError, Fault
from personalake.ingest.files import RawFile, open_root
from personalake.ingest.readers import raw_columns
from personalake.ingest.source import Source

_CHUNK = 1 << 20
_FIRST_LINE = 1 << 16
_ANSWER = ("source", "read_key", "content_hash", "head", "fault")


def inspect_files(
    spark: SparkSession, root: str, files: Sequence[RawFile], sources: Sequence[Source]
) -> tuple[RawFile, ...]:
    """Read every file once from end to end, in tasks: its hash, whether it unpacks, whether its columns are declared.

    Args:
        spark: where the tasks run.
        root: raw.root.
        files: from `list_files`.
        sources: what the files should look like.

    Returns:
        The same files with content_hash, in the same order.

    Raises:
        DataError: every unreadable file and every file of another shape than declared, at once.

    Cost:
        One pass over the bytes, no shuffle. The answer has one small row a file.
    """
    if not files:
        return ()
    by_name = {source.name: source for source in sources}
    rows = [(f.source, f.read_key, f.path, by_name[f.source].format) for f in files]
    slices = max(1, min(len(rows), 4 * spark.sparkContext.defaultParallelism))
    frame = spark.createDataFrame(rows, "source string, read_key string, path string, format string")
    answers = (
        frame.repartition(slices).mapInArrow(_inspector(root), ", ".join(f"{n} string" for n in _ANSWER)).collect()
    )
    seen = {(a.source, a.read_key): a for a in answers}
    faults, inspected = [], []
    for file in files:
        answer = seen[file.source, file.read_key]
        fault = answer.fault or _shape_fault(by_name[file.source], answer.head)
        if fault:
            faults.append(Fault(f"source {file.source}, file {file.read_key}", fault))
        inspected.append(dataclasses.replace(file, content_hash=answer.content_hash or ""))
    if faults:
        raise DataError(*faults)
    return tuple(inspected)


def _inspector(root: str) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    schema = pa.schema([(name, pa.string()) for name in _ANSWER])

    def inspect(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        filesystem, _ = open_root(root)
        for batch in batches:
            rows = [_inspect(filesystem, row) for row in batch.to_pylist()]
            yield pa.RecordBatch.from_pylist(rows, schema=schema)

    return inspect


def _inspect(filesystem: pafs.FileSystem, row: dict[str, str]) -> dict[str, str | None]:
    path = row["path"].split("://", 1)[-1]
    answer: dict[str, str | None] = {"source": row["source"], "read_key": row["read_key"]}
    if ":" in row["read_key"]:
        return answer | {"fault": "has a colon in its name, which Spark cannot read. Rename it."}
    try:
        answer["content_hash"], head = _read_through(filesystem, path)
        answer["head"] = _columns(filesystem, path) if row["format"] == "parquet" else _first_line(head)
    except (zlib.error, EOFError):
        answer["fault"] = "is no complete gzip file. Deliver it again."
    except pa.ArrowInvalid:
        answer["fault"] = "is no complete Parquet file. Deliver it again."
    except PySparkTypeError:
        answer["fault"] = "has a column of a type that Spark does not know. Deliver it without."
    except OSError as error:
        answer["fault"] = f"cannot be read ({type(error).__name__}). Check that it exists and may be read."
    return answer


def _read_through(filesystem: pafs.FileSystem, path: str) -> tuple[str, bytes]:
    """SHA-256 of the bytes, and how the plain text begins."""
    digest, head = hashlib.sha256(), b""
    with filesystem.open_input_file(path) as stream:

        def chunks() -> Iterator[bytes]:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                yield chunk

        for plain in _unpacked(chunks()) if path.endswith((".gz", ".gzip")) else chunks():
            head += plain[: max(0, _FIRST_LINE - len(head))]
    return digest.hexdigest(), head


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The plain bytes of a gzip stream of one or more members; EOFError where it ends inside one."""
    member = None
    for chunk in chunks:
        left = chunk
        while left:
            member = member or zlib.decompressobj(wbits=31)
            yield member.decompress(left, _CHUNK)
            left = member.unused_data if member.eof else member.unconsumed_tail
            member = None if member.eof else member
    if member is not None:
        yield member.flush()
        if not member.eof:
            raise EOFError


def _columns(filesystem: pafs.FileSystem, path: str) -> str:
    with filesystem.open_input_file(path) as stream:
        schema = from_arrow_schema(pq.read_schema(stream))
    return json.dumps({f.name: f.dataType.simpleString() for f in schema.fields})


def _first_line(head: bytes) -> str:
    return head.split(b"\n", 1)[0].decode("utf-8", errors="replace").lstrip("\ufeff").rstrip("\r")


def _shape_fault(source: Source, head: str) -> str | None:
    declared = {f.name: f.dataType.simpleString() for f in raw_columns(source).fields}
    if source.format == "csv" and source.header and head:
        names = [name.strip().strip('"') for name in head.split(source.delimiter)]
        if names != list(declared):
            return f"has the columns {', '.join(names)}. Declared: {', '.join(declared)}."
    if source.format == "parquet":
        found = json.loads(head)
        wrong = [
            f"column {name} is {found.get(name, 'missing')}, declared as {kind}"
            for name, kind in declared.items()
            if found.get(name) != kind
        ]
        return "; ".join(wrong) + "." if wrong else None
    return None
