"""The table of runs: what each stage of each run read, wrote and took, and whether it must be done again."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import personalake
from personalake.store.read import read, table_path
from personalake.store.versions import version_of, versions_of
from personalake.tables.catalog import ALL
from personalake.tables.runs import COMPLETE, RUNS
from personalake.upstream import complete_runs

_NEWEST = 200


@functools.cache
def code_version() -> str:
    """Version of the package and a hash of its files."""
    digest = hashlib.sha256()
    folder = Path(personalake.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{personalake.__version__}+{digest.hexdigest()[:12]}"


@dataclass(frozen=True)
class Fingerprint:
    """What a stage's rows are decided by."""

    as_of_date: date | None
    config_hash: str
    code_version: str
    input_versions: Mapping[str, str]


def is_unchanged(root: str, wanted: Fingerprint, last: Mapping[str, object] | None) -> bool:
    """Whether a stage's last complete run had the same fingerprint and its tables are still as it left them."""
    if last is None:
        return False
    same = (
        last["config_hash"] == wanted.config_hash
        and last["code_version"] == wanted.code_version
        and last["as_of_date"] == wanted.as_of_date
        and last["input_versions"] == dict(wanted.input_versions)
    )
    outputs: Mapping[str, str] = last["output_versions"] or {}  # type: ignore[assignment]
    return same and all(_is_as_left(root, name, version) for name, version in outputs.items())


def _is_as_left(root: str, name: str, version: str) -> bool:
    """Whether a table is as a stage left it; one that other stages write rows of their own to may have gone on."""
    found = version_of(root, name)
    if found is not None and name in ALL and ALL[name].also:
        return found >= int(version)
    return str(found) == version


def last_complete(spark: SparkSession, root: str) -> dict[str, dict[str, object]]:
    """Stage to its newest complete row, whatever its as-of day: one small row a stage.

    A stage that ran for another day since has moved its tables, so only the newest row can still hold.
    """
    if version_of(root, RUNS.name) is None:
        return {}
    rows = read(spark, root, RUNS).where(F.col("state") == COMPLETE).orderBy("started_at", "run_id", ascending=False)
    # One small job. A stage that the newest rows do not name has not run for so long that doing it again costs little.
    newest = rows.limit(_NEWEST).collect()
    return {row["stage"]: row.asDict() for row in reversed(newest)}


def append_run(spark: SparkSession, root: str, row: Mapping[str, object]) -> None:
    """Write one row of runs: the commit that makes a stage's work count."""
    values = [tuple(row.get(name) for name in RUNS.names)]
    frame = spark.createDataFrame(values, RUNS.schema)
    frame.coalesce(1).write.format("delta").mode("append").save(table_path(root, RUNS.name))


def run_name(now: datetime, salt: str) -> str:
    """A run's id: its start, and something that two runs of one second do not share."""
    return f"{now:%Y%m%dT%H%M%SZ}-{hashlib.sha256(salt.encode()).hexdigest()[:6]}"


def now_utc() -> datetime:
    """The clock: read here for the book-keeping of runs, and nowhere for results."""
    return datetime.now(UTC)


def table_sizes(root: str, names: Iterable[str] = ALL) -> dict[str, int]:
    """Version of each table there is."""
    return versions_of(root, [ALL[name] for name in names])


def tables_as_left(root: str, last: Mapping[str, Mapping[str, object]]) -> set[str]:
    """Names of tables that are still at the version at which this very code left them: they fit their declarations."""
    found = set()
    for row in last.values():
        outputs: Mapping[str, str] = row["output_versions"] or {}  # type: ignore[assignment]
        if row["code_version"] == code_version():
            found |= {name for name, version in outputs.items() if str(version_of(root, name)) == version}
    return found


def complete_run_ids(spark: SparkSession, root: str, stage: str) -> list[str]:
    """Ids of the runs in which a stage was completed, sorted; a few bytes a run."""
    rows = complete_runs(spark, root, stage).select("run_id")
    return sorted(row["run_id"] for row in rows.collect())
