"""What a declared column and a declared table are, and `conform`, which ends every build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
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
    StructField,
    StructType,
    TimestampType,
)

from personalake.errors import DataError, Fault, near_miss

STRING = StringType()
TIMESTAMP = TimestampType()
DATE = DateType()
BIGINT = LongType()
INT = IntegerType()
DOUBLE = DoubleType()
BOOLEAN = BooleanType()
STRINGS = ArrayType(STRING)
STRING_MAP = MapType(STRING, STRING)
COUNT_MAP = MapType(STRING, BIGINT)


@dataclass(frozen=True)
class Col:
    """One declared column.

    Args:
        name: its name; the suffix tells unit and kind (`_at`, `_date`, `_count`, `_minor`, …).
        type: its Spark type.
        comment: what it holds, in words for the data dictionary.
        person: it can tell who somebody is; erasure and log statistics know it.
        optional: it may be null. Key columns never are.
    """

    name: str
    type: DataType
    comment: str
    person: bool = False
    optional: bool = True


RUN_ID = Col("run_id", STRING, "The run that wrote the row")


@dataclass(frozen=True)
class Table:
    """One declared table.

    Args:
        name: plural noun, snake case.
        comment: what one row is.
        stage: the one stage that writes it, or the first of them.
        key: columns that make a row unique; never null.
        cols: the columns without run_id, which every table carries.
        partition: columns of the folder layout.
        keep_days: how long rows are kept; None is for ever.
        also: further stages that write it; each owns the rows whose column `stage` names it.
    """

    name: str
    comment: str
    stage: str
    key: tuple[str, ...]
    cols: tuple[Col, ...]
    partition: tuple[str, ...] = ()
    keep_days: int | None = None
    also: tuple[str, ...] = ()
    columns: tuple[Col, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        has_run = any(c.name == RUN_ID.name for c in self.cols)
        object.__setattr__(self, "columns", self.cols if has_run else (*self.cols, RUN_ID))
        unknown = {*self.key, *self.partition} - set(self.names)
        if unknown:
            raise ValueError(f"table {self.name}: key or partition names no column: {sorted(unknown)}")
        if self.also and "stage" not in self.key:
            raise ValueError(f"table {self.name}: rows of several stages are told apart by the key column stage")

    @property
    def writers(self) -> tuple[str, ...]:
        """Every stage that writes it."""
        return (self.stage, *self.also)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in declared order, run_id included."""
        return tuple(c.name for c in self.columns)

    @property
    def schema(self) -> StructType:
        """The Spark schema; key columns and those not optional are NOT NULL."""
        return StructType([self._field(c) for c in self.columns])

    @property
    def row_schema(self) -> StructType:
        """The schema of the rows a build gives: without run_id unless it is declared; everything nullable."""
        return StructType([StructField(c.name, c.type) for c in self.cols])

    def _field(self, column: Col) -> StructField:
        nullable = column.optional and column.name not in self.key
        return StructField(column.name, column.type, nullable, {"comment": column.comment})

    def __getitem__(self, name: str) -> Col:
        return next(c for c in self.columns if c.name == name)


def conform(frame: DataFrame, table: Table, run_id: str | None = None) -> DataFrame:
    """The frame as the table declares it: columns in order, none missing, mistyped or undeclared.

    Args:
        frame: the rows to write; with run_id unless it is given here.
        table: the declaration.
        run_id: the run that writes, added to every row.

    Raises:
        DataError: with every column that does not fit, at once.
    """
    if run_id is not None:
        frame = frame.withColumn(RUN_ID.name, F.lit(run_id))
    faults = schema_faults(frame.schema, table)
    if faults:
        raise DataError(*faults)
    return frame.select(*table.names)


def schema_faults(schema: StructType, table: Table, extra_allowed: Sequence[str] = ()) -> list[Fault]:
    """Every difference between a schema and the declaration; nullability and comments do not count."""
    found = {f.name: f.dataType for f in schema.fields}
    faults = []
    for column in table.columns:
        if column.name not in found:
            faults.append(
                Fault(f"{table.name}.{column.name}", "is missing.", f"Declared as {column.type.simpleString()}.")
            )
        elif not same_type(found[column.name], column.type):
            text = f"is {found[column.name].simpleString()}."
            faults.append(Fault(f"{table.name}.{column.name}", text, f"Declared as {column.type.simpleString()}."))
    for name in found:
        if name not in table.names and name not in extra_allowed:
            faults.append(Fault(f"{table.name}.{name}", "is not declared.", near_miss(name, table.names)))
    return faults


def same_type(left: DataType, right: DataType) -> bool:
    """Whether two types are the same but for nullability."""
    return left.simpleString() == right.simpleString()
