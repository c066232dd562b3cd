"""Whether the stages before a stage were run for its day: one day's rows are never made from another day's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.errors import DataError, Fault
from personalake.store.read import read
from personalake.store.versions import version_of
from personalake.tables.catalog import COMMANDS
from personalake.tables.runs import COMPLETE, RUNS
from personalake.tables.spec import Table

_OF_NO_DAY = COMMANDS | {"ingest"}
_OF_DAYS = frozenset({"as_of_date", "effective_date"})
_NEEDED = frozenset({"identity", "profiles"})
"""Who persons are and what is known of them: without these of the day there is nothing to work on."""


def refuse_other_days(
    spark: SparkSession,
    root: str,
    stage: str,
    reads: Iterable[Table],
    day: date,
    last: Mapping[str, Mapping[str, object]],
) -> list[str]:
    """Refuse to run a stage as of a day for which the persons it reads were not made.

    Of a table that keeps a slice for each day there must be a run for that day; of another the last run must be it.

    Args:
        spark: the session.
        root: warehouse.root.
        stage: the stage that is about to run.
        reads: its inputs.
        day: its as-of day.
        last: stage to its newest complete row of `runs`.

    Returns:
        Stages whose work of other days is there and of this one is not: rules that speak of it find nothing.

    Raises:
        DataError: every stage that must run first.

    Cost:
        Nothing where the last runs were for the day; else a look at `runs` for each that was not.
    """
    tables: dict[str, list[Table]] = {}
    for table in reads:
        if table.stage != stage and table.stage not in _OF_NO_DAY:
            tables.setdefault(table.stage, []).append(table)
    never = [name for name in tables if name not in last and name in _NEEDED]
    wrong = [
        name
        for name in tables
        if name in last and last[name]["as_of_date"] != day and not _has_slice(spark, root, name, tables[name], day)
    ]
    faults = [
        Fault(f"stage {name}", f"was last run as of {last[name]['as_of_date']}, not {day}.", _todo(name, day))
        for name in wrong
        if name in _NEEDED
    ]
    faults += [Fault(f"stage {name}", "was never run.", _todo(name, day)) for name in never]
    if faults:
        raise DataError(*faults)
    return [name for name in wrong if name not in _NEEDED]


def later_day(spark: SparkSession, root: str, stage: str, day: date) -> date | None:
    """The first day after one as of which a stage was ever complete; None where it was for none.

    Cost:
        One small job.
    """
    if version_of(root, RUNS.name) is None:
        return None
    later = complete_runs(spark, root, stage).where(F.col("as_of_date") > F.lit(day))
    found: date | None = later.agg(F.min("as_of_date")).head(1)[0][0]
    return found


def _has_slice(spark: SparkSession, root: str, stage: str, tables: Iterable[Table], day: date) -> bool:
    if not all({*table.partition} & _OF_DAYS for table in tables):
        return False
    return not complete_runs(spark, root, stage).where(F.col("as_of_date") == F.lit(day)).isEmpty()


def complete_runs(spark: SparkSession, root: str, stage: str) -> DataFrame:
    """Rows of `runs` of which a stage was run to its end; the table must be there."""
    return read(spark, root, RUNS).where((F.col("stage") == stage) & (F.col("state") == COMPLETE))


def _todo(stage: str, day: date) -> str:
    return f"Run `personalake {stage} --as-of {day}` first, or `personalake run --as-of {day}`."
