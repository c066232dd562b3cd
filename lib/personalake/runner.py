"""The stages of one run, one after the other: what each reads, whether it must run at all, and its row in `runs`."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from pyspark.sql import SparkSession

from personalake.config import Settings, load_settings
from personalake.errors import ConfigError, DataError, Fault
from personalake.job import EVERYTHING, Job, Selection, Stage
from personalake.keyring import held_keys
from personalake.manifest import (
    Fingerprint,
    append_run,
    code_version,
    is_unchanged,
    last_complete,
    now_utc,
    run_name,
    tables_as_left,
)
from personalake.past import Before, Last
from personalake.store.folders import clear_scratch, scratch_path
from personalake.store.lock import has_lock
from personalake.store.points import reached
from personalake.store.read import last_date, read
from personalake.store.schema import ensure_tables
from personalake.store.session import is_local
from personalake.store.versions import version_of, versions_of
from personalake.tables.catalog import ALL, COMMANDS
from personalake.tables.ingest import EVENTS
from personalake.tables.runs import COMPLETE, RUNS
from personalake.upstream import refuse_other_days


@dataclass(frozen=True)
class Options:
    """What a command was given."""

    conf: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    as_of: date | None = None
    dry_run: bool = False
    force: bool = False
    selection: Selection = EVERYTHING

    def settings(self) -> Settings:
        """The settings these options name, checked whole."""
        return load_settings(self.conf, self.overrides)

    def refuse_dry_run(self) -> None:
        """For commands that cannot say what they would do without doing it; ConfigError where --dry-run was given."""
        if self.dry_run:
            raise ConfigError(Fault("--dry-run", "is not for this command, which only writes.", "Leave it out."))


@dataclass
class Outcome:
    """What became of a stage."""

    stage: str
    state: str
    seconds: float = 0.0
    rows_in: int | None = None
    rows_out: int = 0
    rows_rejected: int | None = None
    detail: dict[str, str] = field(default_factory=dict)


def say(text: str) -> None:
    """One plain line for the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


