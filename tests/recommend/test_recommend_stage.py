"""The stage on real tables: the chain of popular lists, days without history, and what the run tells."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from personalake.job import Job
from personalake.stages import recommend
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import CONSENTS, ITEM_VERSIONS
from personalake.tables.profiles import INTERACTIONS, PROFILES
from personalake.tables.recommend import ITEM_NEIGHBOURS, RECOMMENDATIONS
from personalake.tables.segments import SEGMENT_PROFILES, SEGMENTS
from support.list_shop import AS_OF, Rows, Shop, item, moment, said_no

FIRST = date(2024, 1, 1)
RECOMMEND: dict[str, Any] = {
    "algorithms": {
        "near": {"kind": "item_cosine", "history_cap": 2},
        "in_segment": {"kind": "popular", "within": "segment_id"},
        "on_platform": {"kind": "popular", "within": "top_platform"},
        "popular": {"kind": "popular"},
    },
    "fallbacks": ["in_segment", "on_platform"],
    "limit": 4,
}
MINOR = {"feature": "person.age_band", "is": "<18"}
RULES: list[dict[str, Any]] = [
    {"code": "RUL-001", "kind": "exclude_bought"},
    {"code": "RUL-002", "kind": "available_only"},
    {"code": "RUL-003", "kind": "exclude", "when": {"all": [{"feature": "item.category", "is": "wine"}, MINOR]}},
]
# Those without history: segment, platform, age band.
NEW = {
    "seg": ("1", None, None), "plat": (None, "ios", None), "both": ("1", "ios", None), "none": (None, None, None),
    "out": ("1", "ios", None), "child": ("1", None, "<18"),
}  # fmt: skip
Listed = dict[str, list[tuple[str, str, str, str]]]


def met(person: str, its_item: str) -> dict[str, Any]:
    place = 10 * (person[0] == "s")
    return {"person_id": person, "item_id": its_item, "weight": 1.0, "event_count": 1, "buy_count": 0,
            "first_at": moment(FIRST), "last_at": moment(FIRST), "person_index": place + int(person[1:]),
            "item_index": place + int(its_item[2:])}  # fmt: skip


def shop_rows() -> Rows:
    """Six persons of segment 1 on the web, five of segment 2 on iOS; each met two of three items, n0 all three."""
    crowd = {f"n{n}": ("1", "web", None) for n in range(6)} | {f"s{n}": ("2", "ios", None) for n in range(5)}
    pairs = [(p, f"{p[0]}-{m}") for p in crowd for m in range(3) if int(p[1:]) % 3 != m or p == "n0"]
    everybody = crowd | NEW
    return {
        INTERACTIONS: [met(*pair) for pair in pairs],
        PROFILES: [
            {"person_id": person, "as_of_date": AS_OF, "top_platform": platform, "age_band": age}
            for person, (_, platform, age) in everybody.items()
        ],
        SEGMENTS: [
            {"person_id": person, "as_of_date": AS_OF, "method": "kmeans", "segment_id": segment, "is_main": True}
            for person, (segment, *_) in everybody.items() if segment
        ],
        SEGMENT_PROFILES: [
            {"as_of_date": AS_OF, "method": "kmeans", "segment_id": segment, "segment_name": name,
             "segment_name_zh": "忠诚"}
            for segment, name in (("1", "Loyal"), ("2", "Rare"))
        ],
        ITEM_VERSIONS: [
            *(item(f"{letter}-{m}", FIRST, brand=letter, category="wine" if m == 1 else "tea")
              for letter in "ns" for m in range(3)),
            item("gone", FIRST, is_available=False),
        ],
        CONSENTS: [said_no("out", FIRST)],
        IDENTITY_MAP: [{"identifier_kind": "login", "identifier": p, "person_id": p} for p in everybody],
    }  # fmt: skip


def listed(shop: Shop, kind: str = "item") -> Listed:
    """By person, in order: target, source, reason code, reason."""
    rows = shop.rows(RECOMMENDATIONS).where(f"target_kind = '{kind}'").collect()
    found: Listed = {}
    for row in sorted(rows, key=lambda row: row.recommendation_rank):
        found.setdefault(row.person_id, []).append((row.target_id, row.source, row.reason_code, row.reason))
        assert row.reason_zh
    return found


@pytest.fixture(scope="module")
def run(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, Listed, Listed]:
    shop = Shop(spark, tmp_path_factory.mktemp("recommend"), shop_rows(), RECOMMEND, RULES)
    return shop.run(recommend.STAGE), listed(shop), listed(shop, "brand")


SEGMENT, PLATFORM, ALL = (
    ("in_segment", "REC-006", "Popular in your group: Loyal"),
    ("on_platform", "REC-008", "Popular among people on ios"),
    ("popular", "REC-003", "It is among the most chosen"),
)
EVERYBODYS = [(its_item, *ALL) for its_item in ("n-0", "n-1", "n-2", "s-2")]


@pytest.mark.parametrize(
    ("person", "wanted"),
    [
        ("seg", [("n-0", *SEGMENT), ("n-1", *SEGMENT), ("n-2", *SEGMENT), ("s-2", *ALL)]),
        ("plat", [("s-2", *PLATFORM), ("s-0", *PLATFORM), ("s-1", *PLATFORM), ("n-0", *ALL)]),
        ("both", [("n-0", *SEGMENT), ("n-1", *SEGMENT), ("n-2", *SEGMENT), ("s-2", *PLATFORM)]),
        ("none", EVERYBODYS),
        ("out", EVERYBODYS),
        ("child", [("n-0", *SEGMENT), ("n-2", *SEGMENT), ("s-2", *ALL), ("s-0", *ALL)]),
    ],
)
def test_lists_fill_up_by_segment_then_platform_then_everybody(
    run: tuple[Job, Listed, Listed], person: str, wanted: list[Any]
) -> None:
    assert run[1][person] == wanted


def test_a_brand_comes_from_where_most_of_its_items_come(run: tuple[Job, Listed, Listed]) -> None:
    assert run[2]["seg"] == [("n", *SEGMENT), ("s", *ALL)]
    assert run[2]["both"] == [("n", *SEGMENT), ("s", *PLATFORM)]
    assert run[2]["n1"][0][1] == "blend"


def test_the_run_tells_the_plan_what_was_dropped_and_what_rules_removed(run: tuple[Job, Listed, Listed]) -> None:
    detail = run[0].detail
    assert re.fullmatch(
        r"\w+ plan \(.+\): .+; history_cap 2 dropped 1 entries, \d+\.\d\d% of all weight", detail["near"]
    ), detail
    assert detail["RUL-002"] == "1 items"
    assert detail["RUL-003"] == "1 candidates", "what is taken out of lists that fill up counts too"
    assert "RUL-001" not in detail, "nothing was bought"


def without_history(**more: Any) -> Rows:
    persons = {"p1": None, "child": "<18", "out": None}
    return {
        PROFILES: [{"person_id": p, "as_of_date": AS_OF, "age_band": age} for p, age in persons.items()],
        CONSENTS: [said_no("out", FIRST)],
        IDENTITY_MAP: [{"identifier_kind": "login", "identifier": p, "person_id": p} for p in persons],
        **more,
    }


def test_an_empty_day_gives_everyone_the_newest_of_the_catalogue(spark: SparkSession, tmp_path: Path) -> None:
    february, march = date(2024, 2, 1), date(2024, 3, 1)
    catalogue = [
        item("a", FIRST), item("b", march), item("c", february, category="wine"), item("d", march),
        item("e", march, is_available=False), item("f", AS_OF), item("g", FIRST, is_available=None),
    ]  # fmt: skip
    shop = Shop(spark, tmp_path, without_history() | {ITEM_VERSIONS: catalogue}, RECOMMEND, RULES)
    job = shop.run(recommend.STAGE)
    found = listed(shop)
    newest = ("catalogue", "REC-014", "On offer now; nobody's choices are known yet")
    wanted = {"p1": "bdca", "out": "bdca", "child": "bdag"}
    assert found == {person: [(its_item, *newest) for its_item in items] for person, items in wanted.items()}
    assert listed(shop, "category") == {
        "p1": [("tea", *newest), ("wine", *newest)], "out": [("tea", *newest), ("wine", *newest)],
        "child": [("tea", *newest)],
    }  # fmt: skip
    assert job.detail == {
        "lists_from_catalogue": "no interactions before this day", "RUL-002": "1 items", "RUL-003": "1 candidates"
    }  # fmt: skip
    assert shop.rows(ITEM_NEIGHBOURS).isEmpty()


def test_an_empty_day_without_a_catalogue_leaves_empty_tables_and_says_why(spark: SparkSession, tmp_path: Path) -> None:
    shop = Shop(spark, tmp_path, without_history(), RECOMMEND, RULES)
    job = shop.run(recommend.STAGE)
    assert shop.rows(RECOMMENDATIONS).isEmpty() and shop.rows(ITEM_NEIGHBOURS).isEmpty()
    assert job.detail == {"no_lists": "neither interactions nor a catalogue before this day"}
    assert {RECOMMENDATIONS.name, ITEM_NEIGHBOURS.name} <= set(job.outputs)
