"""A shop of two regions and four weeks, in the tables that lists are made from and measured by."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from pyspark.sql import DataFrame, SparkSession

from personalake.config import load_settings
from personalake.job import Job, Stage
from personalake.packaged import conf_folder
from personalake.recommend.settings import Recommend
from personalake.store.read import read
from personalake.store.schema import ensure_tables
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import CONSENTS, CUSTOMER_VERSIONS, ITEM_VERSIONS
from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS
from personalake.tables.runs import RUNS
from personalake.tables.spec import Table
from support.rows import quick_queries, write_tables

START, AS_OF = date(2024, 3, 1), date(2024, 3, 29)
REGIONS = ("north", "south")
PERSONS = {f"{region[0]}{n}": region for region in REGIONS for n in range(6)}
ITEMS = 8
Rows = dict[Table, list[dict[str, Any]]]


def moment(day: date) -> datetime:
    """Noon of a day [UTC]."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def took(person: str, item: str, day: date, verb: str = "view") -> dict[str, Any]:
    """A row of PERSON_ITEM_DAYS."""
    return {"person_id": person, "item_id": item, "event_date": day, "platform": "web", "event_type": verb,
            "currency": "", "event_count": 1, "first_at": moment(day), "last_at": moment(day)}  # fmt: skip


def item(item_id: str, since: date, **more: Any) -> dict[str, Any]:
    """A row of ITEM_VERSIONS."""
    known = {"category": "tea", "title": item_id, "is_available": True, "record_version": str(since)}
    return {"item_id": item_id, "effective_at": moment(since), "first_seen_at": moment(since), **known, **more}


def said_no(person: str, since: date) -> dict[str, Any]:
    """A row of CONSENTS."""
    return {"consent_id": f"c-{person}", "identifier_kind": "login", "identifier": person, "source": "crm",
            "purpose": "personalisation", "state": "denied", "effective_at": moment(since)}  # fmt: skip


def weeks() -> Rows:
    """Each person goes through the items of the own region, three in the first fortnight, then one more a week."""
    days: list[dict[str, Any]] = []
    for place, (person, region) in enumerate(PERSONS.items()):
        for step in range(5):
            week = max(0, step - 1) if step < 3 else step - 1
            day = START + timedelta(days=7 * week + place % 5)
            days.append(took(person, f"{region[0]}-{(place + step) % ITEMS}", day))
    keys = {(row["person_id"], row["event_date"]) for row in days}
    return {
        PERSON_ITEM_DAYS: days,
        PERSON_DAYS: [
            {"person_id": person, "event_date": day, "platform": "web", "event_type": "view", "currency": "",
             "event_count": 1, "first_at": moment(day), "last_at": moment(day)}
            for person, day in sorted(keys)
        ],
        ITEM_VERSIONS: [item(f"{region[0]}-{n}", date(2024, 2, 1)) for region in REGIONS for n in range(ITEMS)],
        CUSTOMER_VERSIONS: [
            {"login_id": person, "region": region, "effective_at": moment(date(2024, 2, 1)), "record_version": "1"}
            for person, region in PERSONS.items()
        ],
        IDENTITY_MAP: [
            {"identifier_kind": "login", "identifier": person, "person_id": person} for person in PERSONS
        ],
        CONSENTS: [],
    }  # fmt: skip


class Shop:
    """A warehouse, settings and rules below one folder."""

    def __init__(
        self,
        spark: SparkSession,
        folder: Path,
        given: Rows,
        recommend: dict[str, Any],
        rules: list[dict[str, Any]],
        *conf: str,
    ) -> None:
        self.spark, self.root = spark, str(folder / "lake")
        (folder / "rules.yaml").write_text(yaml.safe_dump({"rules": rules}))
        overrides = [f"warehouse.root={self.root}", f"rules.file={folder / 'rules.yaml'}", *conf]
        settings = load_settings([str(conf_folder() / "base.yaml")], overrides)
        # Instead of the algorithms of the conf files, not beside them.
        self.settings = settings.model_copy(update={"recommend": Recommend.model_validate(recommend)})
        write_tables(self.root, given)

    def job(self, stage: Stage, run_id: str = "run-1", day: date = AS_OF) -> Job:
        """A job of a stage over the tables."""
        ensure_tables(self.spark, self.root, [*stage.reads, *stage.writes, RUNS])
        return Job(self.spark, self.settings, stage, run_id, moment(day), day)

    def run(self, stage: Stage, run_id: str = "run-1", day: date = AS_OF) -> Job:
        """Run a stage."""
        job = self.job(stage, run_id, day)
        with quick_queries(self.spark):
            stage.run(job)
        return job

    def rows(self, table: Table) -> DataFrame:
        """The rows of a table."""
        return read(self.spark, self.root, table)
