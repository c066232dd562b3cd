"""The report over registered tables: every question runs, and what is not written is said."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from personalake import operate
from personalake.errors import ConfigError
from personalake.report import build_report
from personalake.report.gather import gather
from personalake.report.questions import QUESTIONS
from personalake.report.settings import Report
from personalake.runner import Options
from personalake.views.register import register
from support.page import Page
from support.rows import quick_queries, write_tables
from support.small_lake import TABLES


def test_over_a_small_lake(spark: SparkSession, tmp_path: Path):
    write_tables(str(tmp_path), TABLES)
    with quick_queries(spark):
        known = register(spark, str(tmp_path), database="reported")
        assert not [name for name in known.missing if name.endswith("_v1")]
        html = build_report(spark, date(2024, 3, 10), Report(suppress_below=1))
    page = Page(html)
    for told in ("10 March 2024", "web_log", "ING-001", "Loyal", "Big", "One", "like it"):
        assert told in page.text
    assert "will appear here" not in page.text
    assert "Why these identifiers are one person&#39;s: 2 links that bind, 1 cut by a guard (broken lines)." in html


def test_over_nothing(spark: SparkSession):
    spark.sql("CREATE DATABASE IF NOT EXISTS bare")
    spark.sql("USE bare")
    answers = gather(spark, Report())
    assert set(answers.absent) == set(QUESTIONS)
    assert answers.rows == {}


@pytest.mark.parametrize("command", [operate.report, lambda options: operate.person(options, "p", "text")])
def test_another_day_than_the_newest_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: Any) -> None:
    monkeypatch.setattr(operate, "session", lambda _: nullcontext())
    monkeypatch.setattr(operate, "register", lambda *_: None)
    monkeypatch.setattr(operate, "_newest_day", lambda *_: date(2024, 3, 1))
    options = Options(overrides=(f"warehouse.root={tmp_path}",), as_of=date(2024, 2, 1))
    with pytest.raises(ConfigError) as refused:
        command(options)
    assert str(refused.value).endswith(
        "--as-of: 2024-02-01 is not the newest day, 2024-03-01, which is what this command shows. "
        "Leave it out, or `personalake run --as-of 2024-02-01`."
    )
