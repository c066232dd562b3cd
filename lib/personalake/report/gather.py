"""What the report reads: bounded aggregates over the registered tables and views, as plain rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession

from personalake.report.questions import QUESTIONS
from personalake.report.settings import Report

Row = dict[str, Any]


@dataclass(frozen=True)
class Answers:
    """Rows by question; a question whose tables are not there has no rows.

    Args:
        rows: question → rows.
        absent: question → tables and views that are not known.
    """

    rows: dict[str, list[Row]]
    absent: dict[str, tuple[str, ...]]

    def __getitem__(self, question: str) -> list[Row]:
        return self.rows.get(question, [])


def gather(spark: SparkSession, settings: Report) -> Answers:
    """Ask every question whose tables and views are known in the current database.

    Cost:
        One small query a question; the largest scans are events (experience) and person_days (overlap, days).
    """
    rows, absent = {}, {}
    for name, question in QUESTIONS.items():
        unknown = tuple(read for read in question.reads if not spark.catalog.tableExists(read))
        if unknown:
            absent[name] = unknown
            continue
        frame = spark.sql(question.sql.format(**settings.model_dump()))
        rows[name] = [row.asDict(recursive=True) for row in frame.collect()]
    return Answers(rows, absent)
