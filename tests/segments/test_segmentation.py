"""Segments: centres and silhouette equal scikit-learn's, any partitioning gives the same, ids and names last."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from personalake.segments import FittedSegments, Segmentation, Segments, build_segments, fit_segments
from personalake.segments.fitted import Candidate
from personalake.tables.segments import SEGMENT_CANDIDATES, SEGMENT_MOVES, SEGMENT_PROFILES, SEGMENTS
from personalake.tables.spec import schema_faults

FEATURES = ("recency_days", "money_minor", "night_share", "discount_share")
HOW = {name: {"log": not name.endswith("_share"), "fill": 3000 * (name == "money_minor")} for name in FEATURES}
SETTINGS = Segments(features=HOW, k_min=2, k_max=4, resamples=1)
QUICK = SETTINGS.model_copy(update={"resamples": 0})
WEEK_1, WEEK_2 = date(2024, 5, 6), date(2024, 5, 13)
# recency, money, night, discount of three kinds of persons
KINDS = {"owl": (5, 2000, 0.9, 0.1), "spender": (10, 90000, 0.1, 0.05), "away": (200, 3000, 0.1, 0.6)}
SEED = 31


def persons(spark: SparkSession, seed: int, size: int = 60, kinds: dict[str, Any] = KINDS) -> DataFrame:
    """Persons about the kinds given, named by their kind."""
    rng = random.Random(seed)
    rows = []
    for kind, (recency, money, night, discount) in kinds.items():
        for n in range(size):
            share = min(1.0, max(0.0, night + rng.gauss(0, 0.05)))
            amount = int(money * rng.uniform(0.7, 1.3)) if rng.random() < 0.98 else None
            rows.append((f"{kind}-{n}", recency + rng.randrange(4), amount, share, discount + rng.uniform(0, 0.1)))
    return spark.createDataFrame(
        rows, "person_id string, recency_days int, money_minor bigint, night_share double, discount_share double"
    )


def empty(spark: SparkSession) -> tuple[DataFrame, DataFrame]:
    return spark.createDataFrame([], SEGMENT_PROFILES.row_schema), spark.createDataFrame([], SEGMENTS.row_schema)


@pytest.fixture(scope="module")
def week_1(spark: SparkSession) -> tuple[DataFrame, FittedSegments, Segmentation]:
    profiles = persons(spark, SEED).localCheckpoint()
    fitted = fit_segments(profiles, SETTINGS, seed=7)
    built = build_segments(profiles, fitted, *empty(spark), WEEK_1, SETTINGS)
    return profiles, fitted, Segmentation(*(frame.localCheckpoint() for frame in built))


def points_of(profiles: DataFrame, fitted: FittedSegments) -> np.ndarray:
    return np.array([r.features for r in fitted.preparation.prepared(profiles).orderBy("person_id").collect()])


def test_finds_the_kinds_and_describes_them(week_1: tuple[DataFrame, FittedSegments, Segmentation]) -> None:
    _, fitted, built = week_1
    for frame, table in zip(built, (SEGMENTS, SEGMENT_PROFILES, SEGMENT_MOVES, SEGMENT_CANDIDATES), strict=True):
        assert [f for f in schema_faults(frame.schema, table) if "run_id" not in f.where] == []
    rows = built.segments.collect()
    assert {(r.person_id.split("-")[0], r.segment_name) for r in rows} == {
        (kind, next(r.segment_name for r in rows if r.person_id == f"{kind}-0")) for kind in KINDS
    }, "each kind is one segment"
    profiles = {r.segment_name: r for r in built.segment_profiles.collect()}
    assert len(profiles) == 3
    assert len({r.segment_name_zh for r in profiles.values()}) == 3
    owls = next(r for r in profiles.values() if "night owls" in r.words)
    assert "夜间活跃" in owls.words_zh
    assert abs(owls.night_share_centre - 0.9) < 0.05
    assert 1200 < owls.money_minor_centre < 2800
    assert owls.tenure_days_centre is None
    assert (owls.person_count, owls.state) == (60, "new")
    assert built.segment_moves.count() == 0
    tried = {r.k: r for r in built.segment_candidates.collect()}
    assert sorted(tried) == [2, 3, 4]
    assert [k for k, r in tried.items() if r.is_chosen] == [3]
    assert tried[3].stability == 1.0 and tried[3].silhouette == fitted.silhouette
    assert (tried[3].segment_count, tried[3].person_count, tried[3].smallest_share) == (3, 180, 60 / 180)


def test_centres_and_silhouette_equal_scikit_learn(week_1: tuple[DataFrame, FittedSegments, Segmentation]) -> None:
    profiles, fitted, _ = week_1
    points = points_of(profiles, fitted)
    one_step = KMeans(n_clusters=3, init=fitted.matrix, n_init=1, max_iter=1).fit(points)
    assert np.allclose(one_step.cluster_centers_, fitted.matrix, atol=1e-6)
    assert sorted(np.bincount(one_step.labels_), reverse=True) == list(fitted.person_counts)
    expected = silhouette_score(points, one_step.labels_, metric="sqeuclidean")
    assert fitted.silhouette == pytest.approx(expected, abs=1e-6)
    assert np.allclose(points.mean(axis=0), 0, atol=1e-6)
    assert np.allclose(points.std(axis=0), 1, atol=1e-6)


def test_preparation_equals_numpy(week_1: tuple[DataFrame, FittedSegments, Segmentation]) -> None:
    profiles, fitted, _ = week_1
    money = np.log1p(np.array([float(r.money_minor or 3000) for r in profiles.collect()]))
    feature = fitted.preparation.features[1]
    assert feature.high == pytest.approx(np.quantile(money, 0.99), abs=1e-9)
    cut = np.minimum(money, np.quantile(money, 0.99))
    assert (feature.mean, feature.deviation) == (
        pytest.approx(cut.mean(), abs=1e-8),
        pytest.approx(cut.std(), abs=1e-8),
    )
    assert feature.in_units(feature.standard(2000.0)) == pytest.approx(2000.0)


def test_any_partitioning_gives_the_same(
    spark: SparkSession, week_1: tuple[DataFrame, FittedSegments, Segmentation]
) -> None:
    profiles, fitted, built = week_1
    other = profiles.orderBy(F.xxhash64("person_id")).repartition(5)
    again = fit_segments(other, SETTINGS, seed=7)
    assert again == fitted, "candidates, stability and all"
    rows = build_segments(other, again, *empty(spark), WEEK_1, SETTINGS).segments
    assert sorted(rows.collect()) == sorted(built.segments.collect())


def test_ids_and_names_last_and_moves_are_counted(
    spark: SparkSession, week_1: tuple[DataFrame, FittedSegments, Segmentation]
) -> None:
    """A week later: two kinds as they were, one gone, a new one; ten owls became spenders, some persons are new."""
    profiles, _, before = week_1
    later = {"owl": (6, 2100, 0.88, 0.1), "spender": (9, 95000, 0.1, 0.05), "fresh": (1, 400, 0.45, 0.9)}
    drifted = persons(spark, 5, kinds=later)
    moved = profiles.where("person_id LIKE 'spender-_'").withColumn(
        "person_id", F.regexp_replace("person_id", "spender", "owl")
    )
    now = drifted.where("person_id NOT LIKE 'owl-_'").unionByName(moved).localCheckpoint()
    fitted = fit_segments(now, QUICK.model_copy(update={"k": 3}), seed=99)
    built = build_segments(now, fitted, before.segment_profiles, before.segments, WEEK_2, SETTINGS)
    old = {r.segment_id: r for r in before.segment_profiles.collect()}
    new = {r.segment_id: r for r in built.segment_profiles.collect()}
    kept = {i for i, r in new.items() if r.state == "kept"}
    assert len(kept) == 2
    (gone,) = (r for r in new.values() if r.state == "vanished")
    assert (gone.person_count, gone.match_distance, gone.segment_name) == (0, None, old[gone.segment_id].segment_name)
    assert gone.centre == old[gone.segment_id].centre and gone.words == old[gone.segment_id].words
    assert all(new[i].segment_name == old[i].segment_name and new[i].match_distance < 1 for i in kept)
    (born,) = new.keys() - kept - {gone.segment_id}
    assert born == "20240513-1"
    assert new[born].segment_name not in {r.segment_name for r in old.values()}
    ids = {r.person_id: r.segment_id for r in before.segments.collect()}
    owl, spender, away = (ids[f"{kind}-20"] for kind in KINDS)
    assert {(r.from_segment_id, r.to_segment_id): r.person_count for r in built.segment_moves.collect()} == {
        (owl, owl): 50,
        (owl, spender): 10,
        (spender, spender): 60,
        (away, ""): 60,
        ("", born): 60,
    }


def test_a_day_on_which_nobody_was_placed_ends_no_segment(
    spark: SparkSession, week_1: tuple[DataFrame, FittedSegments, Segmentation]
) -> None:
    profiles, fitted, before = week_1
    nobody = profiles.limit(0)
    idle = build_segments(
        nobody, fit_segments(nobody, QUICK, 7), before.segment_profiles, before.segments, WEEK_2, SETTINGS
    )
    assert {r.state for r in idle.segment_profiles.collect()} == {"vanished"}
    known = before.segment_profiles.unionByName(idle.segment_profiles)
    week_3 = WEEK_2 + timedelta(days=7)
    built = build_segments(profiles, fitted, known, before.segments, week_3, SETTINGS)
    names = {r.segment_id: r.segment_name for r in before.segment_profiles.collect()}
    assert {r.segment_id: (r.segment_name, r.state) for r in built.segment_profiles.collect()} == {
        segment: (name, "kept") for segment, name in names.items()
    }
    assert {(r.from_segment_id, r.to_segment_id, r.person_count) for r in built.segment_moves.collect()} == {
        (segment, segment, 60) for segment in names
    }


@pytest.mark.parametrize(("size", "k", "found"), [(1, 5, 3), (0, 3, 0)])
def test_fewer_persons_than_segments(spark: SparkSession, size: int, k: int, found: int) -> None:
    profiles = persons(spark, 1, size=size)
    settings = QUICK.model_copy(update={"k": k})
    fitted = fit_segments(profiles, settings, seed=7)
    built = build_segments(profiles, fitted, *empty(spark), WEEK_1, settings)
    assert (len(fitted.centres), built.segments.count(), built.segment_profiles.count()) == (found, 3 * size, found)


def test_all_persons_alike_are_one_segment(spark: SparkSession) -> None:
    profiles = spark.range(30).select(
        F.col("id").cast("string").alias("person_id"), *[F.lit(1).alias(name) for name in FEATURES]
    )
    fitted = fit_segments(profiles, SETTINGS, seed=7)
    assert fitted.candidates == (Candidate(1, None, None, 1, 1.0, 30, is_chosen=True),)
    (row,) = build_segments(profiles, fitted, *empty(spark), WEEK_1, SETTINGS).segment_profiles.collect()
    assert (row.segment_name, row.person_count, row.person_share) == ("Average visitors", 30, 1.0)


def test_settings_name_only_numbers_of_profiles() -> None:
    with pytest.raises(ValueError, match="Did you mean money_minor") as error:
        Segments(features={"monney_minor": {}, "top_brand": {}})
    assert "top_brand is no number" in str(error.value)
    with pytest.raises(ValueError, match="k_min 5 is above k_max 4"):
        Segments(k_min=5, k_max=4)
