"""A warehouse with the tables of identity: events put into it, and the stage run on it."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from identity.seen import START, Seen
from ingest.source_text import write_source
from personalake.config import load_settings
from personalake.job import Job
from personalake.packaged import conf_folder
from personalake.past import Before
from personalake.stages.identity import STAGE
from personalake.stages.identity_evidence import evidence_fingerprint
from personalake.store import write
from personalake.store.read import read
from personalake.store.schema import ensure_tables
from personalake.tables.identity import IDENTITY_LINKS, IDENTITY_MAP
from personalake.tables.ingest import EVENTS
from personalake.tables.spec import Table
from support.partitions import groups
from support.rows import frame, quick_queries

FIRST = START.date()


def day(number: int) -> date:
    """The as-of day after so many days of events."""
    return FIRST + timedelta(days=number)


class Lake:
    """A warehouse with events put into it, and the runs of identity on it."""

    def __init__(
        self, spark: SparkSession, root: Path, *settings: str, evidence: Mapping[str, float] | None = None
    ) -> None:
        self.spark, self.root, self.runs = spark, str(root / "lake"), 0
        self.before: Before | None = None
        self.seen: dict[str, Seen] = {}
        write_source(root / "conf", event_types={"pv": "view", "ping": "heartbeat"}, evidence=evidence)
        self.overrides = (
            f"sources.folder={root / 'conf'}",
            "identity.logins_per_device=2",
            'ingest.event_types=["heartbeat"]',
            *settings,
        )
        self.set()
        ensure_tables(spark, self.root, [*STAGE.reads, *STAGE.writes])

    def set(self, *settings: str) -> None:
        """Settings from now on; the last run had those of then."""
        overrides = [f"warehouse.root={self.root}", *self.overrides, *settings]
        self.settings = load_settings([str(conf_folder() / "base.yaml")], overrides)

    def twin(self, root: Path) -> Lake:
        """Another one with the same past."""
        other = copy.copy(self)
        other.root = str(shutil.copytree(self.root, root))
        other.set()
        return other

    def put(self, seen: Iterable[tuple[int, Seen]]) -> None:
        """Events, each with the number that is its id."""
        self.add(EVENTS, *(_event(f"e{number:04}", one) for number, one in seen))

    def put_instead(self, seen: Mapping[str, Seen]) -> None:
        """These events, by id, and no others: only days on which one came, went or changed are written."""
        other = {name for name in {*seen, *self.seen} if seen.get(name) != self.seen.get(name)}
        days = {_event(n, of[n])["event_date"] for n in other for of in (seen, self.seen) if n in of}
        self.seen = dict(seen)
        rows = [row for row in (_event(*item) for item in seen.items()) if row["event_date"] in days]
        if days:
            slices = {"event_date": sorted(str(one) for one in days)}
            content = frame(self.spark, EVENTS, *rows).drop("run_id")
            write.replace_where(self.spark, self.root, EVENTS, content, "test", slices)

    def add(self, table: Table, *rows: dict[str, Any]) -> None:
        write.merge(self.spark, self.root, table, frame(self.spark, table, *rows).drop("run_id"), "test")

    def job(self, as_of: date, force: bool = False) -> Job:
        self.runs += 1
        now = datetime.now(UTC)
        return Job(self.spark, self.settings, STAGE, f"run-{self.runs}", now, as_of, force, before=self.before)

    def run(self, as_of: date, force: bool = False) -> Job:
        job = self.job(as_of, force)
        with quick_queries(self.spark):
            STAGE.run(job)
        left = {table.name: job.version(table) for table in STAGE.writes}
        self.before = Before(dict(job.inputs), left, day=as_of, facts=evidence_fingerprint(self.settings))
        return job

    def rows(self, table: Table) -> list[tuple[str, ...]]:
        kept = [name for name in table.names if name != "run_id"]
        found = read(self.spark, self.root, table).select(
            *[F.to_json(name).alias(name) if table[name].type.typeName() == "map" else name for name in kept]
        )
        return sorted(tuple(map(str, row)) for row in found.collect())

    def map(self) -> dict[str, str]:
        return {f"{row[0]}:{row[1]}": row[2] for row in self.rows(IDENTITY_MAP)}

    def persons(self) -> frozenset[frozenset[Any]]:
        return groups(self.map().items())

    def states(self) -> dict[tuple[str, str], str]:
        links = read(self.spark, self.root, IDENTITY_LINKS)
        return {(row.left_identifier, row.right_identifier): row.state for row in links.collect()}


def _event(name: str, one: Seen) -> dict[str, Any]:
    at = START + timedelta(minutes=one.minute)
    identifiers = {"device_id": one.device, "login_id": one.login, "identifiers": one.others, "key_id": "k1"}
    when = {"event_at": at, "event_date": at.date(), "source_session_id": one.session}
    what = {"event_id": name, "source": one.source, "platform": "web", "device_class": "pc", "event_type": "view"}
    return identifiers | when | what
