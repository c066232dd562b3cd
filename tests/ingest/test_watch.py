"""Sources against their own past: days that are too quiet, too loud or too late, fields that come and go."""

from __future__ import annotations

import random
from datetime import date, timedelta
from statistics import median_low

import pytest
from pyspark.sql import SparkSession

from ingest.lake import Lake, T
from ingest.source_text import source_of
from personalake.ingest.settings import Ingest
from personalake.ingest.watch import Read, day_alarms, field_alarms, source_days
from personalake.store.read import read
from personalake.tables.ingest import EVENTS, SOURCE_ALARMS, SOURCE_DAYS
from support.warehouse import rows_of

FIRST = date(2024, 1, 1)  # a Monday
SEED = 1952
SETTINGS = Ingest()

# source → events by day from the first on; None: no row. What is raised is (kind, day).
CASES: dict[str, tuple[list[int | None], set[tuple[str, int]]]] = {
    "steady": ([100] * 30, set()),
    "goes quiet": ([100] * 28 + [25, 100], {("quiet", 28)}),
    "nearly quiet": ([100] * 28 + [26, 100], set()),
    "stops": ([100] * 27 + [None] * 3, {("quiet", 27), ("quiet", 28)}),  # the newest day is still going on
    "doubles": ([100] * 28 + [200, 100], {("doubled", 28)}),
    "doubles on the newest day": ([100] * 29 + [200], {("doubled", 29)}),
    "nearly doubles": ([100] * 28 + [199, 100], set()),
    "its weekends are quiet": ([100, 100, 100, 100, 100, 10, 10] * 4 + [100, 100], set()),
    "a quiet Monday among quiet weekends": ([100, 100, 100, 100, 100, 10, 10] * 4 + [10, 100], {("quiet", 28)}),
    "too small to tell": ([19] * 28 + [0, 40], set()),
    "too young to tell": ([None] * 24 + [100] * 5 + [300], set()),
    "a week old": ([None] * 22 + [100] * 7 + [300], {("doubled", 29)}),
}


def test_days_that_are_unlike_the_days_before():
    rows = [
        (source, FIRST + timedelta(days=n), count, 0)
        for source, (counts, _) in CASES.items()
        for n, count in enumerate(counts)
        if count is not None
    ]
    rows += [("gone from conf", FIRST, 100, 0)]
    late = [10] * 28 + [50, 19]
    rows += [("late", FIRST + timedelta(days=n), 100, count) for n, count in enumerate(late)]
    random.Random(SEED).shuffle(rows)
    found = day_alarms(rows, [*CASES, "late"], SETTINGS)
    raised: dict[str, set[tuple[str, int]]] = {source: set() for source in CASES}
    for source, kind, _, day, *_ in found:
        raised.setdefault(source, set()).add((kind, (day - FIRST).days))
    assert raised == {source: told for source, (_, told) in CASES.items()} | {"late": {("late", 28)}}
    words = {row[:2]: row[4:] for row in found}
    assert words["goes quiet", "quiet"] == (25.0, 100.0, "25 events; usual: 100.")
    assert words["late", "late"] == (0.5, 0.1, "50% of its events came late; usual: 10%.")


def test_alarms_are_those_of_a_plain_loop():
    draw = random.Random(SEED)
    counts = {f"s{n}": [draw.choice([5, 20, 40, 100, 250]) for _ in range(60)] for n in range(20)}
    rows = [(s, FIRST + timedelta(days=n), c, 0) for s, days in counts.items() for n, c in enumerate(days)]
    found = {(row[0], row[1], (row[3] - FIRST).days) for row in day_alarms(rows, [*counts], SETTINGS)}
    assert found == {(s, kind, n) for s, days in counts.items() for kind, n in plain_alarms(days)}, f"seed {SEED}"


