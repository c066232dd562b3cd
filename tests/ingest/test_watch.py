"""Sources against their own past: days that are too quiet, too loud or too late, fields that come and go."""

from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np
import pytest
from pyspark.sql import SparkSession
from scipy.stats import nbinom, poisson

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

UNSTEADY = [40, 160, 70, 150, 30, 120, 80] * 2 + [160, 50, 90, 40, 140, 30, 170] * 2
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
    "unsteady": ([*UNSTEADY, 240, 80], set()),
    "unsteady and silent": ([*UNSTEADY, 0, 80], {("quiet", 28)}),
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
    assert words["goes quiet", "quiet"] == (25.0, 100.0, "25 events; a usual Monday has 100.")
    assert words["a week old", "doubled"] == (300.0, 100.0, "300 events; the greatest of the days before has 100.")
    assert words["late", "late"] == (0.5, 0.1, "50% of its events came late; usual: 10%.")


# Each for itself: the newest day of all sources is another one.
LONGER: dict[str, tuple[list[int], set[tuple[str, int]]]] = {
    "a rhythm that is not known yet": ([100, 100, 100, 100, 100, 25, 25] * 3, set()),
    "a Saturday like a Monday": ([100, 100, 100, 100, 100, 30, 30] * 4 + [100] * 6 + [30], {("doubled", 33)}),
    "doubles and stays": ([100] * 28 + [200] * 28, {("doubled", n) for n in range(28, 42)}),
    "a weekend off, then none": (
        [100] * 28 + [100, 100, 100, 100, 100, 0, 0] * 4,
        {("quiet", n) for n in (33, 34, 40, 41, 47, 48)},
    ),
}


@pytest.mark.parametrize("name", LONGER)
def test_days_that_are_unlike_the_same_weekdays_before(name: str):
    counts, told = LONGER[name]
    rows = [(name, FIRST + timedelta(days=n), count, 0) for n, count in enumerate(counts) if count]
    rows += [("clock", FIRST + timedelta(days=len(counts) - 1), 1, 0)]
    assert {(row[1], (row[3] - FIRST).days) for row in day_alarms(rows, [name, "clock"], SETTINGS)} == told


def test_alarms_are_those_of_a_plain_loop():
    draw = np.random.default_rng(SEED)
    sizes, noise = draw.choice([5, 30, 100, 250], (30, 70)), draw.gamma(4.0, 0.25, (30, 70))
    steady = np.repeat(draw.choice([10, 30, 100], (30, 1)), 70, axis=1)
    means = np.where(
        np.arange(30)[:, None] % 2 == 0, steady * noise, np.where(draw.random((30, 70)) < 0.1, sizes, steady)
    )
    counts = {f"s{n}": draw.poisson(row).tolist() for n, row in enumerate(means)}
    rows = [(s, FIRST + timedelta(days=n), c, 0) for s, days in counts.items() for n, c in enumerate(days)]
    found = {(row[0], row[1], (row[3] - FIRST).days) for row in day_alarms(rows, [*counts], SETTINGS)}
    expected = {(s, kind, n) for s, days in counts.items() for kind, n in plain_alarms(days)}
    assert found == expected, f"seed {SEED}"
    assert {kind for _, kind, _ in found} == {"quiet", "doubled"}


def plain_alarms(counts: list[int]) -> set[tuple[str, int]]:
    """The words of docs/operations.md, with the distributions of scipy."""
    found = set()
    usual = [np.median(counts[n - 7 :: -7][:4]) if n >= 14 else np.nan for n in range(len(counts))]
    for n in range(7, len(counts)):
        before = range(max(0, n - 28), n)
        ratios = np.array([counts[m] / usual[m] for m in before if usual[m] > 0 and counts[m]])
        chance = [1 / usual[m] for m in before if usual[m] > 0 and counts[m]]
        spread, low, high = 9.0, min(counts[m] for m in before), max(counts[m] for m in before)
        if n >= 21 and len(ratios) >= 7:
            spread = max(0.0, (1.4826 * np.median(abs(ratios - 1))) ** 2 - np.median(chance))
        if spread <= 1:
            low = high = usual[n]
        even = poisson(low), poisson(high)
        few, many = even if spread in (0, 9.0) or spread > 1 else [
            nbinom(1 / spread, 1 / (1 + spread * mean)) for mean in (low, high)
        ]  # fmt: skip
        few = few if counts[n] else even[0]
        if n < len(counts) - 1 and 20 <= low >= 4 * counts[n] and few.cdf(counts[n]) < 0.001:
            found.add(("quiet", n))
        if 20 <= high <= counts[n] / 2 and many.sf(counts[n] - 1) < 0.001:
            found.add(("doubled", n))
    return found


@pytest.mark.parametrize("weekend", [1.0, 0.2])
@pytest.mark.parametrize(("spread", "days_an_alarm"), [(0.0, 2000), (0.1, 300)])
def test_chance_and_the_weekly_rhythm_raise_hardly_any_alarm(weekend: float, spread: float, days_an_alarm: int):
    draw = np.random.default_rng(SEED)
    days, sources = 26 * 7, 100
    means = np.geomspace(1, 300, sources)[:, None] * np.where(np.arange(days) % 7 < 5, 1.0, weekend)
    lively = draw.gamma(1 / spread, spread, means.shape) if spread else 1.0
    counts = draw.poisson(means * lively)
    rows = [(f"s{s}", FIRST + timedelta(days=n), int(counts[s, n]), 0) for s in range(sources) for n in range(days)]
    found = day_alarms(rows, [f"s{s}" for s in range(sources)], SETTINGS)
    assert len(found) <= days * sources / days_an_alarm, f"seed {SEED}: {found[:5]}"


def test_a_source_whose_events_are_always_late_is_as_usual():
    days = [FIRST + timedelta(days=n) for n in range(20)]
    # Days without an event have no share; a few events are too little of a past.
    rows = [("new", day, 3, 3) for day in days[:2]] + [("new", day, 100, 100) for day in days[5:]]
    rows += [("few", days[0], 9, 0), ("few", days[8], 100, 100)]
    assert day_alarms(rows, ["new", "few"], SETTINGS) == []


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
    days = {n: [f"{T + n * 86_400 + m},v{m},u,pv,{n}-{m},1,1" for m in range(30 if n != 8 else 2)] for n in range(10)}
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
    assert list(counted["event_count"]) == [30, 30, 29, 31, 30, 30, 30, 30, 2, 30]
    alarms = read(spark, one.settings.warehouse.root, SOURCE_ALARMS).collect()
    assert {(row.alarm_kind, row.subject, str(row.alarm_date)) for row in alarms} == {
        ("quiet", "events", "2016-10-24"),
        ("vanished_field", "login_id", "2016-10-25"),
    }
    assert last.detail["alarms"] == "2"
    assert "web quiet on 2016-10-24: 2 events; the least of the days before has 29." in last.detail["newest_alarms"]
    events = read(spark, one.settings.warehouse.root, EVENTS)
    assert source_days(events, 24.0).count() == 10
