"""One person's picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from personalake.errors import ConfigError
from personalake.tables.identity import IDENTITY_MAP
from personalake.views.person import person_picture
from personalake.views.person_text import person_text
from support.rows import quick_queries, write_tables
from support.small_lake import IDENTITY


@pytest.fixture(autouse=True, scope="module")
def _quick(spark: SparkSession) -> Iterator[None]:
    with quick_queries(spark):
        yield


@pytest.fixture(scope="module")
def picture(spark: SparkSession, small_lake: str) -> dict[str, Any]:
    return person_picture(spark, small_lake, "p1")


def test_the_parts(picture: dict[str, Any]):
    assert json.loads(json.dumps(picture)) == picture
    assert [(i["identifier_kind"], i["identifier_count"]) for i in picture["identifiers"]] == [
        ("device", 2), ("login", 1),
    ]  # fmt: skip
    assert picture["portrait"]["as_of_date"] == "2024-03-10"
    assert picture["portrait"]["features"]["money_minor"]["value"] == 600
    assert picture["portrait"]["features"]["recency_days"]["unit"] == "days"
    assert picture["portrait"]["features"]["money_minor"]["window"] == "life"
    assert [s["segment_name"] for s in picture["segments"]] == ["Loyal"]
    assert [t["tag"] for t in picture["tags"]] == ["big", "new"]
    assert [(p["target"], p["model"], p["probability"], p["decile"]) for p in picture["predictions"]] == [
        ("buys", "decision_tree", 0.25, 3), ("buys", "gbt", 0.5, 2),
    ]  # fmt: skip
    assert [(r["target_kind"], r["target_id"], r["title"]) for r in picture["recommendations"]] == [
        ("brand", "Acme", "Acme"), ("item", "i7", None), ("item", "i1", "One"),
    ]  # fmt: skip
    assert [(c["purpose"], c["state"], c["effective_at"]) for c in picture["consents"]] == [
        ("email", "withdrawn", "2024-03-02T12:00:00Z")
    ]
    assert picture["not_written"] == []


def test_no_identifier_is_shown(picture: dict[str, Any]):
    text = json.dumps(picture) + "\n".join(person_text(picture))
    assert not {"d1", "d3", "l1"} & set(text.replace('"', " ").split())


def test_the_text(picture: dict[str, Any]):
    text = "\n".join(person_text(picture))
    for part in ("Person p1", "Portrait as of 2024-03-10", "6.00", "base currency", "Loyal", "because", "like it",
                 "email", "withdrawn", "i7", "decision_tree", "0.25"):  # fmt: skip
        assert part in text


def test_an_unknown_id_is_told_with_what_it_may_be(spark: SparkSession, small_lake: str):
    for given, told in (("l1", "Did you mean p1?"), ("p0", "Did you mean p1?"),
                        ("p1' OR '1'='1", "is nobody's")):  # fmt: skip
        with pytest.raises(ConfigError) as caught:
            person_picture(spark, small_lake, given)
        assert told in caught.value.message


def test_parts_that_are_not_written_are_said_so(spark: SparkSession, tmp_path: Path):
    with pytest.raises(ConfigError, match="identity_map is not written yet"):
        person_picture(spark, str(tmp_path), "p1")
    write_tables(str(tmp_path), {IDENTITY_MAP: IDENTITY})
    picture = person_picture(spark, str(tmp_path), "p3")
    assert picture["not_written"] == ["portrait", "segments", "tags", "predictions", "recommendations", "consents"]
    assert "Tags: not written yet" in list(person_text(picture))
