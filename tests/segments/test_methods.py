"""What every method promises, whatever it is called in conf."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from scipy.stats import multivariate_normal

from personalake.segments import FittedSegments, Segments, build_segments, fit_segments, place_again
from personalake.segments.match import Past
from personalake.segments.methods import default_methods
from personalake.segments.models import model_rows, usable_model, with_labels
from personalake.segments.placement import Cells, Densest, Leaves, Nearest
from personalake.segments.rfm_grid import RFM_GRID, RFM_LABELS
from personalake.tables.segments import SEGMENT_PROFILES, SEGMENTS

FEATURES = ("recency_days", "night_share", "session_count")
HOW = {name: {"log": not name.endswith("_share")} for name in FEATURES}
TREE = {"kind": "tree", "target": "money_minor_90d", "leave_out": (), "depth": 2, "min_share": 0.1}
SETTINGS = Segments(features=HOW, k=3, resamples=0, methods={"tree": TREE})
METHODS = tuple(default_methods())
NO_PAST = Past(None, (), frozenset())
DAY, NEXT = date(2024, 5, 6), date(2024, 5, 7)
SEED = 17
# recency, night, sessions, money of 90 days, fifths of recency and frequency
KINDS = {"owl": (3, 0.9, 4, 900, 5, 1), "regular": (9, 0.1, 60, 50_000, 4, 5), "away": (200, 0.2, 3, 0, None, None)}
SCHEMA = (
    "person_id string, recency_days int, night_share double, session_count bigint, money_minor_90d bigint, "
    "rfm_recency_rank int, rfm_frequency_rank int"
)


def persons(spark: SparkSession, size: int, kinds: tuple[str, ...] = tuple(KINDS)) -> DataFrame:
    rng = random.Random(SEED)
    rows = []
    for kind in kinds:
        recency, night, sessions, money, *fifths = KINDS[kind]
        for n in range(size):
            drawn = (recency + rng.randrange(3), night + rng.uniform(-0.08, 0.08), sessions + rng.randrange(3))
            rows.append((f"{kind}-{n}", *drawn, money, *fifths))
    return spark.createDataFrame(rows, SCHEMA)


def empty(spark: SparkSession) -> tuple[DataFrame, DataFrame]:
    return spark.createDataFrame([], SEGMENT_PROFILES.row_schema), spark.createDataFrame([], SEGMENTS.row_schema)


def placed(spark: SparkSession, profiles: DataFrame, fitted: FittedSegments) -> dict[str, tuple[str, str, float]]:
    built = build_segments(profiles, fitted, *empty(spark), DAY, SETTINGS)
    rows = built.segments.collect()
    assert len(rows) == len({r.person_id for r in rows}), "everybody once"
    assert all(r.is_main == (fitted.method == "kmeans") for r in rows)
    return {r.person_id: (r.segment_id, r.segment_name, r.distance) for r in rows}


# Two that share their code with the others wait for the long tests.
SELDOM = {"bisecting_kmeans", "gaussian_mixture"}
ASKED = [pytest.param(m, marks=pytest.mark.slow) if m in SELDOM else m for m in METHODS]


@pytest.fixture(scope="module", params=ASKED)
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def everyone(spark: SparkSession) -> DataFrame:
    return persons(spark, 40).localCheckpoint()


@pytest.fixture(scope="module")
def fitted(everyone: DataFrame, method: str) -> Iterator[FittedSegments]:
    yield with_labels(fit_segments(everyone, SETTINGS, 7, method), NO_PAST, DAY, SETTINGS)


def test_everybody_is_placed_once_and_kinds_are_told_apart(
    spark: SparkSession, everyone: DataFrame, fitted: FittedSegments
) -> None:
    found = placed(spark, everyone, fitted)
    assert len(found) == 120
    by_kind = {kind: {found[f"{kind}-{n}"][1] for n in range(40)} for kind in KINDS}
    assert all(len(names) == 1 for names in by_kind.values()), by_kind
    assert len(set().union(*by_kind.values())) == 3
    assert sum(fitted.person_counts) == 120
    (stands,) = (c for c in fitted.candidates if c.is_chosen)
    assert (stands.k, stands.segment_count, stands.silhouette) == (3, 3, fitted.silhouette)


def test_any_partitioning_gives_the_same(everyone: DataFrame, fitted: FittedSegments) -> None:
    other = everyone.orderBy(F.xxhash64("person_id")).repartition(5)
    again = fit_segments(other, SETTINGS, 7, fitted.method)
    assert with_labels(again, NO_PAST, DAY, SETTINGS) == fitted


def test_a_kept_fit_places_strangers_without_another(
    spark: SparkSession, everyone: DataFrame, fitted: FittedSegments
) -> None:
    kept = model_rows(spark, [fitted], DAY, SETTINGS, 7)
    daily, weekly = SETTINGS, SETTINGS.model_copy(update={"refit_days": 7})
    assert usable_model(kept, fitted.method, NEXT, daily, 7) is None, "each day has its own fit"
    assert usable_model(kept, fitted.method, NEXT, weekly, 8) is None, "another seed is another fit"
    assert usable_model(kept, fitted.method, DAY, weekly, 7) is None, "a repeat of the day fits as the first did"
    loaded = usable_model(kept, fitted.method, NEXT, weekly, 7)
    assert loaded == fitted
    strangers = persons(spark, 2, ("owl", "away")).withColumn("person_id", F.concat(F.lit("new-"), "person_id"))
    before = placed(spark, everyone, fitted)
    again = place_again(loaded, strangers)
    assert (sum(again.person_counts), again.centres) == (4, fitted.centres)
    now = placed(spark, strangers, again)
    assert {p: s[0] for p, s in now.items()} == {p: before[p.removeprefix("new-")][0] for p in now}


@pytest.mark.parametrize(
    ("size", "kinds", "segments"),
    [
        (0, ("owl",), 0),
        (1, ("owl",), 1),
        pytest.param(1, tuple(KINDS), None, marks=pytest.mark.slow, id="three persons and nine segments"),
    ],
)
def test_nobody_one_person_and_fewer_than_k(
    spark: SparkSession, method: str, size: int, kinds: tuple[str, ...], segments: int | None
) -> None:
    few = persons(spark, size, kinds)
    found = fit_segments(few, SETTINGS.model_copy(update={"k": 9}), 7, method)
    there = sum(count > 0 for count in found.person_counts)
    assert there == segments if segments is not None else 1 <= there <= 3
    assert len(placed(spark, few, found)) == size * len(kinds)


def test_persons_alike_are_one_segment(spark: SparkSession, method: str) -> None:
    alike = spark.range(30).select(
        F.col("id").cast("string").alias("person_id"),
        *[F.lit(1).alias(name) for name in (*FEATURES, "money_minor_90d", "rfm_recency_rank", "rfm_frequency_rank")],
    )
    found = fit_segments(alike, SETTINGS, 7, method)
    assert [count for count in found.person_counts if count] == [30]
    assert found.silhouette is None


def test_a_mixture_places_as_scipy_reckons() -> None:
    rng = np.random.default_rng(SEED)
    weights, means = (0.7, 0.3), ((0.0, 0.0), (1.0, 1.0))
    covariances = (((1.0, 0.6), (0.6, 2.0)), ((0.2, 0.0), (0.0, 0.3)))
    points = rng.normal(size=(500, 2)) * 2
    parts = zip(weights, means, covariances, strict=True)
    expected = np.stack([w * multivariate_normal(m, c).pdf(points) for w, m, c in parts], axis=1).argmax(axis=1)
    found = Densest(weights, means, covariances).labels(points, np.empty((500, 0)))
    assert (found == expected).all() and set(found) == {0, 1}, f"seed {SEED}"


def test_leaves_and_cells_and_ties() -> None:
    none = np.empty((3, 0))
    leaves = Leaves((((0, 1.0, False),), ((0, 1.0, True), (1, 5.0, False)), ((0, 1.0, True), (1, 5.0, True))))
    assert leaves.labels(np.array([[1.0, 9.0], [1.1, 5.0], [2.0, 5.1]]), none).tolist() == [0, 1, 2]
    assert leaves.only([2, 0]).rules == (leaves.rules[2], leaves.rules[0])
    raw = np.array([[5.0, 5.0], [1.0, 5.0], [np.nan, 3.0]])
    cells = Cells(RFM_GRID).labels(np.empty((3, 0)), raw)
    assert [RFM_LABELS[n].english for n in cells] == ["Champions", "Cannot lose them", "Have not bought"]
    assert Nearest(((0.0,), (2.0,))).labels(np.array([[1.0], [1.5]]), none[:2]).tolist() == [0, 1]


def test_every_fifth_has_a_cell() -> None:
    assert {cell for row in RFM_GRID for cell in row} == set(range(len(RFM_LABELS) - 1))
    assert {len(row) for row in RFM_GRID} == {5} == {len(RFM_GRID)}


def test_settings_name_only_methods_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"kmean is no method\. Did you mean kmeans\?"):
        Segments(method="kmean")
    with pytest.raises(
        ValueError,
        match=r"mine\.target: monney_minor is neither prediction\.TARGET nor a number in profiles\. Did you mean mon",
    ):
        Segments(methods={"mine": {"kind": "tree", "target": "monney_minor"}})
    both = Segments(method="mine", also=("kmeans", "mine"), methods={"mine": {"kind": "rfm_grid"}})
    assert both.names == ("mine", "kmeans")
