"""The name of a declared column tells its type, and the type demands its name."""

from __future__ import annotations

import re

import pytest
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    TimestampType,
)

from house.allowed import COLUMNS

catalog = pytest.importorskip("personalake.tables.catalog", reason="no catalogue of tables in this checkout")

_WINDOW = r"(_\d+d)?$"
BY_NAME: tuple[tuple[str, tuple[type[DataType], ...]], ...] = (
    (r"_id$", (StringType,)),
    (r"_kind$", (StringType,)),
    (r"_name(_zh)?$", (StringType,)),
    (r"_at$", (TimestampType,)),
    (r"_date$", (DateType,)),
    (rf"_count{_WINDOW}", (LongType,)),
    (rf"_minor{_WINDOW}", (LongType,)),
    (r"_rank$", (IntegerType,)),
    (rf"_(share|score){_WINDOW}", (DoubleType,)),
    (r"^(weight|value|quantity|probability)$", (DoubleType,)),
    (r"_(seconds|minutes|days)$", (DoubleType, LongType, IntegerType, ArrayType)),
    (r"^(is|has)_", (BooleanType,)),
)
BY_TYPE: tuple[tuple[type[DataType], str], ...] = (
    (TimestampType, r"_at$|_from$|_until$"),
    (DateType, r"_date$"),
    (BooleanType, r"^(is|has)_"),
    (ArrayType, r"s$"),
)


def _columns():
    named = ((f"{table.name}.{col.name}", col) for table in catalog.ALL.values() for col in table.cols)
    return [(where, col) for where, col in named if where not in COLUMNS]


def test_the_name_tells_the_type():
    wrong = [
        f"{where}: {col.type.simpleString()}"
        for where, col in _columns()
        for pattern, types in BY_NAME
        if re.search(pattern, col.name) and not isinstance(col.type, types)
    ]
    assert wrong == [], "\n".join(["", *wrong])


def test_the_type_demands_the_name():
    wrong = [
        f"{where}: {col.type.simpleString()}"
        for where, col in _columns()
        for kind, pattern in BY_TYPE
        if isinstance(col.type, kind) and not re.search(pattern, col.name)
    ]
    assert wrong == [], "\n".join(["", *wrong])


def test_every_column_is_told_and_in_plain_snake_case():
    assert [where for where, col in _columns() if not col.comment.strip()] == []
    assert [where for where, col in _columns() if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", col.name)] == []


def test_keys_and_partitions_are_columns():
    for table in catalog.ALL.values():
        cols = {col.name for col in table.cols}
        assert set(table.partition) <= cols, table.name
        assert set(table.key) - {"run_id"} <= cols, table.name
