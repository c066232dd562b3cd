"""Reading declared tables by path and version."""

from __future__ import annotations

import posixpath

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.tables.spec import Table


def table_path(root: str, name: str) -> str:
    """Where a table lives."""
    return posixpath.join(root, name)


def read(spark: SparkSession, root: str, table: Table, version: int | None = None) -> DataFrame:
    """The rows of a table, as of a version where one is given."""
    reader = spark.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", version)
    return reader.load(table_path(root, table.name))


def last_date(frame: DataFrame, column: str) -> object:
    """The greatest value of a date column, None where there is no row."""
    row = frame.agg(F.max(column).alias("last")).first()
    return None if row is None else row["last"]
