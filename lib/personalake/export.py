"""Rows to a file of the operator's, as they come: CSV that no spreadsheet takes for formulas, JSON lines, Parquet."""

from __future__ import annotations

import csv
import itertools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

FORMATS = (".csv", ".json", ".parquet")
_ROWS_AT_ONCE = 50_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_rows(frame: DataFrame, path: Path) -> None:
    """Write the rows to a file that only its owner can read; a file that is there is replaced when all is written.

    Args:
        frame: the rows, in their order.
        path: the file; ends in .csv, .json (one object a line) or .parquet.
    """
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
    rows = (row.asDict(recursive=True) for row in frame.toLocalIterator())
    try:
        if path.suffix == ".parquet":
            _write_parquet(rows, to_arrow_schema(frame.schema), partial)
        else:
            _write_lines(rows, frame.columns, partial, path.suffix == ".csv")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def safe_cell(value: Any) -> Any:
    """A cell that a spreadsheet shows as it is: a text that begins like a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _write_lines(rows: Iterator[dict[str, Any]], names: list[str], path: Path, is_csv: bool) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        if is_csv:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            writer.writerows([safe_cell(row[name]) for name in names] for row in rows)
        else:
            file.writelines(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)


def _write_parquet(rows: Iterator[dict[str, Any]], schema: pa.Schema, path: Path) -> None:
    with pq.ParquetWriter(path, schema) as writer:
        while chunk := list(itertools.islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
