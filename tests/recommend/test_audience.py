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
from personalake.config import Settings, load_settings
from personalake.errors import ConfigError, DataError
from personalake.packaged import conf_folder
from personalake.recommend.settings import Recommend
from personalake.tables import identity, ingest, profiles, recommend, segments
from support.rows import quick_queries, write_tables

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
        met("p2", "i5", 1.0), met("p2", "i6", 1.0),
    ],
    recommend.ITEM_NEIGHBOURS: [
        near("i1", "i2", 0.5, 1), near("i1", "i3", 0.25, 2), near("i2", "i1", 0.5, 1),
        near("i5", "i2", 0.5, 1), near("i6", "i2", 0.5, 1),
    ],
    ingest.ITEMS: [
        {"item_id": "i1", "title": "green tea", "effective_at": T0},
        {"item_id": "i2", "title": "round pot", "effective_at": T0},
        {"item_id": "i3", "title": "flat pan", "effective_at": T0},
        {"item_id": "i4", "title": "black coffee", "effective_at": T0},
        {"item_id": "i9", "title": "strong coffee", "effective_at": T0},
        {"item_id": "i5", "title": "red wine", "category": "wine", "effective_at": T0},
        {"item_id": "i6", "title": "cracked pot", "is_available": False, "effective_at": T0},
    ],
    profiles.PERSON_ITEM_DAYS: [
        {"person_id": "p5", "item_id": "i1", "event_date": date(2023, 1, 1), "platform": "web", "event_type": "buy",
         "currency": "", "event_count": 1},
    ],
    profiles.PROFILES: [
        {"person_id": person, "as_of_date": DAY, "age_band": "<18" if person in ("p3", "p4") else "25-34"}
        for person in PERSONS
    ],
    segments.SEGMENTS: [],
    segments.SEGMENT_PROFILES: [],
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


RULES = """
rules:
  - {code: RUL-001, kind: exclude_bought}
  - {code: RUL-002, kind: available_only}
  - code: RUL-010
    kind: allow
    when: {feature: item.category, is: wine}
    only: {feature: person.age_band, one_of: [18-24, 25-34]}
"""


class Asked:
    """The command over the tables: persons with the source that answered, and what the terminal was told."""

    def __init__(self, folder: Path, root: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.rules, self.root, self.capsys, self.said = folder / "rules.yaml", root, capsys, ""
        self.rules.write_text(RULES)

    def __call__(
        self, item: str, limit: int = 10, warehouse: str = "", algorithms: dict[str, Any] | None = None, **more: Any
    ) -> list[tuple[str, str]]:
        overrides = [f"warehouse.root={warehouse or self.root}", f"rules.file={self.rules}"]
        settings = load_settings([str(conf_folder() / "base.yaml")], overrides)
        if algorithms is not None or more:
            own = {} if algorithms is None else {"algorithms": {**algorithms, "popular": {"kind": "popular"}}}
            settings = settings.model_copy(update={"recommend": Recommend.model_validate(own | more)})
        finding.audience(SimpleNamespace(settings=lambda: settings, as_of=None), item, limit, "csv")  # type: ignore[arg-type]
        told = self.capsys.readouterr()
        self.said = told.err
        rows = list(csv.DictReader(told.out.splitlines()))
        assert [row["audience_rank"] for row in rows] == [str(n) for n in range(1, len(rows) + 1)]
        return [(row["person_id"], row["source"]) for row in rows]


@pytest.fixture
def asked(
    spark: SparkSession, root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Asked]:
    @contextmanager
    def session(settings: Settings) -> Iterator[SparkSession]:
        yield spark

    monkeypatch.setattr(finding, "session", session)
    with quick_queries(spark):
        yield Asked(tmp_path, root, capsys)


def test_an_item_with_neighbours_goes_to_those_who_met_them(asked: Asked) -> None:
    assert asked("i1") == [("p3", "item_cosine"), ("p1", "item_cosine"), ("p6", "item_cosine")]
    assert asked.said == (
        "Left out of 7 persons: 1 by RUL-001, 1 met it before, 1 said no to personalisation.\n"
        "Answered by item_cosine.\n"
    )
    assert asked("i1", limit=1) == [("p3", "item_cosine")]


def test_a_new_item_goes_to_those_who_met_what_is_like_it(asked: Asked) -> None:
    assert asked("i9") == [("p7", "content_based")]


def test_no_minor_is_named_for_wine(asked: Asked) -> None:
    assert {person for person, _ in asked("i5")} == {"p1", "p5", "p6"}
    assert asked.said.startswith(
        "Left out of 7 persons: 1 by RUL-010, 1 met it before, 1 said no to personalisation.\n"
    ), "of the two minors one said no, which comes first"


def test_what_cannot_be_had_has_no_audience(asked: Asked) -> None:
    assert asked("i6") == []
    assert asked.said == (
        "Left out of 7 persons: 6 by RUL-002, 1 said no to personalisation.\nNo algorithm finds anybody for it.\n"
    )


def test_who_may_be_suggested_it_again_is_named_again(asked: Asked) -> None:
    asked.rules.write_text("rules: [{code: RUL-001, kind: exclude_bought, days: 30}]")
    found = asked("i1")
    assert {person for person, _ in found} == {"p1", "p3", "p5", "p6"}, "p5 bought it more than a year ago"
    assert {person for person, _ in asked("i1", exclude_seen=False)} == {"p1", "p2", "p3", "p5", "p6"}


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("tastes", {"kind": "als", "rank": 2, "iterations": 2, "blocks": 1}),
        ("all_at_once", {"kind": "ease"}),
        ("alike", {"kind": "user_knn", "measure": "cosine", "min_overlap": 1}),
    ],
)
def test_the_configured_algorithm_answers(asked: Asked, name: str, algorithm: dict[str, Any]) -> None:
    found = asked("i1", algorithms={name: algorithm})
    assert found and {source for _, source in found} == {name}
    assert {person for person, _ in found} <= {"p1", "p3", "p6", "p7"}
    assert asked.said.endswith(f"Answered by {name}.\n")
    assert asked("i9", algorithms={name: algorithm}) == [("p7", "content_based")], "whom nobody met they cannot know"


def test_what_cannot_be_answered_is_told(asked: Asked, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--item: nothing is no item that is known"):
        asked("nothing")
    with pytest.raises(ConfigError, match="--limit: is 0"):
        asked("i1", limit=0)
    with pytest.raises(DataError, match="table interactions: is not there"):
        asked("i1", warehouse=str(tmp_path))
