"""One function ranks: everyone gets a list, nothing excluded or unavailable is on it, and each row says why."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from pyspark.sql import SparkSession

from personalake.recommend import Als, ContentBased, ItemCosine, Popular
from personalake.recommend.build import build_item_neighbours, build_recommendations, fit_all, ranked_items
from personalake.recommend.fallbacks import Tier
from personalake.recommend.propose import proposed_items
from personalake.recommend.rank import rank_items
from personalake.recommend.request import Request
from personalake.recommend.settings import Recommend
from personalake.tables.recommend import ITEM_NEIGHBOURS, RECOMMENDATIONS
from personalake.tables.spec import same_type

PAIR = "person_id string, item_id string"


@pytest.fixture(scope="module")
def lists(spark: SparkSession) -> dict[str, list[tuple[str, str, int]]]:
    popular = [("had", 9.0), ("gone", 8.0), ("b", 7.0), ("c", 6.0), ("d", 5.0)]
    in_north = [("all", "x", 9.0), ("north", "e", 9.0), ("north", "b", 8.0)]
    own = [("own", "a", 0.9, "als"), ("own", "b", 0.5, "als")]
    persons = [("own", None), ("new", None), ("out", "north"), ("all", None), ("northern", "north"), ("lost", "east")]
    catalogue = [("gone", False), ("b", True), ("c", None)]
    text = "audience string, item_id string, score double"
    ranked = rank_items(
        own=spark.createDataFrame(own, f"{PAIR}, score double, source string"),
        tiers=(
            Tier("near", spark.createDataFrame(in_north, text), within="region"),
            Tier("popular", spark.createDataFrame([("all", *row) for row in popular], text)),
        ),
        mask=spark.createDataFrame([("own", "had"), *(("all", item) for item in ("had", "b", "c", "d"))], PAIR),
        request=Request(
            persons=spark.createDataFrame(persons, "person_id string, region string"),
            items=spark.createDataFrame(catalogue, "item_id string, is_available boolean"),
            opted_out=spark.createDataFrame([("out",)], "person_id string"),
        ),
        limit=3,
    ).collect()
    found: dict[str, list[Any]] = {}
    for row in sorted(ranked, key=lambda row: row.recommendation_rank):
        found.setdefault(row.person_id, []).append((row.item_id, row.source, row.recommendation_rank, row.score))
    return found


POPULAR = [("had", "popular", 1), ("b", "popular", 2), ("c", "popular", 3)]


@pytest.mark.parametrize(
    ("person", "wanted"),
    [
        ("own", [("a", "blend:als", 1), ("b", "blend:als", 2), ("c", "popular", 3)]),
        ("new", POPULAR),
        ("out", POPULAR),
        ("northern", [("e", "near", 1), ("b", "near", 2), ("had", "popular", 3)]),
        ("lost", POPULAR),
    ],
)
def test_everyone_gets_a_list(lists: dict[str, list[Any]], person: str, wanted: list[Any]) -> None:
    assert [row[:3] for row in lists[person]] == wanted


def test_scores_fall_with_the_rank(lists: dict[str, list[Any]]) -> None:
    assert all(row[3] > after[3] for rows in lists.values() for row, after in pairwise(rows))


def test_only_those_asked_for_and_with_something_left_are_there(lists: dict[str, list[Any]]) -> None:
    assert sorted(lists) == ["lost", "new", "northern", "out", "own"]


@pytest.fixture(scope="module")
def published(spark: SparkSession) -> dict[str, Any]:
    """A small shop: two groups of taste, everything once through the stage."""
    had = [(f"p{n}", f"i{m}", 1.0 + m) for n in range(8) for m in range(8) if (n + m) % 2 == 0 and (n * m) % 5 != 1]
    interactions = spark.createDataFrame(had, f"{PAIR}, weight double")
    als = Als(rank=2, iterations=2, blocks=1)
    algorithms = {"near": ItemCosine(), "als": als, "content": ContentBased(), "popular": Popular()}
    settings = Recommend(algorithms=algorithms, limit=4)
    columns = "item_id string, title string, is_available boolean, brand string, category string"
    catalogue = [(f"i{m}", f"Thing {m}" if m else None, m != 7, "even" if m % 2 == 0 else "odd", "c") for m in range(9)]
    persons = spark.createDataFrame([(f"p{n}",) for n in range(10)], "person_id string")
    request = Request(
        persons=persons,
        items=spark.createDataFrame(catalogue, columns),
        bought=interactions.limit(3),
        opted_out=persons.where("person_id = 'p1'"),
    )
    fitted = fit_all(interactions, settings)
    assert set(fitted) == set(algorithms) - {"content"}, "it needs a catalogue to be fitted on"
    proposed = proposed_items(fitted, settings, request).persist()
    ranked = ranked_items(proposed, fitted, settings, request).persist()
    rows = build_recommendations(ranked, proposed, fitted, settings, request)
    neighbours = build_item_neighbours(fitted)
    explained = {(r.person_id, r.item_id): r.because_item_id for r in fitted["near"].explain(ranked).collect()}
    found = {"rows": rows.collect(), "schema": rows.schema, "near": neighbours.schema, "had": had, "because": explained}
    for frame in (proposed, ranked, *fitted.values()):
        frame.unpersist()
    return found


def test_the_rows_fit_the_declared_tables(published: dict[str, Any]) -> None:
    by_run = {"policy", "recommendation_id", "propensity", "model_version", "as_of_date"}
    for schema, table, later in (
        (published["schema"], RECOMMENDATIONS, by_run),
        (published["near"], ITEM_NEIGHBOURS, set()),
    ):
        declared = {c.name: c.type for c in table.cols if c.name not in later}
        assert set(schema.names) == set(declared)
        assert all(same_type(schema[name].dataType, declared[name]) for name in declared)


def test_every_person_gets_a_list_of_each_kind_and_nothing_met_or_gone(published: dict[str, Any]) -> None:
    rows = published["rows"]
    for kind in ("item", "brand", "category"):
        assert {row.person_id for row in rows if row.target_kind == kind} == {f"p{n}" for n in range(10)}, kind
    items = {(row.person_id, row.target_id) for row in rows if row.target_kind == "item"}
    assert not items & {(person, item) for person, item, _ in published["had"]}
    assert not {item for _, item in items} & {"i7"}
    assert len({(r.person_id, r.target_kind, r.target_id) for r in rows}) == len(rows)


def test_reasons_are_true_and_told_in_two_languages(published: dict[str, Any]) -> None:
    sources = {row.person_id: row.source for row in published["rows"] if row.target_kind == "item"}
    assert sources["p1"] == sources["p9"] == "popular", "opted out; never seen"
    codes = set()
    for row in published["rows"]:
        codes.add(row.reason_code)
        assert row.reason and row.reason_zh and "{" not in row.reason + row.reason_zh
        if row.reason_code == "REC-001":
            because = published["because"][(row.person_id, row.target_id)]
            title = f"Thing {because[1:]}" if because != "i0" else "i0"
            assert row.source == "blend:near"
            assert row.reason_arguments == {"item_id": because, "item_title": title}
            assert title in row.reason and title in row.reason_zh
        else:
            assert (row.reason_code == "REC-003") == (row.source == "popular")
    assert codes >= {"REC-001", "REC-003"}
