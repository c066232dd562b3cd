"""Rows of declared tables from the few fields that matter, and tables written from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    TimestampType,
)

from personalake.tables.spec import Table

DAY = date(2024, 3, 1)
DEFAULTS: dict[type[DataType], Any] = {
    StringType: "",
    TimestampType: datetime(2024, 3, 1, 12, tzinfo=UTC),
    DateType: DAY,
    LongType: 0,
    IntegerType: 0,
    DoubleType: 0.0,
    BooleanType: False,
    MapType: {},
    ArrayType: [],
}


def rows(table: Table, *given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Full rows of a table: what is not given is null, or an empty value where it may not be null."""
    unknown = {name for row in given for name in row} - set(table.names)
    assert not unknown, f"{table.name} has no such columns: {sorted(unknown)}"
    empty = {f.name: None if f.nullable else DEFAULTS[type(f.dataType)] for f in table.schema.fields} | {"run_id": "r1"}
    return [tuple(row.get(name, empty[name]) for name in table.names) for row in given]


def frame(spark: SparkSession, table: Table, *given: Mapping[str, Any]) -> DataFrame:
    """The rows as a frame of the declared schema, in one partition."""
    return spark.createDataFrame(rows(table, *given), table.schema).coalesce(1)


def write_tables(root: str, given: Mapping[Table, Iterable[Mapping[str, Any]]]) -> None:
    """Each table as a Delta table under root, written by the Delta library without Spark: milliseconds a table."""
    for table, its_rows in given.items():
        columns = list(zip(*rows(table, *its_rows), strict=True))
        schema = to_arrow_schema(table.schema, timezone="UTC")
        arrays = [_array(column, field.type) for column, field in zip(columns, schema, strict=False)]
        data = pa.Table.from_arrays(arrays, schema=schema) if arrays else schema.empty_table()
        write_deltalake(f"{root}/{table.name}", data, partition_by=list(table.partition) or None)


def _array(column: Iterable[Any], kind: pa.DataType) -> pa.Array:
    """Arrow takes maps as pairs."""
    return pa.array(
        [list(cell.items()) if isinstance(cell, dict) and pa.types.is_map(kind) else cell for cell in column], kind
    )


@contextmanager
def quick_queries(spark: SparkSession) -> Iterator[None]:
    """Settings under which a query over a handful of rows takes the least time."""
    quick = {
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.databricks.delta.stats.skipping": "false",
    }
    before = {name: spark.conf.get(name, None) for name in quick}
    for name, value in quick.items():
        spark.conf.set(name, value)
    yield
    for name, old in before.items():
        if old is None:
            spark.conf.unset(name)
        else:
            spark.conf.set(name, old)
