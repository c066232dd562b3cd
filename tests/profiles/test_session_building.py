"""Visits: named cases side by side, a plain loop as oracle, and the log whose visits are known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from personalake.profiles import build_sessions, sessions_as_of
from personalake.tables.profiles import SESSIONS
from personalake.tables.spec import schema_faults
from support.profile_rows import event, event_frame, random_events

MIDNIGHT = datetime(2024, 5, 2, tzinfo=UTC)


def at(seconds: int) -> datetime:
    return MIDNIGHT + timedelta(seconds=seconds)


CASES: dict[str, tuple[list[dict[str, Any]], list[int]]] = {
    # device: (events as offset in seconds and fields, events per visit in order of their start)
    "one event": ([{"s": 0}], [1]),
    "silence of exactly the gap stays": ([{"s": 0}, {"s": 1800}], [2]),
    "one second more starts anew": ([{"s": 0}, {"s": 1801}], [1, 1]),
    "goes on over midnight": ([{"s": -60}, {"s": 60}], [2]),
    "a bot is left out": ([{"s": 0, "is_bot": True}, {"s": 5}], [1]),
    "the source's own id": (
        [
            {"s": 0, "source": "own", "source_session_id": "a"},
            {"s": 9000, "source": "own", "source_session_id": "a"},
            {"s": 10, "source": "own", "source_session_id": "b"},
            {"s": 20, "source": "own"},
            {"s": 2000, "source": "own"},
        ],
        [2, 1, 1, 1],
    ),
    "an id of a source that is not named": (
        [{"s": 0, "source_session_id": "a"}, {"s": 1, "source_session_id": "b"}],
        [2],
    ),
}


def test_named_cases(spark: SparkSession) -> None:
    events, number = [], 0
    for device, (rows, _) in CASES.items():
        for row in rows:
            fields = {k: v for k, v in row.items() if k != "s"}
            events.append(event(number, at(row["s"]), device_id=device, **fields))
            number += 1
    events.append(event(number, at(0), login_id="no device"))
    events.append(event(number + 1, at(0)))
    sessions = build_sessions(event_frame(spark, events), 1800, ("own",))
    assert not schema_faults(sessions.schema, SESSIONS)[1:], "all columns but run_id"
    found: dict[str, list[int]] = {}
    for row in sessions.orderBy("started_at", "session_id").collect():
        found.setdefault(row.device_id or row.login_id, []).append(row.event_count)
    assert found == {**{device: counts for device, (_, counts) in CASES.items()}, "no device": [1]}


def test_own_visits_hold_across_devices_for_some_days_and_need_a_page(spark: SparkSession) -> None:
    own = {"source": "own", "event_type": "view"}
    day = 86_400
    rows = [
        event(1, at(0), device_id="d1", source_session_id="s", **own),
        event(2, at(3 * day), device_id="d2", source_session_id="s", **own),
        event(3, at(3 * day + 1), device_id="d1", source_session_id="s", **own),
        event(4, at(0), device_id="d1", source_session_id="no page", **own | {"event_type": "load"}),
        event(5, at(5 * day), device_id="d1", **own),
    ]
    sessions = build_sessions(event_frame(spark, rows), 1800, ("own",), 3, ("view", "click")).collect()
    assert sorted((row.started_at, row.event_count, row.device_id) for row in sessions) == [
        (at(0).replace(tzinfo=None), 2, "d1"),
        (at(5 * day).replace(tzinfo=None), 1, "d1"),
    ]


def test_what_a_visit_carries(spark: SparkSession) -> None:
    rows = [
        event(1, at(-10), device_id="d", login_id="early", acquisition={}),
        event(2, at(-5), device_id="d", item_id="first", acquisition={"source": "mail"}),
        event(3, at(0), device_id="d", item_id="last", event_type="error", acquisition={"source": "search"}),
        event(4, at(5), device_id="d", login_id="late", platform="ios"),
    ]
    sessions = build_sessions(event_frame(spark, rows), 1800)
    (row,) = sessions.collect()
    assert (row.entry_item_id, row.exit_item_id, row.acquisition, row.login_id) == (
        "first",
        "last",
        {"source": "mail"},
        "late",
    )
    assert (row.platform, row.has_error, row.is_bounce, row.started_date) == ("web", True, False, date(2024, 5, 1))
    (cut,) = sessions_as_of(sessions, date(2024, 5, 2)).collect()
    assert (cut.event_count, cut.ended_at, cut.login_id) == (2, at(-5).replace(tzinfo=None), "early")
    assert sessions_as_of(sessions, date(2024, 5, 1)).count() == 0


def test_equals_a_plain_loop_and_as_of_equals_the_events_before(spark: SparkSession) -> None:
    for seed in (1,):
        events = random_events(seed)
        frame = event_frame(spark, events)
        sessions = build_sessions(frame, 1800, ("tv",))
        found = {
            (r.device_id, r.started_at.replace(tzinfo=UTC), r.ended_at.replace(tzinfo=UTC), r.event_count)
            for r in sessions.collect()
        }
        assert found == plain_sessions(events), f"seed {seed}"
        day = date(2024, 4, 20)
        columns = [
            "session_id",
            "platform",
            "device_id",
            "login_id",
            "started_at",
            "ended_at",
            "event_count",
            "is_bounce",
        ]
        before = build_sessions(frame.where(F.col("event_date") < day).repartition(7), 1800, ("tv",)).select(columns)
        cut = sessions_as_of(sessions, day).select(columns)
        assert sorted(before.collect()) == sorted(cut.collect()), f"seed {seed}"


def plain_sessions(events: list[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """Visits by a loop over each device's events; the logs of these tests have no own session ids."""
    found, by_device = set(), {}
    for e in sorted(events, key=lambda e: (e["event_at"], e["event_id"])):
        if not e["is_bot"]:
            by_device.setdefault(e["device_id"], []).append(e["event_at"])
    for device, moments in by_device.items():
        visit = [moments[0]]
        for moment in moments[1:]:
            if (moment - visit[-1]).total_seconds() > 1800:
                found.add((device, visit[0], visit[-1], len(visit)))
                visit = []
            visit.append(moment)
        found.add((device, visit[0], visit[-1], len(visit)))
    return found
