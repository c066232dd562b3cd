"""Names over ten weeks: everybody drifts, one segment dies out, one is born, and the names keep their meaning."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.segments import Segments, build_segments, fit_segments
from personalake.tables.segments import SEGMENT_PROFILES, SEGMENTS

FEATURES = ("recency_days", "money_minor", "night_share", "session_count")
SETTINGS = Segments(
    features={name: {"log": not name.endswith("_share")} for name in FEATURES}, k_min=3, k_max=4, resamples=0
)
WEEKS, SIZE, SEED = 10, 60, 11
DIES_AFTER, BORN_IN = 5, 7
# recency, money, night, sessions; and by how much each grows in a week
KINDS = {
    "owl": ((4, 2000, 0.85, 20), (0.1, 60, -0.01, 0.8)),
    "spender": ((8, 90_000, 0.1, 45), (0.2, 2500, 0.01, 1.0)),
    "away": ((150, 3000, 0.15, 3), (3, 0, 0.0, 0.0)),
    "fresh": ((1, 300, 0.4, 1), (0.1, 20, 0.01, 0.1)),
}


def kinds_of(week: int) -> set[str]:
    return {
        kind for kind in KINDS if (kind != "away" or week <= DIES_AFTER) and (kind != "fresh" or week >= BORN_IN)
    } | ({"regular"})


def persons(spark: SparkSession, week: int) -> DataFrame:
    rng = random.Random(SEED + week)
    means = {kind: [a + week * b for a, b in zip(*KINDS[kind], strict=True)] for kind in KINDS}
    means["regular"] = [25 + week * 0.3, 9000 + 200 * week, 0.12, 12 + 0.2 * week]
    rows = []
    for kind in sorted(kinds_of(week)):
        recency, money, night, sessions = means[kind]
        for n in range(SIZE):
            night_share = min(1.0, max(0.0, night + rng.gauss(0, 0.04)))
            drawn = (int(recency + rng.randrange(4)), int(money * rng.uniform(0.8, 1.25)), night_share)
            rows.append((f"{kind}-{n}", *drawn, int(sessions + rng.randrange(3))))
    schema = "person_id string, recency_days int, money_minor bigint, night_share double, session_count bigint"
    return spark.createDataFrame(rows, schema)


@pytest.mark.slow
def test_a_name_means_the_same_kind_of_persons_for_ten_weeks(spark: SparkSession) -> None:
    profiles = spark.createDataFrame([], SEGMENT_PROFILES.row_schema)
    segments = spark.createDataFrame([], SEGMENTS.row_schema)
    meant: dict[str, set[str]] = {}
    named: dict[str, set[str]] = {}
    states: dict[int, dict[str, str]] = {}
    for week in range(1, WEEKS + 1):
        as_of = date(2024, 1, 1) + timedelta(weeks=week)
        now = persons(spark, week)
        k = len(kinds_of(week))
        fitted = fit_segments(now, SETTINGS.model_copy(update={"k_min": k - 1, "k_max": k}), seed=7)
        built = build_segments(now, fitted, profiles, segments, as_of, SETTINGS)
        profiles = profiles.unionByName(built.segment_profiles).localCheckpoint()
        segments = segments.unionByName(built.segments).localCheckpoint()
        rows = {r.segment_id: r for r in built.segment_profiles.collect()}
        states[week] = {segment_id: r.state for segment_id, r in rows.items()}
        assert sum(r.person_count for r in rows.values()) == SIZE * k, f"seed {SEED}, week {week}"
        for row in segments.where(segments.as_of_date == as_of).collect():
            meant.setdefault(row.segment_id, set()).add(row.person_id.split("-")[0])
        for segment_id, row in rows.items():
            named.setdefault(segment_id, set()).add(row.segment_name)
    assert {segment_id: len(kinds) for segment_id, kinds in meant.items()} == dict.fromkeys(meant, 1), meant
    kinds = [next(iter(found)) for found in meant.values()]
    assert sorted(kinds) == sorted({*KINDS, "regular"}), "one segment a kind, for all of its weeks"
    assert all(len(names) == 1 for names in named.values()), named
    assert len({next(iter(names)) for names in named.values()}) == len(named)
    ids = {next(iter(found)): segment_id for segment_id, found in meant.items()}
    assert states[DIES_AFTER + 1][ids["away"]] == "vanished"
    assert ids["away"] not in states[DIES_AFTER + 2]
    assert [states[week].get(ids["fresh"]) for week in (BORN_IN - 1, BORN_IN, BORN_IN + 1)] == [None, "new", "kept"]
    others = [
        s for week in range(2, WEEKS + 1) for i, s in states[week].items() if i not in (ids["away"], ids["fresh"])
    ]
    assert set(others) == {"kept"}
