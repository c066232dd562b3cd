"""Each view over small tables: the rows it gives are the rows one would write down by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pyspark.sql import SparkSession

from personalake.views.definitions import ALL
from personalake.views.register import Registered
from support.rows import DAY
from support.small_lake import NEW, OLD

# view → (columns, rows, in any order)
EXPECTED: dict[str, tuple[str, set[tuple[Any, ...]]]] = {
    "person_events_v1": (
        "event_id, person_id",
        {("e1", "p1"), ("e2", "p1"), ("e3", "p2"), ("e4", None), ("e5", "p1"), ("e6", "p1"), ("e7", "p2"),
         ("e8", "p2"), ("e9", "p2"), ("e10", None)},
    ),
    "profiles_current_v1": ("person_id, money_minor", {("p1", 600), ("p2", 201), ("p3", 0)}),
    "tags_current_v1": ("person_id, tag", {("p1", "new"), ("p1", "big"), ("p2", "big")}),
    "tag_words_v1": (
        "*",
        {(p, "shy", s, NEW, True) for p, s in (("p1", "hidden"), ("p2", "contradicted"), ("p3", "hidden"))},
    ),
    "segments_current_v1": (
        "person_id, method, segment_id, segment_name",
        {("p1", "kmeans", "s1", "Loyal"), ("p2", "kmeans", "s2", "Rare"), ("p3", "kmeans", "s2", "Rare")},
    ),
    "profiles_by_segment_v1": (
        "segment_name, person_id, money_minor", {("Loyal", "p1", 600), ("Rare", "p2", 201), ("Rare", "p3", 0)},
    ),
    "tags_by_segment_v1": (
        "segment_name, tag, person_count, segment_person_count, person_share, lift",
        {("Loyal", "new", 1, 1, 1.0, 3.0), ("Loyal", "big", 1, 1, 1.0, 1.5), ("Rare", "big", 1, 2, 0.5, 0.75)},
    ),
    "tag_counts_v1": (
        "* EXCEPT (label, label_zh)",
        {(NEW, OLD, "new", 1, 0, 1, 1, 0, 0, 0), (NEW, OLD, "big", 2, 2, 0, 1, 1, 0, 0),
         (NEW, OLD, "shy", 3, 0, 3, 3, 0, 2, 1)},
    ),
    "tag_summary_v1": (
        "tag, label, person_count, new_person_count, round(person_share, 3)",
        {("new", "New", 1, 1, 0.333), ("big", "Big", 2, 1, 0.667)},
    ),
    "person_360_v1": (
        "person_id, recency_days, segment_name, concat_ws('|', tags), concat_ws('|', tag_labels), "
        "predictions['buys'], concat_ws('|', recommended_titles), identifier_count, login_count, linked_device_count",
        {("p1", 1, "Loyal", "big|new", "Big|New", 0.25, "i7|One", 3, 1, 2),
         ("p2", None, "Rare", "big", "Big", None, "", 2, 1, 1), ("p3", None, "Rare", "", "", None, "", 1, 1, 0)},
    ),
    "identity_summary_v1": (
        "*", {("all", 3, 1), ("all", 2, 1), ("all", 1, 1), ("login", 1, 3), ("device", 2, 1), ("device", 1, 1)},
    ),
    "rfm_summary_v1": ("*", {(5, 4, 2, 801, 401)}),
    "ingest_summary_v1": (
        "source, concat_ws('|', platforms), file_count, rows_in, rows_rejected, rejected_share, event_count",
        {("web_log", "web", 2, 12, 3, 0.25, 6), ("ios_log", "ios", 0, 0, 0, None, 4), ("items", "", 1, 0, 0, None, 0)},
    ),
    "rejected_summary_v1": ("*", {("web_log", "ING-001", "cut", 3, 2), ("ios_log", "ING-002", "time", 1, 1)}),
    "activity_by_day_v1": (
        "*",
        {(DAY, "web", 4, 1, 1, 0, 3, 2, 500), (DAY, "ios", 3, 3, 3, 0, 0, 0, 0), (DAY, "tv", 1, 1, 1, 0, 0, 0, 0),
         (date(2024, 3, 2), "ios", 4, 1, 0, 4, 0, 0, 0)},
    ),
    "platform_overlap_v1": (
        "left_platform, right_platform, person_count, left_person_count, right_person_count, round(left_share, 3), "
        "round(overlap_share, 3)",
        {("web", "ios", 1, 1, 3, 1.0, 0.333), ("ios", "web", 1, 3, 1, 0.333, 0.333), ("web", "tv", 0, 1, 1, 0.0, 0.0),
         ("tv", "web", 0, 1, 1, 0.0, 0.0), ("tv", "ios", 0, 1, 3, 0.0, 0.0), ("ios", "tv", 0, 3, 1, 0.0, 0.0)},
    ),
    "experience_v1": (
        "* EXCEPT (event_date)",
        {("web", 5, 4, 2, 0.5, 0.25, 1, 0.2, 0, None, 2, 1, 2, 0.5, 0, None),
         ("ios", 4, 0, 0, None, None, 0, 0.0, 2, 200.0, 0, 0, 0, None, 1, 4.0),
         ("tv", 0, 1, 1, 1.0, 0.0, 0, None, 0, None, 0, 0, 0, None, 0, None)},
    ),
    "recommendations_current_v1": (
        "run_id, person_id, target_kind, recommendation_rank, target_id, title, reason, reason_zh",
        {("r2", "p1", "item", 1, "i7", None, "like it", "相似"),
         ("r2", "p1", "item", 2, "i1", "One", "like it", "相似"),
         ("r2", "p1", "brand", 1, "Acme", "Acme", "like it", "相似")},
    ),
    "top_items_v1": (
        "* EXCEPT (category, brand, cart_count)",
        {(7, 1, "i0", None, 2, 2, 0, 0, 0), (7, 2, "i1", "One", 2, 6, 1, 1, 900),
         (30, 1, "i1", "One", 3, 6, 2, 2, 1000),
         (30, 2, "i0", None, 2, 2, 0, 0, 0), (30, 3, "i2", None, 1, 0, 0, 0, 0), (90, 1, "i1", "One", 3, 6, 2, 2, 1000),
         (90, 2, "i0", None, 2, 2, 0, 0, 0), (90, 3, "i2", None, 1, 0, 0, 0, 0), (90, 4, "i3", None, 1, 1, 0, 0, 0)},
    ),
    "segment_summary_v1": (
        "segment_name, person_count, centre['order_count'], buyer_count, segment_money_minor, "
        "round(segment_money_share, 3)",
        {("Loyal", 1, "2", 1, 600, 0.749), ("Rare", 2, None, 1, 201, 0.251)},
    ),
    "quality_v1": (
        "stage, as_of_date, value",
        {("evaluate", NEW, 0.2), ("segments", OLD, 0.3), ("profiles", NEW, 0.4), ("profiles", NEW, 0.5),
         ("predict", NEW, 0.6)},
    ),
}  # fmt: skip


def test_every_view_is_expected_of():
    assert set(EXPECTED) == set(ALL)


@pytest.mark.parametrize("name", EXPECTED)
def test_view(spark: SparkSession, known: Registered, name: str):
    columns, rows = EXPECTED[name]
    frame = spark.table(name)
    assert tuple(frame.columns) == ALL[name].names
    found = [tuple(row) for row in spark.sql(f"SELECT {columns} FROM {name}").collect()]
    assert len(found) == len(rows)
    assert set(found) == rows


def test_types_follow_the_names(spark: SparkSession, known: Registered):
    suffixes = {"_count": "bigint", "_minor": "bigint", "_rank": "int", "_share": "double", "_id": "string"}
    wrong = [
        f"{view}.{name} is {kind}"
        for view in ALL
        for name, kind in spark.table(view).dtypes
        for suffix, wanted in suffixes.items()
        if name.endswith(suffix) and kind != wanted
    ]
    assert wrong == []


def test_comments_arrive(spark: SparkSession, known: Registered):
    told = {row["col_name"]: row["comment"] for row in spark.sql("DESCRIBE TABLE experience_v1").collect()}
    assert told["mean_load_value"] == "Mean load time [ms]"


def test_a_view_that_waits_for_tables_is_left_out_and_told(spark: SparkSession, known: Registered):
    assert known.missing.keys() & set(ALL) == set()
    assert known.missing["item_neighbours"] == ("item_neighbours",)
    assert "events" in known.tables
