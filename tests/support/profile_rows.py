"""Small logs for the tests of profiles: rows of EVENTS from the few fields that matter."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StringType, StructField, StructType

from personalake.tables.ingest import EVENTS
from personalake.tables.spec import Table

START = datetime(2024, 3, 1, tzinfo=UTC)
VERBS = (
    "view",
    "view",
    "view",
    "search",
    "favourite",
    "bookmark",
    "cart",
    "buy",
    "buy",
    "refund",
    "error",
    "load",
    "rate",
    "survey",
)


def event(number: int, at: datetime, **fields: Any) -> dict[str, Any]:
    """One event; `person_id` is kept beside the columns of EVENTS."""
    row: dict[str, Any] = {
        "event_id": f"e{number:06d}",
        "event_at": at,
        "event_date": at.date(),
        "source": "web",
        "platform": "web",
        "device_class": "pc",
        "event_type": "view",
        "is_bot": False,
        "record_version": "1",
        "person_id": fields.get("login_id") or fields.get("device_id"),
    }
    return {**row, **fields}


def event_frame(spark: SparkSession, events: Iterable[dict[str, Any]]) -> DataFrame:
    """The events as a frame of EVENTS and person_id."""
    schema = StructType([*EVENTS.row_schema.fields, StructField("person_id", StringType())])
    return _frame(spark, schema, events)


def table_frame(spark: SparkSession, table: Table, rows: Iterable[dict[str, Any]]) -> DataFrame:
    """Rows of a declared table; what a row does not name is null."""
    return _frame(spark, table.row_schema, rows)


def _frame(spark: SparkSession, schema: StructType, rows: Iterable[dict[str, Any]]) -> DataFrame:
    unknown = {name for row in rows for name in row} - set(schema.names)
    assert not unknown, f"no such columns: {sorted(unknown)}"
    return spark.createDataFrame([tuple(row.get(name) for name in schema.names) for row in rows], schema)


def random_events(seed: int, persons: int = 60, days: int = 120) -> list[dict[str, Any]]:
    """Small random histories: each person has a login and two devices, and is a device's alone now and then."""
    rng = random.Random(seed)
    events: list[dict[str, Any]] = []
    for person in range(persons):
        start = rng.randrange(days)
        for _ in range(rng.choice((1, 2, 5, 25, 60))):
            day = rng.randrange(start, days)
            at = START + timedelta(days=day, seconds=rng.randrange(86400))
            for _ in range(rng.choice((1, 1, 3))):
                events.append(_random_event(rng, len(events), person, at))
                at += timedelta(seconds=rng.choice((1, 600, 1800, 1801, 4000)))
    return events


def _random_event(rng: random.Random, number: int, person: int, at: datetime) -> dict[str, Any]:
    platform, device_class = rng.choice((("web", "pc"), ("ios", "phone"), ("tv", "tv"), ("tablet", "tablet")))
    verb = rng.choice(VERBS)
    money = rng.randrange(0, 5000) if verb in ("buy", "refund") else None
    sign = -1 if verb == "refund" else 1
    currency = rng.choice(("EUR", "USD")) if money is not None else None
    fields: dict[str, Any] = {
        "platform": platform,
        "device_class": device_class,
        "source": platform,
        "event_type": verb,
        "device_id": f"d{person:03d}-{platform}",
        "login_id": f"p{person:03d}" if rng.random() < 0.6 else None,
        "person_id": f"p{person:03d}",
        "item_id": None if verb in ("search", "load", "survey") else f"i{rng.randrange(12)}",
        "order_id": f"o{at.date()}-{rng.randrange(2)}-{person}" if verb == "buy" and rng.random() < 0.7 else None,
        "quantity": rng.choice((None, 1.0, 2.0)) if verb == "buy" else None,
        "value": float(rng.randrange(0, 5)) if verb in ("search", "load", "survey", "rate") else None,
        "amount_minor": None if money is None else sign * money,
        "amount_base_minor": None if money is None else sign * money * (2 if currency == "USD" else 1),
        "discount_minor": rng.choice((None, 0, 100)) if verb == "buy" else None,
        "currency": currency,
        "utc_offset_minutes": rng.choice((None, None, 480, -300)),
        "is_bot": rng.random() < 0.03,
    }
    return event(number, at, **fields)
