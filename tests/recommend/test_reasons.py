"""Reasons: every sentence in both languages, and true of the row it stands on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from personalake.recommend import Algorithm, Als, Popular, Trending, reasons
from personalake.recommend.explain import reason_of_list, with_reasons
from personalake.recommend.popular import FittedPopular
from personalake.recommend.registry import AnyAlgorithm
from personalake.recommend.request import Request
from personalake.recommend.settings import Recommend
from personalake.recommend.targets import rank_targets
from personalake.recommend.tastes import tastes_by_person

CODES = {name: code for name, code in vars(reasons).items() if isinstance(code, str) and code.startswith("REC-")}


def test_every_code_has_both_languages_and_every_placeholder_is_known() -> None:
    told = reasons.templates()
    assert sorted(told.sentences) == sorted(CODES.values()), "each code has a name in reasons.py"
    for code, both in told.sentences.items():
        assert list(both) == list(reasons.LANGUAGES), code
        assert all(text.strip() for text in both.values()), code
        named = [sorted(reasons.placeholders(text)) for text in both.values()]
        assert named[0] == named[1], code
        assert set(named[0]) <= set(told.arguments), code
        assert not any(set(reasons._PLACEHOLDER.sub("", text)) & set("{}") for text in both.values()), code
    used = {name for both in told.sentences.values() for name in reasons.placeholders(both["en"])}
    assert used == set(told.arguments)


def test_every_algorithm_has_a_code() -> None:
    from typing import get_args

    kinds = get_args(get_args(AnyAlgorithm)[0])
    assert {kind.reason_code for kind in kinds} <= set(CODES.values())
    withins = (None, "segment_id", "region", "top_platform")
    lists = [algorithm(within=within) for algorithm in (Popular, Trending) for within in withins]
    assert [reason_of_list(a) for a in lists[:4]] == ["REC-003", "REC-006", "REC-007", "REC-008"]
    assert [reason_of_list(a) for a in lists[4:]] == ["REC-009", *["REC-010"] * 3]


def test_an_argument_is_never_read_as_a_template(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [
            ("REC-001", {"item_title": "{taste} $1 \\"}),
            ("REC-006", {"audience": "Loyal", "audience_zh": "忠诚"}),
            ("REC-001", {}),
            ("REC-999", {}),
        ],
        "reason_code string, reason_arguments map<string,string>",
    )
    found = [tuple(row)[2:] for row in reasons.with_sentences(rows).collect()]
    assert found == [
        ("Because you showed interest in {taste} $1 \\", "因为您关注过「{taste} $1 \\」"),
        ("Popular in your group: Loyal", "在您所属的人群「忠诚」中很受欢迎"),
        ("Because you showed interest in ", "因为您关注过「」"),
        (None, None),
    ]


class ByContent(Algorithm):
    """Any algorithm that goes by content."""

    reason_code: ClassVar[str] = reasons.TASTE
    kind: str = "by_content"


ITEMS = [
    ("i1", "tea", "x", "low"), ("i2", "tea", "y", "low"), ("i3", "wine", "x", "high"), ("i4", "bread", "z", "low"),
    ("i5", None, "y", None), ("i6", "wine", "z", "high"), ("i7", "tea", "z", "low"),
]  # fmt: skip
SEGMENT = "segment_id string, segment_name string, segment_name_zh string"
HISTORY = [("p", "i1", 2.0), ("p", "i2", 1.0), ("p", "i3", 4.0), ("q", "i4", 1.0), ("q", "i5", 9.0)]


@pytest.fixture(scope="module")
def catalogue(spark: SparkSession) -> Any:
    return spark.createDataFrame(ITEMS, "item_id string, category string, brand string, price_band string").coalesce(1)


@pytest.fixture(scope="module")
def tastes(spark: SparkSession, catalogue: Any) -> Any:
    history = spark.createDataFrame(HISTORY, "person_id string, item_id string, weight double").coalesce(1)
    return tastes_by_person(history, catalogue).persist()


def test_the_taste_named_is_what_history_and_item_share_most_of(
    spark: SparkSession, catalogue: Any, tastes: Any
) -> None:
    rows = [(person, item, "blend:content", None) for person in ("p", "q", "r") for item, *_ in ITEMS]
    rows += [("p", "i4", "near", "north"), ("p", "i4", "pin:RUL-007", None), ("p", "i4", "group", "s1")]
    rows += [("p", "i4", "popular", "all"), ("p", "i4", "blend:unknown", None)]
    ranked = spark.createDataFrame(rows, "person_id string, item_id string, source string, audience string").coalesce(1)
    settings = Recommend.model_construct(
        algorithms={
            "content": ByContent(), "near": Popular(within="region"), "group": Popular(within="segment_id"),
            "popular": Popular(),
        }
    )  # fmt: skip
    persons = spark.createDataFrame([("p", "s1", "Loyal", "忠诚")], f"person_id string, {SEGMENT}")
    fitted: dict[str, FittedPopular] = {}
    told = with_reasons(ranked, fitted, settings, Request(persons, catalogue), tastes)
    found = {(r.person_id, r.item_id, r.source): (r.reason_code, r.reason_arguments) for r in told.collect()}
    assert len(found) == len(rows)
    # The oracle: shares of the history by category and by brand.
    weights = {(p, i): w for p, i, w in HISTORY}
    values = {item: {"category": category, "brand": brand} for item, category, brand, _ in ITEMS}
    for person in ("p", "q", "r"):
        for item, *_ in ITEMS:
            shares = []
            for kind in ("brand", "category"):
                mine = [(values[i][kind], w) for (p, i), w in weights.items() if p == person and values[i][kind]]
                own = sum(w for value, w in mine if value == values[item][kind])
                if own and values[item][kind]:
                    shares.append((-own / sum(w for _, w in mine), kind, values[item][kind]))
            code, arguments = found[(person, item, "blend:content")]
            if shares:
                _, kind, value = min(shares)
                assert (code, arguments) == ("REC-005", {"taste": value, "taste_kind": kind}), (person, item)
            else:
                assert (code, arguments) == ("REC-013", {}), (person, item)
    assert found[("p", "i4", "near")] == ("REC-007", {"audience": "north"})
    assert found[("p", "i4", "group")] == ("REC-006", {"audience": "Loyal", "audience_zh": "忠诚"})
    assert found[("p", "i4", "popular")] == ("REC-003", {})
    assert found[("p", "i4", "pin:RUL-007")] == ("REC-012", {})
    assert found[("p", "i4", "blend:unknown")] == ("REC-002", {})


def test_what_rises_in_a_region_is_said_of_that_region(spark: SparkSession) -> None:
    newest = datetime(2024, 6, 1)
    takes = [("north", "up", [0, 1, 2, 3, 40]), ("north", "down", [1, *range(15, 60)])]
    takes += [("south", "up", [2, *range(15, 60)]), ("south", "down", [0, 1, 2, 3, 40])]
    rows = [
        (f"{region}-{item}-{age}", item, 1.0, newest - timedelta(days=age), region)
        for region, item, ages in takes
        for age in ages
    ]
    columns = "person_id string, item_id string, weight double, first_at timestamp, region string"
    rising = Trending(within="region", smoothing=1)
    settings = Recommend(algorithms={"als": Als(), "rising": rising, "popular": Popular()})
    fitted = rising.fit(spark.createDataFrame(rows, columns).coalesce(1), check=False)
    listed = fitted.popularity.select(F.lit("p").alias("person_id"), "item_id", "audience")
    ranked = listed.withColumn("source", F.lit("rising"))
    persons = spark.createDataFrame([("p",)], "person_id string")
    told = reasons.with_sentences(with_reasons(ranked, {}, settings, Request(persons, None), None))
    found = {(r.audience, r.item_id): (r.reason_code, r.reason, r.reason_zh) for r in told.collect()}
    english = "Chosen more and more often these days by people like you: {}"
    chinese = "最近在「{}」越来越受欢迎"
    assert found == {
        (region, item): ("REC-010", english.format(region), chinese.format(region))
        for region, item in (("north", "up"), ("south", "down"))
    }
    fitted.unpersist()


def test_price_bands_are_ranked_as_targets(spark: SparkSession, catalogue: Any, tastes: Any) -> None:
    candidates = [("p", "i6", 0.6), ("p", "i7", 0.3), ("p", "i5", 0.1)]
    rows = rank_targets(
        spark.createDataFrame(candidates, "person_id string, item_id string, score double").coalesce(1),
        spark.createDataFrame(
            [("new", "i1", "popular", "REC-003", {})],
            "person_id string, item_id string, source string, reason_code string, reason_arguments map<string,string>",
        ).coalesce(1),
        tastes,
        catalogue,
        ("price_band",),
        2,
    )
    found = {(r.person_id, r.target_kind, r.target_id): (r.score, r.recommendation_rank) for r in rows.collect()}
    # Of the candidates with a band, two thirds of the scores are high; of the history, 4 of 7.
    assert found == {
        ("p", "price_band", "high"): (pytest.approx((0.6 / 0.9 + 4 / 7) / 2), 1),
        ("p", "price_band", "low"): (pytest.approx((0.3 / 0.9 + 3 / 7) / 2), 2),
        ("new", "price_band", "low"): (1.0, 1),
    }


def test_targets_are_ranked_from_candidates_and_tastes(spark: SparkSession, catalogue: Any, tastes: Any) -> None:
    candidates = [("p", "i6", 0.6), ("p", "i7", 0.3), ("p", "i5", 0.1)]
    # i1 and i3 come from the region's list, i2 from everybody's; i6 was pinned.
    near, popular = ("near", "REC-007", {"audience": "north"}), ("popular", "REC-003", {})
    listed = [("p", "i6", *popular), ("new", "i1", *near), ("new", "i2", *popular), ("new", "i3", *near)]
    listed += [("pinned", "i6", "pin:RUL-007", "REC-012", {}), ("pinned", "i3", *popular)]
    columns = "source string, reason_code string, reason_arguments map<string,string>"
    rows = rank_targets(
        spark.createDataFrame(candidates, "person_id string, item_id string, score double").coalesce(1),
        spark.createDataFrame(listed, f"person_id string, item_id string, {columns}").coalesce(1),
        tastes,
        catalogue,
        ("category", "brand", "colour"),
        2,
    ).select("*", F.col("reason_arguments")["item_count"].alias("count"))
    found: dict[tuple[str, str], list[Any]] = {}
    arguments = {}
    for row in sorted(rows.collect(), key=lambda row: row.recommendation_rank):
        key = (row.person_id, row.target_kind)
        found.setdefault(key, []).append((row.target_id, row.score, row.source, row.reason_code, row["count"]))
        arguments[(*key, row.target_id)] = row.reason_arguments
    close = pytest.approx
    assert found == {
        # Bread, which p was never offered, is not there, whatever the history; brand x neither.
        ("p", "category"): [
            ("wine", close((0.6 / 0.9 + 4 / 7) / 2), "blend", "REC-004", "1"),
            ("tea", close((0.3 / 0.9 + 3 / 7) / 2), "blend", "REC-011", "1"),
        ],
        ("p", "brand"): [
            ("z", close(0.9 / 2), "blend", "REC-004", "2"),
            ("y", close((0.1 + 1 / 7) / 2), "blend", "REC-011", "1"),
        ],
        # One tea of each list: the first by name.
        ("new", "category"): [
            ("tea", close(2 / 3), "near", "REC-007", None),
            ("wine", close(1 / 3), "near", "REC-007", None),
        ],
        ("new", "brand"): [
            ("x", close(2 / 3), "near", "REC-007", None),
            ("y", close(1 / 3), "popular", "REC-003", None),
        ],
        ("pinned", "category"): [("wine", close(1.0), "pin:RUL-007", "REC-012", None)],
        ("pinned", "brand"): [
            ("x", close(1 / 2), "popular", "REC-003", None),
            ("z", close(1 / 2), "pin:RUL-007", "REC-012", None),
        ],
    }
    assert arguments[("new", "brand", "x")] == {"audience": "north"}
    assert arguments[("new", "brand", "y")] == {}
