"""Whose an event is: the person of its login, else of its device."""

from __future__ import annotations

from pyspark.sql import SparkSession

from identity.seen import MAP_SCHEMA, START, Seen, events_of
from personalake.identity.whose import anonymous_events, person_events

PERSONS = [("login", "a", "A"), ("login", "b", "B"), ("device", "d", "A"), ("device", "a", "D"), ("mail", "m", "B")]


def test_whose_an_event_is(spark: SparkSession) -> None:
    seen = [
        Seen("d", "a", 1),
        Seen("d", "b", 2),  # a guest on A's device
        Seen("d", None, 3),
        Seen(None, "b", 4),
        Seen("a", None, 5),  # a device that is named like a login
        Seen(None, None, 6),
        Seen(None, None, 7, others={"mail": "m"}),
        Seen("new", None, 8),
        Seen("d", "new", 9),
    ]
    known = spark.createDataFrame([(k, i, p, START, "k") for k, i, p in PERSONS], MAP_SCHEMA)
    events = events_of(spark, seen)
    found = person_events(events, known)
    assert found.columns == [*events.columns, "person_id"]
    assert {row.event_at.minute: row.person_id for row in found.collect()} == {1: "A", 2: "B", 3: "A", 4: "B", 5: "D"}
    assert {row.event_at.minute for row in anonymous_events(events).collect()} == {6, 7}
