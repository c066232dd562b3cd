"""Queries as printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from personalake.errors import ConfigError, DataError
from personalake.views.console import run_sql
from personalake.views.layout import csv_lines, table_lines
from support.rows import quick_queries

KINDS = """SELECT 1 AS n, 'a "b", 中' AS t, TIMESTAMP '2024-03-01 12:00:00' AS at, DATE '2024-03-01' AS d,
  TIMESTAMP '2024-03-01 12:00:00.5' AS at2, map('k', 1) AS m, array(DATE '2024-03-01') AS a, true AS b,
  12345678.5D AS x, 1.50BD AS dec, X'FF' AS bin, CAST(NULL AS STRING) AS gone"""


@pytest.fixture(autouse=True)
def _quick(spark: SparkSession) -> Iterator[None]:
    with quick_queries(spark):
        yield


def test_csv(spark: SparkSession, tmp_path: Path):
    assert list(run_sql(spark, str(tmp_path), KINDS, "csv")) == [
        "n,t,at,d,at2,m,a,b,x,dec,bin,gone",
        '1,"a ""b"", 中",2024-03-01T12:00:00Z,2024-03-01,2024-03-01T12:00:00.5Z,"{""k"":1}","[""2024-03-01""]",true,'
        "12345678.5,1.50,/w==,",
    ]


def test_json(spark: SparkSession, tmp_path: Path):
    lines = list(run_sql(spark, str(tmp_path), f"{KINDS} UNION ALL {KINDS}", "json"))
    assert len(lines) == 2
    assert json.loads(lines[0]) == {
        "n": 1, "t": 'a "b", 中', "at": "2024-03-01T12:00:00Z", "d": "2024-03-01", "at2": "2024-03-01T12:00:00.5Z",
        "m": {"k": 1}, "a": ["2024-03-01"], "b": True, "x": 12345678.5, "dec": 1.5, "bin": "/w==", "gone": None,
    }  # fmt: skip


def test_table(spark: SparkSession, small_lake: str):
    query = "SELECT item_id, title, 1.5 AS price FROM items UNION ALL SELECT '中文', 'a\\tb\\u001b[2J', 22.5 ORDER BY 1"
    assert list(run_sql(spark, small_lake, query)) == [
        "item_id  title        price",
        "-------  -----------  -----",
        "Acme     No brand       1.5",
        "i1       One            1.5",
        "中文     a\\tb\\x1b[2J   22.5",
    ]


def test_a_view_by_name_and_columns_of_one_name(spark: SparkSession, small_lake: str):
    assert list(run_sql(spark, small_lake, "select tag, 2, 2 from tag_summary_v1 order by tag;", "csv")) == [
        "tag,2,2", "big,2,2", "new,2,2",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="more than one column called 2"):
        list(run_sql(spark, small_lake, "select 2, 2", "json"))


def test_show_tables_knows_all(spark: SparkSession, small_lake: str):
    text = "\n".join(run_sql(spark, small_lake, "SHOW TABLES", "csv"))
    assert "person_360_v1" in text and "events" in text


WRONG = {
    "near_table": ("SELECT * FROM evnts", "evnts is no table or view. Did you mean events?"),
    "not_written": (
        "SELECT * FROM item_neighbours",
        "item_neighbours has no data yet: not written so far: item_neighbours. `personalake run` writes it.",
    ),
    "written_by_a_command": (
        "SELECT * FROM audiences",
        "audiences has no data yet: not written so far: audiences. `personalake audience --save NAME` writes it.",
    ),
    "column": ("SELECT titel FROM items", "titel"),
    "syntax": ("SELEC 1", "SELEC"),
    "empty": ("  ", "unexpected empty statement"),
    "drop": ("DROP TABLE items", "does not read: DROP"),
    "delete": ("DELETE FROM items", "does not read"),
    "insert_behind_with": ("WITH x AS (SELECT 1) INSERT INTO items SELECT * FROM x", "does not read"),
    "insert_behind_from": ("FROM items INSERT INTO items SELECT *", "does not read"),
    "create": ("CREATE TABLE x (a INT)", "does not read"),
    "set": ("SET spark.sql.ansi.enabled=false", "does not read"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_query_is_told_in_a_line(spark: SparkSession, small_lake: str, name: str):
    query, told = WRONG[name]
    with pytest.raises(ConfigError) as caught:
        list(run_sql(spark, small_lake, query))
    assert told in caught.value.message
    assert len(caught.value.message.splitlines()) == 2


def test_a_value_that_does_not_fit_is_not_quoted(spark: SparkSession, small_lake: str):
    with pytest.raises(DataError) as caught:
        list(run_sql(spark, small_lake, "SELECT CAST(title AS INT) FROM items"))
    assert "CAST_INVALID_INPUT" in caught.value.message
    assert "One" not in caught.value.message and "No brand" not in caught.value.message


def test_an_unknown_format_is_refused(spark: SparkSession, small_lake: str):
    with pytest.raises(ConfigError, match=r"Did you mean json\?"):
        list(run_sql(spark, small_lake, "SELECT 1", "jsn"))


def test_rows_are_streamed():
    taken = 0

    def many() -> Iterator[tuple[int]]:
        nonlocal taken
        for taken in range(10**9):
            yield (taken,)

    lines = table_lines(["n"], many())
    assert [next(lines) for _ in range(5)] == ["  n", "---", "  0", "  1", "  2"]
    assert taken < 2000
    assert next(csv_lines(["n"], many())) == "n"


def test_an_empty_result_is_its_header():
    assert list(table_lines(["a", "bb"], [])) == ["a  bb", "-  --"]
    assert list(csv_lines(["a", "bb"], [])) == ["a,bb"]