def plain_alarms(counts: list[int]) -> set[tuple[str, int]]:
    found = set()
    for n in range(7, len(counts)):
        usual = median_low(counts[max(0, n - 28) : n])
        same = [counts[m] for m in range(n - 7, -1, -7)][:4]
        weekly = median_low(same) if same else usual
        if usual < 20:
            continue
        if n < len(counts) - 1 and counts[n] <= min(usual, weekly) * 0.25:
            found.add(("quiet", n))
        if counts[n] >= max(usual, weekly) * 2:
            found.add(("doubled", n))
    return found


def test_fields_that_vanish_and_fields_that_nobody_declared(tmp_path):
    source = source_of(tmp_path)
    day = date(2024, 3, 5)
    past = [Read("web", 100, date(2024, 3, 1), {"device_id": 100, "login_id": 5, "item_id": 4}, {"known": 3})]
    now = [Read("web", 10, date(2024, 3, 4), {"device_id": 10}, {"known": 9, "extra": 2}),
           Read("web", 10, day, {"device_id": 9}, {"extra": 1})]  # fmt: skip
    assert field_alarms(source, now, past, 20) == [
        ("web", "undeclared_field", "extra", day, 3.0, 0.0, "extra is declared nowhere."),
        ("web", "vanished_field", "login_id", day, 0.0, 1.0, "None of 20 records has login_id; before, 5% had it."),
    ]
    assert field_alarms(source, now[:1], past, 20) == [
        ("web", "undeclared_field", "extra", date(2024, 3, 4), 2.0, 0.0, "extra is declared nowhere.")
    ]
    assert [row[2] for row in field_alarms(source, now, [], 20)] == ["extra", "known"]


@pytest.mark.slow
def test_the_stage_counts_days_and_raises_alarms_in_any_order_of_files(spark: SparkSession, tmp_path):
    days = {n: [f"{T + n * 86_400 + m},v{m},u,pv,{n}-{m},1,1" for m in range(20 if n != 8 else 2)] for n in range(10)}
    moved = [f"{T + 3 * 86_400},v0,u,pv,2-0,1,2"]  # an event of day 2 is corrected to be of day 3
    more = [line.replace(",u,", ",,") for line in days[9]]
    lakes = []
    for name, batches in (("one", [[0, 1, 2, 3, 4, 5, 6, 7, 8], [9]]), ("two", [[9], [8, 2, 5], [0, 7, 1, 3, 4, 6]])):
        lake = Lake(spark, tmp_path / name)
        for number, batch in enumerate(batches):
            for n in batch:
                lake.put(f"{number}-{n}.csv", more if n == 9 else days[n], T + n * 86_400)
            lake.put(f"{number}-moved.csv", moved, T)
            job = lake.run()
        lakes.append((lake, job))
    (one, last), (two, _) = lakes
    for table in (SOURCE_DAYS, SOURCE_ALARMS):
        left, right = (rows_of(lake.settings.warehouse.root, table.name) for lake in (one, two))
        if table is SOURCE_ALARMS:
            left, right = (
                frame[frame["alarm_kind"] != "vanished_field"].reset_index(drop=True) for frame in (left, right)
            )
        assert left.equals(right)
    counted = rows_of(one.settings.warehouse.root, SOURCE_DAYS.name)
    assert list(counted["event_count"]) == [20, 20, 19, 21, 20, 20, 20, 20, 2, 20]
    alarms = read(spark, one.settings.warehouse.root, SOURCE_ALARMS).collect()
    assert {(row.alarm_kind, row.subject, str(row.alarm_date)) for row in alarms} == {
        ("quiet", "events", "2016-10-24"),
        ("vanished_field", "login_id", "2016-10-25"),
    }
    assert last.detail["alarms"] == "2"
    assert "web quiet on 2016-10-24: 2 events; usual: 20." in last.detail["newest_alarms"]
    events = read(spark, one.settings.warehouse.root, EVENTS)
    assert source_days(events, 24.0).count() == 10
