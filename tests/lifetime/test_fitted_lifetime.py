"""Fitted by Spark: the published parameters of a real shop, both ways of summing, few buyers, and what profiles say."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.lifetime import (
    Lifetime,
    calibration_by_frequency,
    fit_lifetime,
    order_histories,
    with_lifetime,
)
from personalake.lifetime.bg_nbd import alive_probability, expected_purchases, loss
from personalake.lifetime.fit import fit_likelihood
from personalake.lifetime.histories import purchase_histories, spend_histories
from personalake.lifetime.metrics import calibration_metrics, lifetime_metrics
from personalake.lifetime.model import GAMMA_GAMMA, FittedLifetime
from personalake.tables.evaluate import MODEL_METRICS
from personalake.tables.profile_features import LIFETIME
from personalake.tables.profiles import PERSON_DAYS
from support.profile_rows import table_frame

SETTINGS = Lifetime()
BORDER, END = date(1997, 10, 1), date(1998, 7, 1)
# Fader, Hardie and Lee (2005), table 2; Fader and Hardie (2013), on repeat purchases.
PUBLISHED = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}
PUBLISHED_SPEND = {"p": 6.25, "q": 3.74, "gamma": 15.44}
SEED = 17


def person_days(spark: SparkSession, folder: Path, name: str) -> DataFrame:
    """A CDNOW log as the buys of PERSON_DAYS; buys of a day are one order."""
    parts = F.split(F.trim("value"), r"\s+")
    text = spark.read.text(str(folder / "cdnow" / name)).where("value RLIKE '[0-9]{8}'")
    lines = text.select(
        parts[F.size(parts) - 4].alias("person_id"),
        F.to_date(parts[F.size(parts) - 3], "yyyyMMdd").alias("event_date"),
        (parts[F.size(parts) - 1].cast("decimal(12,2)") * 100).cast("bigint").alias("amount"),
    )
    days = lines.groupBy("person_id", "event_date").agg(F.sum("amount").alias("amount_base_minor"))
    given = {"event_type": F.lit("buy"), "order_count": F.lit(1)}
    return days.select(
        *[
            F.col(c.name) if c.name in days.columns else given.get(c.name, F.lit(None)).cast(c.type).alias(c.name)
            for c in PERSON_DAYS.cols
        ]
    )


@pytest.fixture(scope="module")
def sample(spark: SparkSession, data_folder: Path) -> DataFrame:
    return person_days(spark, data_folder, "CDNOW_sample.txt").localCheckpoint()


@pytest.fixture(scope="module")
def before(sample: DataFrame) -> DataFrame:
    return order_histories(sample, BORDER).localCheckpoint()


@pytest.fixture(scope="module")
def fitted(before: DataFrame) -> FittedLifetime:
    return fit_lifetime(before, BORDER, SETTINGS)


def test_the_published_parameters_within_a_hundredth(fitted: FittedLifetime):
    assert fitted.purchases.person_count == 2357 and fitted.notes == {}
    assert fitted.purchases.parameters == pytest.approx(PUBLISHED, rel=0.01)
    assert fitted.purchases.log_likelihood == pytest.approx(-9582.4, abs=0.1)


def test_the_published_spend_within_a_hundredth(sample: DataFrame):
    """As the authors did: the first purchase does not count, and the mean is over the others."""
    first = sample.groupBy("person_id").agg(F.min("event_date").alias("_first"))
    repeats = sample.join(first, on="person_id", how="inner").where("event_date > _first").drop("_first")
    found = fit_likelihood(spend_histories(order_histories(repeats, BORDER)), GAMMA_GAMMA, 38.0, 100_000)
    assert found.person_count == 946
    assert found.parameters == pytest.approx(PUBLISHED_SPEND, rel=0.01)


def test_sums_by_spark_find_what_the_driver_finds(before: DataFrame, fitted: FittedLifetime):
    by_spark = fit_lifetime(before.repartition(3), BORDER, SETTINGS.model_copy(update={"fit_rows": 800}))
    for ours, theirs in ((by_spark.purchases, fitted.purchases), (by_spark.spend, fitted.spend)):
        assert ours.parameters == pytest.approx(theirs.parameters, rel=2e-5)
        assert ours.log_likelihood == pytest.approx(theirs.log_likelihood, rel=1e-9)
        assert ours.person_count == theirs.person_count


def test_the_table_is_bounded_by_distinct_histories(before: DataFrame):
    table = purchase_histories(before, BORDER, 7).toPandas()
    assert (len(table), table.person_count.sum()) == (1016, 2357)
    assert not table.duplicated(["frequency", "recency", "age"]).any()


def test_expectations_of_39_weeks_hold_in_the_39_weeks_that_follow(
    sample: DataFrame, before: DataFrame, fitted: FittedLifetime
):
    """Of every group of at least 60 persons, as in figure 3 of the paper; and of all together."""
    after = order_histories(sample, END).localCheckpoint()
    held = calibration_by_frequency(before, after, fitted, BORDER, 273).localCheckpoint()
    rows = {row.repeat_count: row for row in held.collect()}
    assert sorted(rows) == list(range(8)) and sum(r.person_count for r in rows.values()) == 2357
    means = {n: (round(r.expected_orders, 2), round(r.actual_orders, 2)) for n, r in rows.items()}
    for repeats, (expected, actual) in means.items():
        assert abs(expected - actual) < 0.1 + 0.25 * actual, f"{repeats}: {means}"
    total = [sum(r[name] * r.person_count for r in rows.values()) for name in ("expected_orders", "actual_orders")]
    assert 0.85 < total[0] / total[1] < 1.15, means
    metrics = calibration_metrics(held, END)
    assert metrics.columns == [c.name for c in MODEL_METRICS.cols]
    assert {(r.metric, r.step): r.value for r in metrics.collect()}["actual_orders", 7] == rows[7].actual_orders


def test_what_profiles_say_equals_the_formulas(before: DataFrame, fitted: FittedLifetime):
    found = with_lifetime(before, fitted, BORDER, Lifetime(horizon_days=273)).toPandas()
    frequency = found.order_day_count.to_numpy(float) - 1
    dates = {name: pd.to_datetime(found[name]) for name in ("first_order_date", "last_order_date")}
    recency = (dates["last_order_date"] - dates["first_order_date"]).dt.days.to_numpy() / 7
    age = ((pd.Timestamp(BORDER) - dates["first_order_date"]).dt.days.to_numpy() - 1) / 7
    parameters = fitted.purchases.vector
    np.testing.assert_allclose(
        found.alive_probability, alive_probability(parameters, frequency, recency, age), atol=1e-9
    )
    expected = expected_purchases(parameters, frequency, recency, age, 39.0)
    np.testing.assert_allclose(found.expected_orders, expected, atol=1e-9)
    paid = found.money_minor > 0
    assert found.expected_order_minor[paid].notna().all() and found.expected_order_minor[~paid].isna().all()
    assert found.expected_order_minor[paid].between(500, 60_000).all()
    value = found.expected_orders * found.expected_order_minor
    assert (np.abs(found.expected_value_minor - value)[paid] < found.expected_orders[paid] + 1).all()


def made_up(spark: SparkSession, buyers: int, again: int, money: int = 1000) -> DataFrame:
    """So many buyers of one day, the first few of a second one too."""
    start = date(2024, 3, 1)
    rows: list[dict[str, Any]] = []
    for n in range(buyers):
        day = {"person_id": f"p{n:03d}", "event_type": "buy", "order_count": 1, "amount_base_minor": money}
        rows += [{**day, "event_date": start + timedelta(days=n % 7)}]
        rows += [{**day, "event_date": start + timedelta(days=20)}] if n < again else []
    return order_histories(table_frame(spark, PERSON_DAYS, rows), date(2024, 4, 1))


def test_few_buyers_have_no_expectations_and_it_is_said_why(spark: SparkSession):
    day = date(2024, 4, 1)
    cases = {
        "nobody": (made_up(spark, 0, 0), "0 persons ever bought and 50 are needed"),
        "one": (made_up(spark, 1, 0), "1 persons ever bought and 50 are needed"),
        "few again": (made_up(spark, 60, 3), "3 persons bought on a second day and 20 are needed"),
    }
    for case, (histories, reason) in cases.items():
        fitted = fit_lifetime(histories, day, SETTINGS)
        assert fitted.notes == {"bg_nbd": reason, "gamma_gamma": reason}, case
        rows = with_lifetime(histories, fitted, day, SETTINGS).collect()
        assert all(row[feature.name] is None for row in rows for feature in LIFETIME), case
    assert lifetime_metrics(spark, fitted, day).collect() == []


def test_buyers_who_never_paid_have_purchases_but_no_money(spark: SparkSession, fitted: FittedLifetime):
    free = made_up(spark, 60, 30, money=0)
    day = date(2024, 4, 1)
    assert fit_lifetime(free, day, SETTINGS).spend.reason == "0 persons ever paid and 50 are needed"
    row = with_lifetime(free, fitted, day, SETTINGS).where("person_id = 'p001'").head()
    assert 0 < row.alive_probability < 1 and row.expected_orders > 0
    assert (row.expected_order_minor, row.expected_value_minor) == (None, None)


def test_metrics_are_rows_of_the_table(spark: SparkSession, fitted: FittedLifetime):
    rows = lifetime_metrics(spark, fitted, BORDER).collect()
    assert [(r.model, r.metric) for r in rows] == [
        *(("bg_nbd", name) for name in ("r", "alpha", "a", "b", "log_likelihood")),
        *(("gamma_gamma", name) for name in ("p", "q", "gamma", "log_likelihood")),
    ]
    assert {(r.stage, r.as_of_date, r.audience) for r in rows} == {("profiles", BORDER, "all")}


@pytest.mark.slow
def test_all_customers_of_the_shop(spark: SparkSession, data_folder: Path):
    """The whole log, of which the sample is a tenth: likelier than under the sample's parameters, and near them."""
    days = person_days(spark, data_folder, "CDNOW_master.txt.gz")
    orders = order_histories(days, BORDER).localCheckpoint()
    found = fit_lifetime(orders, BORDER, SETTINGS).purchases
    assert found.person_count == 23570
    assert found.parameters == pytest.approx({"r": 0.2516, "alpha": 4.789, "a": 0.7234, "b": 2.161}, rel=0.01)
    rows = purchase_histories(orders, BORDER, 7).toPandas().to_numpy(float)
    under_the_samples = -loss(np.log(list(PUBLISHED.values())), rows)[0]
    assert found.log_likelihood > under_the_samples + 1
    assert found.log_likelihood == pytest.approx(-loss(np.log(found.vector), rows)[0], rel=1e-6)
