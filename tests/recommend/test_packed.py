"""Rows fetched in packed form, by way of files and by way of bytes: what `toArrow` gives, in another order."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

from personalake.recommend import packed

BIG = 1 << 40
CASES: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "strings": ("a string, w double", [("x", 1.0), ("", 2.0), ("中文", 0.5), ("x", 3.0)]),
    "integers": ("a bigint, b int", [(3, 1), (-5, 2), (3, 7)]),
    "beyond_32_bits_in_one_task_only": ("a bigint", [(1,), (2,), (3,), (BIG,)]),
    "nulls": ("a string, b bigint, w double", [(None, 1, None), ("x", None, 1.0), ("y", BIG, 2.0)]),
    "one_row": ("a string", [("only",)]),
    "no_row": ("a string, b bigint, w double", []),
}


@pytest.mark.spark
@pytest.mark.parametrize("by_files", [True, False], ids=["files", "bytes"])
@pytest.mark.parametrize("case", CASES)
def test_gives_every_row(spark: SparkSession, monkeypatch: pytest.MonkeyPatch, case: str, by_files: bool) -> None:
    monkeypatch.setattr(packed, "shares_disk", lambda _: by_files)
    monkeypatch.setattr(packed, "_PART_BYTES", 100)
    schema, rows = CASES[case]
    table = packed.fetched(spark.createDataFrame(rows, schema).repartition(4))
    assert table.column_names == [column.split()[0] for column in schema.split(", ")]
    found = [tuple(row.values()) for row in table.to_pylist()]
    assert sorted(found, key=repr) == sorted(rows, key=repr)


@pytest.mark.spark
def test_leaves_no_file_behind(spark: SparkSession) -> None:
    before = set(packed.scratch_folder(spark).iterdir())
    packed.fetched(spark.range(10))
    assert set(packed.scratch_folder(spark).iterdir()) == before