class Runner:
    """The stages of one run, one after the other."""

    def __init__(self, spark: SparkSession, settings: Settings, options: Options) -> None:
        self.spark, self.settings, self.options = spark, settings, options
        self.root = settings.warehouse.root
        self.is_local = is_local(spark)
        self.started_at = now_utc()
        self.run_id = run_name(self.started_at, f"{self.started_at.isoformat()}|{self.root}|{time.monotonic_ns()}")
        self.day = options.as_of
        self._last: dict[str, dict[str, object]] = {}

    def checked(self, stages: Sequence[Stage]) -> Sequence[Stage]:
        """The same stages, after whatever must hold before the first one reads."""
        needs_day = [s.name for s in stages if s.needs_as_of]
        if needs_day and self.day is None and not self.is_local:
            raise ConfigError(Fault("--as-of", "is not given.", "On a cluster say the day: --as-of YYYY-MM-DD."))
        if not self.options.dry_run:
            if has_lock(self.root):
                clear_scratch(self.root)
            # Long lineages (ALS) are cut here; a folder that every executor sees.
            self.spark.sparkContext.setCheckpointDir(scratch_path(self.root, self.run_id, "checkpoint"))
        self._last = last_complete(self.spark, self.root)
        if not self.options.dry_run:
            proven = tables_as_left(self.root, self._last)
            # What a command writes, not a stage, is read even where nobody ever gave that command.
            by_command = [t for s in stages for t in s.reads if t.stage in COMMANDS]
            written = [*(t for s in stages for t in s.writes), *by_command, RUNS]
            ensure_tables(self.spark, self.root, [t for t in written if t.name not in proven])
        return stages

    def run(self, stage: Stage) -> Outcome:
        """Run a stage, or skip it where nothing it depends on has changed."""
        job = self._job(stage)
        wanted = self._fingerprint(stage, job)
        if not self.options.force and is_unchanged(self.root, wanted, self._last.get(stage.name)):
            say(f"{stage.name}: nothing has changed, skipped.")
            return Outcome(stage.name, "skipped")
        if job.day is not None:
            for name in refuse_other_days(self.spark, self.root, stage.name, stage.reads, job.day, self._last):
                say(f"{stage.name}: {name} was not run as of {job.day}, nothing of it is known.")
        began = time.monotonic()
        stage.run(job)
        reached(f"stage:{stage.name}")
        seconds = round(time.monotonic() - began, 2)
        # Tables that this run did not touch are part of what must still hold for the next run to skip the stage.
        outputs = versions_of(self.root, stage.writes) | job.outputs
        row = self._row(stage, wanted, outputs) | {
            "rows_in": job.rows_in,
            "rows_out": job.rows_out,
            "rows_rejected": job.rows_rejected,
            "seconds": seconds,
            "started_at": job.now,
            "detail": job.detail,
        }
        append_run(self.spark, self.root, row)
        self._last[stage.name] = row
        outcome = Outcome(stage.name, COMPLETE, seconds, job.rows_in, job.rows_out, job.rows_rejected, job.detail)
        say(_line(outcome))
        return outcome

    def end(self) -> None:
        """Remove what the run put down while it worked."""
        clear_scratch(self.root, self.run_id)

    def plan(self, stage: Stage) -> Outcome:
        """Say what a stage would read and write, and write nothing."""
        job = self._job(stage)
        wanted = self._fingerprint(stage, job)
        state = "unchanged" if is_unchanged(self.root, wanted, self._last.get(stage.name)) else "would run"
        say(f"{stage.name}: {'would run' if self.options.force else state}")
        for word, tables in (("reads", stage.reads), ("writes", stage.writes)):
            for table in tables:
                say(f"  {word} {table.name} ({self._size(table.name)})")
        return Outcome(stage.name, state)

    def _size(self, name: str) -> str:
        if version_of(self.root, name) is None:
            return "not there yet"
        return f"{read(self.spark, self.root, ALL[name]).count():,} rows now"

    def _job(self, stage: Stage) -> Job:
        if stage.needs_as_of and self.day is None and not (self.options.dry_run and not self._has_events()):
            self.day = self._day_after_last_event()
        is_door = stage.name == "ingest" and not self.options.dry_run
        keys = held_keys(self.settings, self.is_local, say) if is_door else None
        day = self.day if stage.needs_as_of else None
        return Job(
            *(self.spark, self.settings, stage, self.run_id, now_utc(), day, self.options.force),
            *(keys.current if keys else None, self.options.selection, keys.previous if keys else None),
            self._before(stage),
            Last.of_row(self._last[stage.name]) if stage.name in self._last else None,
        )

    def _before(self, stage: Stage) -> Before | None:
        """The stage's last complete run, where this very code did it: another may have made other rows of the same."""
        last = self._last.get(stage.name)
        if last is None or last["code_version"] != code_version():
            return None
        inputs: Mapping[str, str] = last["input_versions"] or {}  # type: ignore[assignment]
        # A fingerprint may hold hashes beside the versions.
        read_at = {name: int(version) for name, version in inputs.items() if name in ALL}
        facts = {name: text for name, text in inputs.items() if name not in ALL}
        same = last["config_hash"] == self.settings.hash_of(stage.sections)
        return Before(read_at, Last.of_row(last).outputs, same, last["as_of_date"], facts)  # type: ignore[arg-type]

    def _has_events(self) -> bool:
        return version_of(self.root, EVENTS.name) is not None

    def _day_after_last_event(self) -> date:
        last = last_date(read(self.spark, self.root, EVENTS), "event_date") if self._has_events() else None
        if not isinstance(last, date):
            raise DataError(Fault(f"table {EVENTS.name}", "is empty.", "Run `personalake ingest` first."))
        return last + timedelta(days=1)

    def _fingerprint(self, stage: Stage, job: Job) -> Fingerprint:
        inputs = {name: str(version) for name, version in job.inputs.items()}
        inputs |= stage.fingerprint(self.settings) if stage.fingerprint else {}
        if stage.name == "ingest" and job.selection != EVERYTHING:
            # A run about a part must not pass for one about all.
            inputs["selection"] = str(job.selection)
        return Fingerprint(job.day, self.settings.hash_of(stage.sections), code_version(), inputs)

    def _row(self, stage: Stage, wanted: Fingerprint, outputs: Mapping[str, int]) -> dict[str, object]:
        return {
            "run_id": self.run_id,
            "stage": stage.name,
            "as_of_date": wanted.as_of_date,
            "config_hash": wanted.config_hash,
            "code_version": wanted.code_version,
            "input_versions": dict(wanted.input_versions),
            "output_versions": {name: str(version) for name, version in outputs.items()},
            "state": COMPLETE,
        }


def _line(outcome: Outcome) -> str:
    words = [f"{outcome.rows_out:,} rows written"]
    if outcome.rows_in is not None:
        words.insert(0, f"{outcome.rows_in:,} records read")
    if outcome.rows_rejected:
        words.append(f"{outcome.rows_rejected:,} refused")
    words += [f"{name.replace('_', ' ')}: {value}" for name, value in outcome.detail.items()]
    return f"{outcome.stage}: {outcome.seconds:.1f} s; {', '.join(words)}"
