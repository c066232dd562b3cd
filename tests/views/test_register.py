"""Making tables known by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from personalake.errors import ConfigError
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.recommend import ITEM_NEIGHBOURS
from personalake.views.register import register
from support.rows import write_tables

MAP_ROW = {"identifier_kind": "login", "identifier": "x", "person_id": "p"}


def test_only_what_is_asked_for_is_registered(spark: SparkSession, small_lake: str):
    known = register(spark, small_lake, ["tag_summary_v1"], database="asked")
    assert known.tables == ("identity_map_versions", "profiles", "tags", "tag_overrides")
    assert known.views == ("tag_words_v1", "tags_current_v1", "tag_summary_v1")
    assert {row["tableName"] for row in spark.sql("SHOW TABLES IN asked").collect() if not row["isTemporary"]} == {
        "identity_map_versions", "profiles", "tags", "tag_overrides", "tag_words_v1", "tags_current_v1",
        "tag_summary_v1",
    }  # fmt: skip
    assert spark.sql("SELECT count(*) AS n FROM asked.tag_summary_v1").first()["n"] == 2


def test_what_is_not_written_is_left_out_and_told(spark: SparkSession, tmp_path: Path):
    write_tables(str(tmp_path), {ITEM_NEIGHBOURS: []})
    (tmp_path / "events").mkdir()
    known = register(spark, str(tmp_path), ["person_events_v1", "item_neighbours"], database="partly")
    assert known.tables == ("item_neighbours",)
    assert known.views == ()
    assert known.missing == {
        "events": ("events",), "identity_map": ("identity_map",), "person_events_v1": ("events", "identity_map"),
    }  # fmt: skip


def test_a_warehouse_that_is_not_there_has_nothing(spark: SparkSession, tmp_path: Path):
    known = register(spark, str(tmp_path / "gone"), ["events"], database="nothing")
    assert known.tables == ()
    assert known.missing == {"events": ("events",)}


def test_a_name_follows_the_warehouse(spark: SparkSession, tmp_path: Path):
    counts = []
    for number in (1, 2):
        rows = [MAP_ROW | {"identifier": str(n)} for n in range(number)]
        write_tables(str(tmp_path / f"w {number}'s"), {IDENTITY_MAP: rows})
        for _ in range(2):
            register(spark, str(tmp_path / f"w {number}'s"), ["identity_map"], database="moving")
        counts.append(spark.table("identity_map").count())
    assert counts == [1, 2]


def test_an_unknown_name_is_refused_with_its_near_miss(spark: SparkSession, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"evnts: is no table or view\. Did you mean events\?"):
        register(spark, str(tmp_path), ["evnts"])
