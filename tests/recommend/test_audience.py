"""Which persons for an item, as the command `audience` answers from the published tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import SparkSession

from personalake import finding
from personalake.config import Settings
from personalake.errors import ConfigError, DataError
from personalake.settings import Warehouse
from personalake.tables import identity, ingest, profiles, recommend
from support.rows import write_tables

T0 = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = date(2024, 3, 10)
PERSONS = [f"p{n}" for n in range(1, 8)]


def met(person: str, item: str, weight: float) -> dict[str, Any]:
    return {"person_id": person, "item_id": item, "weight": weight, "event_count": 1, "buy_count": 0, "first_at": T0,
            "last_at": T0, "person_index": int(person[1:]), "item_index": int(item[1:])}  # fmt: skip


def near(item: str, neighbour: str, score: float, rank: int) -> dict[str, Any]:
    return {"item_id": item, "neighbour_id": neighbour, "method": "item_cosine", "similarity_score": score,
            "neighbour_rank": rank}  # fmt: skip


TABLES = {
    # p2 has met i1; p4 said no; p5 bought i1 long ago; p7 knows nothing like it.
    profiles.INTERACTIONS: [
        met("p1", "i2", 1.0), met("p2", "i1", 1.0), met("p2", "i2", 9.0), met("p3", "i2", 1.0), met("p3", "i3", 1.0),
        met("p4", "i2", 9.0), met("p5", "i2", 9.0), met("p6", "i2", 1.0), met("p7", "i4", 9.0),
    ],
    recommend.ITEM_NEIGHBOURS: [near("i1", "i2", 0.5, 1), near("i1", "i3", 0.25, 2), near("i2", "i1", 0.5, 1)],
    ingest.ITEMS: [
        {"item_id": "i1", "title": "green tea", "effective_at": T0},
        {"item_id": "i2", "title": "round pot", "effective_at": T0},
        {"item_id": "i3", "title": "flat pan", "effective_at": T0},
        {"item_id": "i4", "title": "black coffee", "effective_at": T0},
        {"item_id": "i9", "title": "strong coffee", "effective_at": T0},
    ],
    profiles.PERSON_ITEM_DAYS: [
        {"person_id": "p5", "item_id": "i1", "event_date": date(2023, 1, 1), "platform": "web", "event_type": "buy",
         "currency": "", "event_count": 1},
    ],
    profiles.PROFILES: [{"person_id": person, "as_of_date": DAY} for person in PERSONS],
    ingest.CONSENTS: [
        {"consent_id": "c1", "identifier_kind": "login", "identifier": "l4", "purpose": "personalisation",
         "state": "denied", "effective_at": T0, "source": "crm"},
    ],
    identity.IDENTITY_MAP: [{"identifier_kind": "login", "identifier": "l4", "person_id": "p4"}],
}  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("audience"))
    write_tables(path, TABLES)
    return path


@pytest.fixture
def asked(spark: SparkSession, root: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    @contextmanager
    def session(settings: Settings) -> Iterator[SparkSession]:
        yield spark

    monkeypatch.setattr(finding, "session", session)

    def ask(item: str, limit: int = 10, warehouse: str = root) -> list[tuple[str, str]]:
        settings = Settings(warehouse=Warehouse(root=warehouse))
        finding.audience(SimpleNamespace(settings=lambda: settings, as_of=None), item, limit, "csv")  # type: ignore[arg-type]
        rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
        assert [row["audience_rank"] for row in rows] == [str(n) for n in range(1, len(rows) + 1)]
        return [(row["person_id"], row["source"]) for row in rows]

    return ask


def test_an_item_with_neighbours_goes_to_those_who_met_them(asked: Any) -> None:
    assert asked("i1") == [("p3", "item_cosine"), ("p1", "item_cosine"), ("p6", "item_cosine")]
    assert asked("i1", limit=1) == [("p3", "item_cosine")]


def test_a_new_item_goes_to_those_who_met_what_is_like_it(asked: Any) -> None:
    assert asked("i9") == [("p7", "content_based")]


def test_what_cannot_be_answered_is_told(asked: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--item: nothing is no item that is known"):
        asked("nothing")
    with pytest.raises(ConfigError, match="--limit: is 0"):
        asked("i1", limit=0)
    with pytest.raises(DataError, match="table interactions: is not there"):
        asked("i1", warehouse=str(tmp_path))
