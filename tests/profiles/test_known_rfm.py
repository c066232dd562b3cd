"""Recency, frequency and money of two real shops, whose answers are known."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.profiles import build_person_days
from personalake.profiles.activity import totals_by_person
from personalake.profiles.rfm import rfm_bounds, with_rfm
from personalake.profiles.settings import Rfm
from personalake.profiles.totals import Day, with_formulas
from personalake.tables.ingest import EVENTS


def buys(rows: DataFrame, **columns: Column) -> DataFrame:
    """Lines bought, as events with person_id."""
    given = {
        "event_type": F.lit("buy"),
        "platform": F.lit("shop"),
        "device_class": F.lit("other"),
        "currency": F.lit("GBP"),
        "is_bot": F.lit(False),
        "amount_base_minor": columns["amount_minor"],
        "event_date": F.to_date(columns["event_at"]),
        **columns,
    }
    names = [c.name for c in EVENTS.cols] + ["person_id"]
    types = {c.name: c.type for c in EVENTS.cols}
    return rows.select(*[given.get(n, F.lit(None)).cast(types.get(n, "string")).alias(n) for n in names])


def rfm(events: DataFrame, as_of: date) -> pd.DataFrame:
    columns = ("order_recency_days", "order_count", "money_minor", "first_order_date", "last_order_date")
    ranks = ("rfm_recency_rank", "rfm_frequency_rank", "rfm_money_rank")
    days = build_person_days(events, "UTC").localCheckpoint()
    totals = totals_by_person(days, Day(as_of))
    activity = with_formulas(totals, {"as_of_date": F.lit(as_of), "new_days": F.lit(30)}).localCheckpoint()
    ranked = with_rfm(activity, rfm_bounds(activity, Rfm()))
    return ranked.select("person_id", "active_day_count", "tenure_days", *columns, *ranks).toPandas()


def check_ranks(found: pd.DataFrame) -> None:
    """The ranks are those of numpy's quantiles; where the bounds differ, those of pandas.qcut."""
    for column, rank in (("order_count", "rfm_frequency_rank"), ("money_minor", "rfm_money_rank")):
        edges = np.quantile(found[column].astype(float), [0.2, 0.4, 0.6, 0.8])
        assert list(found[rank]) == list(np.searchsorted(edges, found[column], side="left") + 1), rank
    for column, rank, sign in (("money_minor", "rfm_money_rank", 1), ("order_recency_days", "rfm_recency_rank", -1)):
        fifths = pd.qcut(found[column].astype(float), 5, labels=False) + 1
        assert list(found[rank]) == list(fifths if sign > 0 else 6 - fifths), rank


def test_online_retail(spark: SparkSession, data_folder: Path) -> None:
    rows = spark.read.parquet(str(data_folder / "online_retail" / "online_retail_II_2009_2010.parquet"))
    kept = rows.where("`Customer ID` IS NOT NULL AND Invoice NOT LIKE 'C%' AND Quantity > 0 AND Price > 0")
    cents = F.round(F.col("Quantity") * F.col("Price") * 100).cast("bigint")
    person = F.col("Customer ID").cast("bigint").cast("string")
    events = buys(kept, event_at=F.col("InvoiceDate"), amount_minor=cents, order_id=F.col("Invoice"), person_id=person)
    found = rfm(events, date(2010, 12, 10))
    assert len(found) == 4312
    recency, frequency, money = found.order_recency_days, found.order_count, found.money_minor
    assert (recency.median(), recency.min(), recency.max()) == (53, 1, 374)
    assert (frequency.median(), frequency.max(), frequency.sum()) == (2, 205, 19213)
    assert abs(money.sum() - 883200327) <= 100, "each line is rounded to a cent"
    assert abs(money.median() - 70602) <= 1
    top = found[found.person_id == "18102"].iloc[0]
    assert (top.order_recency_days, top.order_count, top.money_minor) == (1, 89, 34916435)
    check_ranks(found)


def test_cdnow(spark: SparkSession, data_folder: Path) -> None:
    """Frequency = days with a purchase - 1, recency and T in weeks, as the published summary has them."""
    lines = spark.read.text(str(data_folder / "cdnow" / "CDNOW_sample.txt"))
    parts = F.split(F.trim("value"), r"\s+")
    cents = (parts[4].cast("decimal(12,2)") * 100).cast("bigint")
    at = F.to_timestamp(parts[2], "yyyyMMdd")
    events = buys(lines, event_at=at, amount_minor=cents, person_id=parts[1].cast("int").cast("string"))
    found = rfm(events, date(1997, 10, 1))
    summary = pd.read_csv(data_folder / "cdnow" / "cdnow_customers_summary.csv")
    both = found.assign(ID=found.person_id.astype(int)).merge(summary, on="ID")
    assert (len(found), len(both)) == (2357, 2357)
    span = (pd.to_datetime(both.last_order_date) - pd.to_datetime(both.first_order_date)).dt.days
    assert (both.active_day_count - 1 == both.frequency).all()
    assert (both.order_count - 1 == both.frequency).all(), "buys of a day without an order id are one order"
    assert np.abs(span / 7 - both.recency).max() < 0.006
    assert np.abs((both.tenure_days - 1) / 7 - both["T"]).max() < 0.006


def ranks_of(spark: SparkSession, rows: list[tuple[str, int | None, int, int]], settings: Rfm) -> dict[str, str | None]:
    """Person to rfm_cell, of persons with days since the last order, orders and money."""
    frame = spark.createDataFrame(
        rows, "person_id string, order_recency_days int, order_count bigint, money_minor bigint"
    )
    return {row.person_id: row.rfm_cell for row in with_rfm(frame, rfm_bounds(frame, settings)).collect()}


def test_named_buyers(spark: SparkSession) -> None:
    """A bound belongs to the class below it; who never bought has no rank; ties share theirs; one buyer has one."""
    fixed = Rfm(
        method="thresholds",
        recency_days=(7, 30, 90, 365),
        order_counts=(1, 2, 3, 4),
        money_minor=(0, 1000, 5000, 9000),
    )
    rows = [
        ("best", 1, 5, 9001),
        ("on_the_bounds", 7, 4, 9000),
        ("past_the_bounds", 8, 3, 5000),
        ("worst", 366, 1, 0),
        ("never", None, 0, 0),
        ("refunded", 365, 2, -50),
    ]
    assert ranks_of(spark, rows, fixed) == {
        "best": "555", "on_the_bounds": "544", "past_the_bounds": "433", "worst": "111", "never": None,
        "refunded": "221",
    }  # fmt: skip
    fifths = Rfm()
    assert ranks_of(spark, [("one", 3, 2, 100), ("never", None, 0, 0)], fifths) == {"one": "511", "never": None}
    assert ranks_of(spark, [("never", None, 0, 0)], fifths) == {"never": None}
    tied = ranks_of(spark, [(f"p{n}", 5, 1, 100 * (n // 5)) for n in range(10)], fifths)
    assert {tied[f"p{n}"] for n in range(5)} == {"511"} and {tied[f"p{n}"] for n in range(5, 10)} == {"513"}


def test_a_wrong_threshold_is_refused() -> None:
    for values in ((1, 2, 3), (1, 2, 2, 3), (4, 3, 2, 1), (-1, 2, 3, 4)):
        with pytest.raises(ValueError, match="must be four rising numbers from 0"):
            Rfm(order_counts=values)
