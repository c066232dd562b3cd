"""The write recipes. Each is one Delta commit, and each done twice gives the same rows as done once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from delta import exceptions as of_delta
from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from personalake.errors import Fault, LockedError
from personalake.store.points import reached
from personalake.store.read import table_path
from personalake.store.versions import actions_of, is_untouched
from personalake.tables.spec import Table, conform

ATTEMPTS = 5
# In Python none of them is a subclass of the last, as they are in Java. A changed protocol or schema is not among them:
# it lasts.
_CONFLICTS = (
    of_delta.ConcurrentAppendException,
    of_delta.ConcurrentDeleteDeleteException,
    of_delta.ConcurrentDeleteReadException,
    of_delta.ConcurrentTransactionException,
    of_delta.ConcurrentWriteException,
    of_delta.DeltaConcurrentModificationException,
)


def merge(
    spark: SparkSession,
    root: str,
    table: Table,
    rows: DataFrame,
    run_id: str,
    version_column: str | None = None,
    read_again: bool = False,
    gone: Column | None = None,
) -> None:
    """Insert rows whose key is new; a row whose key is there replaces it only where it is another row.

    Args:
        spark: the session.
        root: warehouse.root.
        table: where to.
        rows: one row per key, without run_id.
        run_id: the run that writes.
        version_column: the greater one of both rows stands, whichever came first; None: the new row stands. It is
            `revision:hash`, the revision of fixed width.
        read_again: the rows come from files that were read before, maybe by another mapping: of equal revisions the
            new row stands.
        gone: which rows of the table, as `t`, are taken away unless they are among the new ones; None: none.

    Raises:
        LockedError: five attempts met another writer's commit.

    Cost:
        A join with the table on its key; reads the source twice, so hand over rows that are cheap to read. Of a table
        that has never had rows neither.
    """
    source = conform(rows, table, run_id)
    on = " AND ".join(f"t.{c} = s.{c}" for c in table.key)
    payload = [c for c in table.names if c not in table.key and c != "run_id"]
    differs = _differs(table, payload, version_column, read_again)

    def commit() -> None:
        if is_untouched(root, table.name):
            _write_first(source, root, table)
            return
        target = DeltaTable.forPath(spark, table_path(root, table.name)).alias("t")
        merged = target.merge(source.alias("s"), on)
        if payload:
            merged = merged.whenMatchedUpdateAll(condition=differs)
        if gone is not None:
            merged = merged.whenNotMatchedBySourceDelete(condition=gone)
        merged.whenNotMatchedInsertAll().execute()

    _with_retries(table, commit)


def _write_first(source: DataFrame, root: str, table: Table) -> None:
    """The rows of a table that has none: nothing to compare them with. Another writer's commit makes it a conflict."""
    rows = source.hint("rebalance", *table.partition) if table.partition else source
    _overwrite(rows, root, table)


def _overwrite(rows: DataFrame, root: str, table: Table, condition: str = "true") -> None:
    """Rows that fit the table in place of those that a condition names: one commit."""
    rows.write.format("delta").mode("overwrite").option("replaceWhere", condition).save(table_path(root, table.name))


def replace_where(
    spark: SparkSession,
    root: str,
    table: Table,
    rows: DataFrame,
    run_id: str,
    slices: Mapping[str, object],
    also: str = "",
) -> None:
    """Put rows in place of one slice of the table: exactly one copy however often it is done.

    Args:
        spark: the session.
        root: warehouse.root.
        table: where to.
        rows: the whole slice, without run_id.
        run_id: the run that writes.
        slices: column to the value that every row of the slice has, or to the values that they may have (a list).
        also: a further condition on rows to take away, OR-ed; its values come from the run manifest.
    """
    condition = " AND ".join(_is_one_of(name, value) for name, value in slices.items())
    condition = f"({condition})" + (f" OR ({also})" if also else "")
    fitting = conform(rows, table, run_id)
    _with_retries(table, lambda: _overwrite(fitting, root, table, condition))


def _is_one_of(name: str, value: object) -> str:
    values = value if isinstance(value, list) else [value]
    return f"{name} IN ({', '.join(repr(str(one)) for one in values)})"


def replace(spark: SparkSession, root: str, table: Table, rows: DataFrame, run_id: str) -> None:
    """Put rows in place of the whole table."""
    fitting = conform(rows, table, run_id)
    _with_retries(table, lambda: _overwrite(fitting, root, table))


def _differs(table: Table, payload: list[str], version_column: str | None, read_again: bool) -> str:
    """When the new row `s` replaces the old one `t`."""
    if version_column is None:
        plain = [f"NOT (t.{c} <=> s.{c})" for c in payload if not _is_map(table, c)]
        return " OR ".join([*plain, *(_map_differs(c) for c in payload if _is_map(table, c))])
    if not read_again:
        return f"s.{version_column} > t.{version_column}"
    new, old = (f"substring_index({side}.{version_column}, ':', 1)" for side in "st")
    return f"{new} >= {old} AND s.{version_column} <> t.{version_column}"


def _is_map(table: Table, name: str) -> bool:
    return table[name].type.typeName() == "map"


def _map_differs(name: str) -> str:
    sides = [f"array_sort(map_entries({side}.{name}))" for side in "ts"]
    return f"NOT ({sides[0]} <=> {sides[1]})"


def _with_retries(table: Table, commit: Callable[[], None]) -> None:
    attempts = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.5, max=10),
        retry=retry_if_exception_type(_CONFLICTS),
    )
    try:
        attempts(commit)
    except RetryError:
        text = f"{ATTEMPTS} commits met another writer's."
        raise LockedError(Fault(f"table {table.name}", text, "Let one writer at a time work on it.")) from None
    reached(f"write:{table.name}")


def rows_of_last_commit(root: str, name: str, version: int) -> int:
    """Rows that a commit wrote, as its own metrics tell; 0 where they do not.

    Read from the commit file: no job. Only counts are looked at.
    """
    infos = [action["commitInfo"] for action in actions_of(root, name, version) if "commitInfo" in action]
    metrics = (infos[0] or {}).get("operationMetrics", {}) if infos else {}
    if "numTargetRowsInserted" in metrics:
        return int(metrics["numTargetRowsInserted"]) + int(metrics.get("numTargetRowsUpdated", 0))
    return int(metrics.get("numOutputRows", 0))
