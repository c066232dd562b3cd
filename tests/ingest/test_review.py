"""What neighbours tell of an event: filled values and machines, the same in whatever order events come."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from typing import Any

import pytest
from pyspark.sql import SparkSession

from ingest.lake import ARRIVAL, Lake, T
from ingest.source_text import EVENT
from personalake.store.read import read
from personalake.tables.ingest import EVENTS

SEED = 1952
HEADER = "ts,visitor,uid,act,item,price,note"
MOST = 4
SETTINGS: dict[str, Any] = {
    # the note is the visit, the price the region; the item tells the record
    "fields": EVENT["fields"] | {"source_session_id": "note", "region": "price"},
    "event_id": ["item"],
    "revision": None,
    "null_values": [""],
    "fill": {"region": {"from": ["session", "device"], "default": "nowhere"}},
    "bot_events_per_minute": MOST,
}


def made_up(draw: random.Random) -> list[tuple[int, str, str, str, str]]:
    """second, device, item, region, visit."""
    rows = []
    for n in range(120):
        device, visit = draw.choice(["a", "b", "c", ""]), draw.choice(["x", "y", "z", ""])
        region = draw.choice(["", "", "", "N", "S"])
        rows.append((T + draw.choice([0, 60, 86_400, 86_400 * 2]) + n, device, f"i{n}", region, visit))
    return rows


def expected(rows: list[tuple[int, str, str, str, str]]) -> dict[str, tuple[str, bool, tuple[str, ...]]]:
    """item → region, is_bot, filled fields; by plain loops."""
    order = sorted(rows)
    minutes = Counter((device or "login", second // 60) for second, device, *_ in rows)
    days = defaultdict(int)
    for (actor, minute), count in minutes.items():
        days[actor, minute // 1440] = max(days[actor, minute // 1440], count)
    told = {}
    for second, device, item, region, visit in order:
        value = region or nearest(order, item, 4, visit) or nearest(order, item, 1, device) or "nowhere"
        is_bot = days[device or "login", second // 86_400] > MOST
        marks = (("is_bot",) if is_bot else ()) + (("region",) if not region else ())
        told[item] = (value, is_bot, marks)
    return told


def nearest(order: list[tuple[int, str, str, str, str]], item: str, column: int, key: str) -> str:
    """The last region before, else the first after, among those of the same key."""
    if not key:
        return ""
    group = [row for row in order if row[column] == key]
    place = next(n for n, row in enumerate(group) if row[2] == item)
    before = [row[3] for row in group[: place + 1] if row[3]]
    after = [row[3] for row in group[place:] if row[3]]
    return before[-1] if before else after[0] if after else ""


def line(row: tuple[int, str, str, str, str]) -> str:
    second, device, item, region, visit = row
    return f"{second},{device},u,pv,{item},{region},{visit}"


@pytest.mark.parametrize("parts", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_filled_values_and_machines_are_those_of_plain_loops_in_any_split(spark: SparkSession, tmp_path, parts):
    draw = random.Random(SEED)
    rows = made_up(draw)
    lake = Lake(spark, tmp_path)
    lake.source(**SETTINGS)
    shuffled = draw.sample(rows, len(rows))
    for part in range(parts):
        lake.put(f"{part}.csv", [line(row) for row in shuffled[part::parts]])
        lake.run()
    events = read(spark, lake.settings.warehouse.root, EVENTS).collect()
    found = {r.item_id: (r.region, r.is_bot, tuple(r.filled_fields or ())) for r in events}
    assert found == expected(rows), f"seed {SEED}"
    before = lake.rows(EVENTS, ARRIVAL)
    lake.put("again.csv", [line(row) for row in rows[:40]])
    lake.run()
    assert lake.rows(EVENTS, ARRIVAL) == before
