"""What the commands that are no stage do."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from personalake.config import Settings
from personalake.errors import ConfigError, DataError, Fault
from personalake.flow import FLOW
from personalake.ingest.check import check_sources
from personalake.keyring import default_key_path
from personalake.report.build import build_report
from personalake.report.settings import Report
from personalake.runner import Options, say
from personalake.runtime import parse_day, run_stages, run_these, session
from personalake.runtime import validate as try_files
from personalake.sample import write_sample
from personalake.stages.known import sources_of
from personalake.stages.requeue import requeue_stage
from personalake.store.lock import writer_lock
from personalake.store.read import last_date, read
from personalake.store.schema import ensure_tables
from personalake.store.versions import version_of
from personalake.tables.catalog import ALL
from personalake.tables.profiles import PROFILES
from personalake.tables.runs import RUNS
from personalake.views.console import run_sql
from personalake.views.person import person_picture
from personalake.views.person_text import person_text
from personalake.views.register import register

QUERIES = (
    "SELECT * FROM segment_summary_v1",
    "SELECT title, person_count, buy_count FROM top_items_v1 WHERE window_days = 30 "
    "ORDER BY person_count DESC LIMIT 10",
    "SELECT person_id, recommendation_rank, title, reason FROM recommendations_current_v1 "
    "WHERE target_kind = 'item' ORDER BY person_id, recommendation_rank LIMIT 10",
)


def sample(
    options: Options, persons: int, items: int, days: int, start: str, seed: int, out: str | None
) -> dict[str, object]:
    """Write sample logs to a folder, raw.root unless another is named."""
    options.refuse_dry_run()
    settings = options.settings()
    day = parse_day(start, "--start")
    folder = out or settings.raw.root
    began = time.monotonic()
    with session(settings) as spark:
        counts = write_sample(spark, folder, persons, items, days, day, seed)
    totals: dict[str, object] = {
        name: counts[name] for name in ("events_total", "refused_total", "files_total") if name in counts
    }
    return {"state": "complete", "out": folder, "seconds": round(time.monotonic() - began, 1), **totals}


def report(options: Options) -> dict[str, object]:
    """Write the report of a warehouse."""
    options.refuse_dry_run()
    settings = options.settings()
    path = report_path(settings)
    with session(settings) as spark:
        register(spark, settings.warehouse.root)
        day = _newest_day(spark, settings.warehouse.root)
        _refuse_another_day(options, day)
        page = build_report(spark, day, _shown(settings))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    say(f"Report: {path}")
    return {"state": "complete", "report": str(path)}


def _shown(settings: Settings) -> Report:
    """The section report; money is in the base currency unless it says otherwise."""
    currency = settings.report.base_currency or settings.ingest.base_currency
    return settings.report.model_copy(update={"base_currency": currency})


def _newest_day(spark: SparkSession, root: str) -> date:
    """The newest as-of day that profiles were built for."""
    is_there = version_of(root, PROFILES.name) is not None
    newest = last_date(read(spark, root, PROFILES), "as_of_date") if is_there else None
    if not isinstance(newest, date):
        raise DataError(Fault("table profiles", "is empty.", "Run `personalake run` first."))
    return newest


def _refuse_another_day(options: Options, newest: date) -> None:
    """For commands that show the newest day: ConfigError where --as-of names another."""
    if options.as_of not in (None, newest):
        text = f"{options.as_of} is not the newest day, {newest}, which is what this command shows."
        raise ConfigError(Fault("--as-of", text, f"Leave it out, or `personalake run --as-of {options.as_of}`."))


def report_path(settings: Settings) -> Path:
    """Where the report goes: as conf says, else beside the warehouse."""
    if settings.report.out:
        return Path(settings.report.out).expanduser()
    return default_key_path(settings.warehouse.root).with_name("report.html")


def demo(options: Options) -> dict[str, object]:
    """Sample logs where there are none, then the whole flow and the report."""
    options.refuse_dry_run()
    settings = options.settings()
    if not (Path(settings.raw.root) / "truth" / "truth.json").exists():
        say(f"Writing sample logs to {settings.raw.root} …")
        sample(options, 2000, 600, 60, "2026-01-01", settings.seed, None)
    status = run_stages([stage.name for stage in FLOW], options)
    path = report_path(settings)
    changed = any(stage["state"] != "skipped" for stage in status["stages"])  # type: ignore[attr-defined]
    if changed or not path.exists():
        report(options)
    say(f"\nThe report: {path}\nThree queries worth trying:")
    for query in QUERIES:
        say(f'  .venv/bin/personalake sql "{query}"')
    return {**status, "report": str(path)}


def sql(options: Options, query: str, shape: str) -> None:
    """Print the rows of a query."""
    settings = options.settings()
    with session(settings) as spark:
        for line in run_sql(spark, settings.warehouse.root, query, shape):
            print(line)


def person(options: Options, person_id: str, shape: str) -> None:
    """Print one person's picture."""
    settings = options.settings()
    with session(settings) as spark:
        if options.as_of is not None:
            _refuse_another_day(options, _newest_day(spark, settings.warehouse.root))
        picture = person_picture(spark, settings.warehouse.root, person_id)
    if shape == "json":
        print(json.dumps(picture, ensure_ascii=False, default=str))
    else:
        print("\n".join(person_text(picture)))


def validate(options: Options) -> dict[str, object]:
    """Try every setting, every source and every expression; read no data."""
    settings = options.settings()
    try_files(settings)
    folder = Path(settings.sources.folder)
    sources = sources_of(settings)
    with session(settings) as spark:
        check_sources(spark, folder, sources)
    return {"state": "valid", "sources": [source.name for source in sources]}


def requeue(options: Options, source: str, reason: str) -> dict[str, object]:
    """Map refused records anew after their source was mended."""
    return run_these([requeue_stage(options.settings(), source, reason)], options)


def init(options: Options) -> dict[str, object]:
    """Create the tables that are missing."""
    options.refuse_dry_run()
    settings = options.settings()
    root = settings.warehouse.root
    with writer_lock(root), session(settings) as spark:
        ensure_tables(spark, root, ALL.values())
    return {"state": "complete", "warehouse": root, "tables": len(ALL)}


def status(options: Options) -> dict[str, object]:
    """Show the newest runs and every table's version and rows."""
    settings = options.settings()
    root = settings.warehouse.root
    with session(settings) as spark:
        tables = {
            name: {"version": version, "rows": read(spark, root, ALL[name]).count()}
            for name in ALL
            if (version := version_of(root, name)) is not None
        }
        rows = _newest_runs(spark, root) if "runs" in tables else []
    for row in rows:
        say(run_line(row))
    for name, facts in tables.items():
        say(f"{name:<20} version {facts['version']:>5}  {facts['rows']:>12,} rows")
    return {"state": "complete", "warehouse": root, "tables": tables, "runs": rows}


def run_line(row: dict[str, Any]) -> str:
    """One run of a stage on a line; what it does not tell counts as nothing."""
    words = f"{row['state'] or '':<9} {row['seconds'] or 0:8.1f} s  {row['rows_out'] or 0:>12,} rows"
    return f"{row['started_at']}  {row['stage']:<10} {words}"


def _newest_runs(spark: SparkSession, root: str) -> list[dict[str, Any]]:
    runs = read(spark, root, RUNS).orderBy(F.col("started_at").desc(), "run_id", "stage").limit(20)
    columns = ("run_id", "stage", "as_of_date", "state", "seconds", "rows_out", "started_at")
    return [row.asDict() for row in runs.select(*columns).collect()]
