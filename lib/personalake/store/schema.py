"""Creating declared tables, and comparing the live ones with their declarations."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from personalake.errors import DataError, Fault
from personalake.store.read import table_path
from personalake.store.versions import version_of
from personalake.tables.spec import Col, Table, schema_faults

_AT_ONCE = 4
_WITH_STATISTICS = ("string", "integer", "long", "double", "date", "timestamp")


def ensure_tables(spark: SparkSession, root: str, tables: Iterable[Table]) -> None:
    """Create the tables that are missing; add declared columns that the live ones lack.

    Args:
        spark: the session.
        root: warehouse.root.
        tables: the declarations.

    Raises:
        DataError: a live table has other columns, types or partitions than declared; every difference at once, and
            nothing was changed.

    Cost:
        One look at the log of each table that is there; a small commit for each that is not.
    """
    # Each once: two that create one table side by side would get in each other's way.
    declared = tuple({table.name: table for table in tables}.values())
    present = [t for t in declared if version_of(root, t.name) is not None]
    # Looking at a log is mostly waiting, so a few at a time.
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        compared = list(pool.map(lambda table: _compare(spark, root, table), present))
        faults = [fault for found, _ in compared for fault in found]
        if faults:
            raise DataError(*faults)
        list(pool.map(lambda table: _create(spark, root, table), [t for t in declared if t not in present]))
    for table, (_, missing) in zip(present, compared, strict=True):
        if missing:
            columns = ", ".join(f"{c.name} {c.type.simpleString()}" for c in missing)
            spark.sql(f"ALTER TABLE delta.`{table_path(root, table.name)}` ADD COLUMNS ({columns})")


def _compare(spark: SparkSession, root: str, table: Table) -> tuple[list[Fault], list[Col]]:
    """How a live table differs from its declaration beyond columns that can be added, and those columns."""
    path = table_path(root, table.name)
    snapshot = DeltaTable.forPath(spark, path)
    live = snapshot.toDF().schema
    faults = [f for f in schema_faults(live, table) if f.where.split(".")[1] in live.names]
    partitions = tuple(snapshot.detail().first()["partitionColumns"])  # type: ignore[index]
    if partitions != table.partition:
        text = f"is partitioned by {', '.join(partitions) or 'nothing'}."
        faults.append(Fault(table.name, text, f"Declared: {', '.join(table.partition) or 'nothing'}."))
    todo = f"Move {path} away, or migrate it."
    missing = [c for c in table.columns if c.name not in live.names]
    # Rows that are there have no value for a new column, so it must be one that may be null.
    faults += [
        Fault(f"{table.name}.{c.name}", "is missing.", f"Declared as {c.type.simpleString()} NOT NULL.")
        for c in missing
        if not c.optional or c.name in table.key
    ]
    return [Fault(f.where, f.found, f"{f.todo} {todo}".strip()) for f in faults], missing


def _create(spark: SparkSession, root: str, table: Table) -> None:
    kinds = [c for c in table.columns if c.type.typeName() in _WITH_STATISTICS and not c.person]
    plain = [c.name for c in kinds if c.name not in table.partition]
    # Rows lie near each other by key and by time: minima of anything else skip no file, and cost a wide table much.
    telling = [name for name in plain if name in table.key or name.endswith(("_at", "_date"))]
    builder = DeltaTable.createIfNotExists(spark).location(table_path(root, table.name)).addColumns(table.schema)
    builder = builder.comment(table.comment)
    # Column minima and maxima stay in the log when rows are deleted, so personal columns have none.
    builder = builder.property("delta.dataSkippingStatsColumns", ",".join(telling or plain[:1]))
    builder = builder.property("delta.enableDeletionVectors", "false")
    if table.partition:
        builder = builder.partitionedBy(*table.partition)
    builder.execute()
