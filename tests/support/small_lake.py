"""A lake of a handful of rows in every table that views read, small enough to work out each answer by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from personalake.tables import evaluate, identity, ingest, predictions, profiles, recommend, runs, segments, tags
from support.rows import DAY

T0 = datetime(2024, 3, 1, 12, tzinfo=UTC)
OLD, NEW = date(2024, 3, 9), date(2024, 3, 10)


def days_before(last: date, days: int) -> date:
    return last - timedelta(days=days)


def event(number: int, platform: str, event_type: str, **more: Any) -> dict[str, Any]:
    return {"event_id": f"e{number}", "event_at": T0, "event_date": DAY, "source": f"{platform}_log",
            "platform": platform, "event_type": event_type, **more}  # fmt: skip


EVENTS = [
    event(1, "web", "view", device_id="d1", login_id="l1"),
    event(2, "web", "search", device_id="d1", value=0.0),
    event(3, "web", "search", device_id="d2", value=7.0),
    event(4, "web", "error", device_id="d9"),
    event(5, "ios", "load", device_id="d3", value=100.0),
    event(6, "ios", "load", device_id="d3", value=300.0),
    event(7, "ios", "survey", login_id="l2", value=4.0),
    event(8, "ios", "survey", login_id="l2", value=None),
    event(9, "web", "error", device_id="d2", is_bot=True),
    event(10, "web", "view"),
]


def linked(kind: str, identifier: str, person: str) -> dict[str, str]:
    return {"identifier_kind": kind, "identifier": identifier, "person_id": person}


IDENTITY = [
    linked("login", "l1", "p1"), linked("device", "d1", "p1"), linked("device", "d3", "p1"),
    linked("device", "d2", "p2"), linked("login", "l2", "p2"),
    linked("login", "d9", "p3"),
]  # fmt: skip


def link(login: str, device: str, events: int, state: str = "used") -> dict[str, Any]:
    return {"link_id": f"{login}{device}", "left_kind": "login", "left_identifier": login, "right_kind": "device",
            "right_identifier": device, "evidence_kind": "login_on_device", "strength_score": 0.9,
            "event_count": events, "first_at": T0, "last_at": T0, "state": state}  # fmt: skip


def session(number: int, platform: str, **more: Any) -> dict[str, Any]:
    return {"session_id": f"s{number}", "platform": platform, "started_at": T0, "started_date": DAY, **more}


def person_day(person: str, platform: str, event_type: str = "view", day: date = DAY, **more: Any) -> dict[str, Any]:
    return {"person_id": person, "event_date": day, "platform": platform, "event_type": event_type, "currency": "",
            "event_count": 1, **more}  # fmt: skip


PERSON_DAYS = [
    person_day("p1", "web"), person_day("p1", "web", "buy", order_count=2, event_count=3, amount_base_minor=500),
    person_day("p1", "ios"), person_day("p2", "ios"), person_day("p3", "ios"), person_day("p4", "tv"),
    person_day("p2", "ios", "cart", date(2024, 3, 2), event_count=4),
]  # fmt: skip


def item_day(person: str, item: str, event_type: str, ago: int, **more: Any) -> dict[str, Any]:
    return {**person_day(person, "web", event_type, days_before(NEW, ago)), "item_id": item, **more}


PERSON_ITEM_DAYS = [
    item_day("p1", "i1", "view", 0, event_count=5), item_day("p2", "i1", "view", 6),
    item_day("p1", "i1", "buy", 6, amount_base_minor=900), item_day("p3", "i1", "buy", 7, amount_base_minor=100),
    item_day("p1", "i2", "cart", 29, event_count=2), item_day("p4", "i3", "view", 89),
    item_day("p4", "i4", "view", 90), item_day("p1", "i0", "view", 0), item_day("p2", "i0", "view", 0),
]  # fmt: skip


def profile(person: str, as_of: date, **more: Any) -> dict[str, Any]:
    return {"person_id": person, "as_of_date": as_of, **more}


PROFILES = [
    profile(
        "p1",
        NEW,
        order_count=2,
        money_minor=600,
        rfm_recency_rank=5,
        rfm_frequency_rank=4,
        recency_days=1,
        top_category="tea",
    ),
    profile("p2", NEW, order_count=1, money_minor=201, rfm_recency_rank=5, rfm_frequency_rank=4),
    profile("p3", NEW, order_count=0, money_minor=0),
    profile("p1", OLD, money_minor=9, rfm_recency_rank=1, rfm_frequency_rank=1),
]


def segment_of(person: str, as_of: date, segment: str, name: str) -> dict[str, Any]:
    return {"person_id": person, "as_of_date": as_of, "method": "kmeans", "segment_id": segment, "segment_name": name}


SEGMENTS = [
    segment_of("p1", NEW, "s1", "Loyal"), segment_of("p2", NEW, "s2", "Rare"), segment_of("p3", NEW, "s2", "Rare"),
    segment_of("p1", OLD, "s2", "Rare"),
]  # fmt: skip


def segment(segment_id: str, as_of: date, name: str, persons: int, centre: dict[str, str]) -> dict[str, Any]:
    return {"segment_id": segment_id, "as_of_date": as_of, "method": "kmeans", "segment_name": name,
            "person_count": persons, "centre": centre, "is_main": True}  # fmt: skip


SEGMENT_PROFILES = [
    segment("s1", NEW, "Loyal", 1, {"order_count": "2"}),
    segment("s2", NEW, "Rare", 2, {}),
    segment("s2", OLD, "Rare", 1, {}),
]

SEGMENT_MOVES = [
    {"as_of_date": NEW, "from_as_of_date": OLD, "method": "kmeans", "from_segment_id": "s2", "to_segment_id": "s1",
     "person_count": 1}
]  # fmt: skip
SEGMENT_CANDIDATES = [
    {"as_of_date": NEW, "method": "kmeans", "k": k, "silhouette": 0.1 * k, "is_chosen": k == 3} for k in (2, 3)
]


def tag(person: str, as_of: date, name: str, since: date) -> dict[str, Any]:
    return {"person_id": person, "as_of_date": as_of, "tag": name, "label": name.title(), "label_zh": "标签",
            "reason": "because", "since_date": since}  # fmt: skip


TAGS = [
    tag("p1", NEW, "new", NEW), tag("p1", NEW, "big", OLD), tag("p2", NEW, "big", NEW), tag("p3", OLD, "big", OLD),
    tag("p1", OLD, "big", OLD), tag("p2", NEW, "shy", NEW), tag("p1", NEW, "shy", NEW), tag("p3", NEW, "shy", NEW),
]  # fmt: skip
TAG_OVERRIDES = [
    {"person_id": person, "as_of_date": as_of, "tag": "shy", "state": state}
    for person, as_of, state in (
        ("p1", NEW, "hidden"), ("p2", OLD, "restored"), ("p2", NEW, "contradicted"), ("p3", NEW, "hidden")
    )
]  # fmt: skip


def run(run_id: str, stage: str, state: str, minutes: int) -> dict[str, Any]:
    return {"run_id": run_id, "stage": stage, "state": state, "started_at": T0 + timedelta(minutes=minutes)}


RUNS = [
    run("r0", "recommend", "complete", 0),
    run("r1", "recommend", "complete", 10),
    run("r2", "recommend", "complete", 10),
    run("r3", "recommend", "skipped", 20),
    run("r4", "recommend", "failed", 30),
    run("r5", "recommend", "running", 40),
    run("r6", "evaluate", "complete", 50),
]


def suggestion(run_id: str, person: str, rank: int, target: str, kind: str = "item") -> dict[str, Any]:
    return {"run_id": run_id, "policy": "main", "person_id": person, "target_kind": kind, "target_id": target,
            "recommendation_rank": rank, "score": 1.0 / rank, "source": "blend", "reason": "like it",
            "reason_zh": "相似", "as_of_date": NEW}  # fmt: skip


RECOMMENDATIONS = [
    *(suggestion(run_id, "p1", 1, "i9") for run_id in ("r0", "r1", "r3", "r4", "r5", "r6")),
    suggestion("r2", "p1", 2, "i1"),
    suggestion("r2", "p1", 1, "i7"),
    suggestion("r2", "p1", 1, "Acme", "brand"),
]


def metric(stage: str, as_of: date, value: float, name: str = "recall") -> dict[str, Any]:
    return {"stage": stage, "as_of_date": as_of, "model": "als", "metric": name, "k": 10 if name == "recall" else 0,
            "step": 0, "audience": "all", "value": value, "person_count": 12}  # fmt: skip


CONSENTS = [
    {"consent_id": "c1", "identifier_kind": "login", "identifier": "l1", "purpose": "email", "state": "granted",
     "effective_at": T0, "source": "crm"},
    {"consent_id": "c2", "identifier_kind": "login", "identifier": "l1", "purpose": "email", "state": "withdrawn",
     "effective_at": T0 + timedelta(days=1), "source": "crm"},
    {"consent_id": "c3", "identifier_kind": "login", "identifier": "l2", "purpose": "push", "state": "granted",
     "effective_at": T0, "source": "crm"},
]  # fmt: skip

TABLES = {
    ingest.EVENTS: EVENTS,
    ingest.ITEMS: [{"item_id": "i1", "title": "One", "effective_at": T0}, {"item_id": "Acme", "title": "No brand"}],
    ingest.REJECTED_RECORDS: [
        {"rejection_id": str(n), "source": "web_log", "file": f"f{n % 2}", "reason_code": "ING-001", "reason": "cut"}
        for n in range(3)
    ] + [{"rejection_id": "3", "source": "ios_log", "file": "f", "reason_code": "ING-002", "reason": "time"}],
    ingest.SOURCE_READS: [
        {"source": "web_log", "read_key": "a", "rows_in": 9, "rows_rejected": 3, "state": "read"},
        {"source": "web_log", "read_key": "b", "rows_in": 3, "rows_rejected": 0, "state": "read"},
        {"source": "items", "read_key": "c", "rows_in": 0, "rows_rejected": 0, "state": "read"},
    ],
    ingest.CONSENTS: CONSENTS,
    identity.IDENTITY_MAP: IDENTITY,
    identity.IDENTITY_MAP_VERSIONS: [{**row, "effective_date": OLD} for row in IDENTITY],
    identity.IDENTITY_LINKS: [link("l1", "d1", 40), link("l1", "d3", 4), link("l2", "d1", 1, "cut_shared_device")],
    identity.IDENTITY_MOVES: [
        {"move_id": "m1", "moved_at": T0, "kind": "merge", "from_person_id": "p0", "to_person_id": "p1"}
    ],
    profiles.SESSIONS: [
        session(1, "web", is_bounce=True), session(2, "web", has_error=True),
        session(3, "web", is_bounce=True), session(4, "web"), session(5, "tv", is_bounce=True),
    ],
    profiles.PERSON_DAYS: PERSON_DAYS,
    profiles.PERSON_ITEM_DAYS: PERSON_ITEM_DAYS,
    profiles.PROFILES: PROFILES,
    segments.SEGMENTS: SEGMENTS,
    segments.SEGMENT_PROFILES: SEGMENT_PROFILES,
    segments.SEGMENT_MOVES: SEGMENT_MOVES,
    segments.SEGMENT_CANDIDATES: SEGMENT_CANDIDATES,
    tags.TAGS: TAGS,
    tags.TAG_OVERRIDES: TAG_OVERRIDES,
    recommend.RECOMMENDATIONS: RECOMMENDATIONS,
    runs.RUNS: RUNS,
    predictions.PREDICTIONS: [
        {"person_id": "p1", "as_of_date": as_of, "model": model, "target": "buys", "probability": probability,
         "decile": decile}
        for as_of, model, probability, decile in (
            (NEW, "gbt", 0.5, 2), (NEW, "decision_tree", 0.25, 3), (OLD, "decision_tree", 0.75, 1),
        )
    ],
    predictions.PREDICTION_RULES: [
        {"as_of_date": NEW, "model": "decision_tree", "target": "buys", "rule_rank": 1, "rule": "Orders: more than 2",
         "rule_zh": "order_count 大于 2", "probability": 0.9, "person_count": 2}
    ],
    evaluate.MODEL_METRICS: [
        metric("evaluate", OLD, 0.1), metric("evaluate", NEW, 0.2), metric("segments", OLD, 0.3),
        metric("profiles", NEW, 0.4, "expected_orders"), metric("profiles", NEW, 0.5, "actual_orders"),
        metric("predict", NEW, 0.6, "lift"),
    ],
}  # fmt: skip
