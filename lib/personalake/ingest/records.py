"""Records of files that Spark itself cannot cut into lines, as text, file by file in tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.fs as pafs
from pyspark.sql import DataFrame, SparkSession

from personalake.ingest.documents import avro_records, document_records
from personalake.ingest.files import RawFile, open_root
from personalake.ingest.source import Source
from personalake.ingest.unpack import lines, open_digested, plain_bytes, quoted_lines, reordered, texts

_AT_ONCE = 2_000
_SCHEMA = "value string, _path string, _modified_at timestamp"
_NAMES = ["value", "_path", "_modified_at"]


def unpacked_records(
    spark: SparkSession, root: str, source: Source, declared: Sequence[str], files: Sequence[RawFile]
) -> DataFrame:
    """The records of some files of one source as they stand there, one row each.

    Args:
        spark: the session.
        root: a location on the file system of the files.
        source: how the files are written.
        declared: the source's columns, in order.
        files: which, inspected.

    Returns:
        value (the record as text), `_path`, `_modified_at` [UTC].

    Cost:
        One task a file, no shuffle. A task holds some thousand records, or one JSON document, at a time.
    """
    rows = [(f.path, f.modified_at, list(f.header)) for f in files]
    frame = spark.createDataFrame(rows, "path string, modified_at timestamp, header array<string>")
    return frame.repartition(len(rows)).mapInArrow(_reader(root, source, tuple(declared)), _SCHEMA)


def _reader(
    root: str, source: Source, declared: tuple[str, ...]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        filesystem, _ = open_root(root)
        for batch in batches:
            for row in batch.to_pylist():
                records = _records(filesystem, source, declared, row)
                path = quote(row["path"], safe="/:")
                while some := list(islice(records, _AT_ONCE)):
                    yield _batch(some, path, row["modified_at"])

    return read


def _batch(records: list[str], path: str, modified_at: datetime) -> pa.RecordBatch:
    moments = pa.array([modified_at] * len(records), pa.timestamp("us", "UTC"))
    paths = pa.array([path] * len(records), pa.string())
    return pa.RecordBatch.from_arrays([pa.array(records, pa.string()), paths, moments], _NAMES)


def _records(
    filesystem: pafs.FileSystem, source: Source, declared: tuple[str, ...], row: dict[str, Any]
) -> Iterator[str]:
    path = row["path"].split("://", 1)[-1]
    with open_digested(filesystem, path) as stream:
        if source.format == "avro":
            yield from avro_records(stream)
            return
        parts = texts(plain_bytes(stream, path), source.encoding)
        if source.is_document:
            text = "".join(parts)
            yield from document_records(text, source.record_path) if text else ()
            return
        plain = lines(parts)
        records = quoted_lines(plain, source.delimiter) if source.quoted_newlines else plain
        yield from reordered(records, row["header"], declared, source.delimiter) if row["header"] else records
