"""The losses of a fit in model_metrics, beside what evaluate measures there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from personalake.config import load_settings
from personalake.flow import STAGES
from personalake.job import Job
from personalake.recommend import Als, FittedAls, Popular
from personalake.recommend.als_loss import losses_by_step
from personalake.recommend.convergence import build_losses
from personalake.recommend.model import Fitted
from personalake.store.schema import ensure_tables
from personalake.tables.evaluate import MODEL_METRICS
from personalake.tables.spec import schema_faults

DAY = date(2024, 3, 10)
PAIRS = "person_id string, item_id string, weight double"


def fitted_with(spark: SparkSession, *losses: float) -> dict[str, Fitted]:
    nothing = spark.createDataFrame([], PAIRS)
    als = FittedAls(Als(), nothing, nothing, nothing, losses_by_step(spark, enumerate(losses, start=1)))
    return {"popular": Popular().fit(nothing, check=False), "als": als}


def test_each_iteration_is_a_row_of_the_declared_table(spark: SparkSession) -> None:
    rows = build_losses(fitted_with(spark, 9.0, 8.5), DAY)
    assert schema_faults(rows.schema, MODEL_METRICS) == schema_faults(MODEL_METRICS.row_schema, MODEL_METRICS)
    found = sorted((r.stage, r.as_of_date, r.model, r.metric, r.k, r.step, r.audience, r.value) for r in rows.collect())
    told = ("recommend", DAY, "als", "loss", 0)
    assert found == [(*told, 1, "all", 9.0), (*told, 2, "all", 8.5)]


def test_without_an_algorithm_that_iterates_there_are_no_rows(spark: SparkSession) -> None:
    only_popular = {"popular": fitted_with(spark)["popular"]}
    assert build_losses(only_popular, DAY).columns == [c.name for c in MODEL_METRICS.cols]
    assert build_losses(only_popular, DAY).isEmpty()


def test_recommend_and_evaluate_leave_each_others_rows_alone(spark: SparkSession, tmp_path: Path) -> None:
    ensure_tables(spark, str(tmp_path), [MODEL_METRICS])
    settings = load_settings([], [f"warehouse.root={tmp_path}"])

    def replace(stage: str, rows: DataFrame) -> None:
        now = datetime(2024, 3, 10, tzinfo=UTC)
        job = Job(spark, settings, STAGES[stage], f"run-{stage}", now, DAY)
        job.replace_where(MODEL_METRICS, rows, {"stage": stage, "as_of_date": DAY})

    measured = build_losses(fitted_with(spark, 0.3), DAY).replace({"recommend": "evaluate"}, subset=["stage"])
    replace("recommend", build_losses(fitted_with(spark, 9.0, 8.0, 7.5), DAY))
    replace("evaluate", measured)
    replace("recommend", build_losses(fitted_with(spark, 9.0, 8.0), DAY))
    rows = spark.read.format("delta").load(f"{tmp_path}/model_metrics").collect()
    found = sorted((row.stage, row.as_of_date, row.step, row.value) for row in rows)
    assert found == [
        ("evaluate", DAY, 1, 0.3),
        ("recommend", DAY, 1, 9.0),
        ("recommend", DAY, 2, 8.0),
    ]
