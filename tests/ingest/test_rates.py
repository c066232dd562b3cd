"""Rates by day: the file, and which rate holds on which day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from personalake.errors import ConfigError
from personalake.ingest.derive import Door, with_derived
from personalake.ingest.rates import Money, daily_rates, load_rates, with_base_amount
from personalake.ingest.settings import Ingest
from personalake.privacy.keys import Key

RIGHT = "currency,effective_date,rate\nUSD,2024-01-03,0.9\nUSD,2024-01-01,0.8\n\nJPY,2024-01-02,0.006\n"


def test_every_wrong_line_is_told_at_once(tmp_path):
    path = tmp_path / "rates.csv"
    path.write_text(RIGHT + "usd,2024-01-01,1\nUSD,2024-13-01,1\nUSD,2024-01-01,2\nEUR,2024-01-01,-1\nEUR\n")
    with pytest.raises(ConfigError) as refused:
        load_rates(path)
    assert str(refused.value).replace(str(path), "F") == (
        "The configuration cannot be used (5 faults):\n"
        "  - F: line 6: has no ISO 4217 code, or a rate that is not above 0.\n"
        "  - F: line 7: is no rate. For example EUR,2026-01-31,1.0842\n"
        "  - F: line 8: has a second rate of USD for 2024-01-01.\n"
        "  - F: line 9: has no ISO 4217 code, or a rate that is not above 0.\n"
        "  - F: line 10: is no rate. For example EUR,2026-01-31,1.0842"
    )
    path.write_text("currency;rate\n")
    with pytest.raises(ConfigError, match=r"has other columns\. Its first line is currency,effective_date,rate\."):
        load_rates(path)
    with pytest.raises(ConfigError, match=r"ingest\.rates_file: .*gone\.csv cannot be read"):
        load_rates(tmp_path / "gone.csv")


def test_the_rate_of_the_day_holds_until_the_next_and_the_last_goes_on(spark: SparkSession, tmp_path):
    path = tmp_path / "rates.csv"
    path.write_text("\ufeff" + RIGHT)
    rates = load_rates(path)
    assert rates["USD"] == {date(2024, 1, 1): Decimal("0.8"), date(2024, 1, 3): Decimal("0.9")}
    cases = {
        ("USD", -1, 1000): None, ("USD", 0, 1000): 800, ("USD", 1, 1000): 800, ("USD", 2, 1000): 900,
        ("USD", 900, -1005): -905, ("JPY", 0, 1000): None, ("JPY", 1, 1000): 6, ("EUR", 5, 7): 7, ("XXX", 5, 7): None,
        ("USD", 1, None): None,
    }  # fmt: skip
    rows = [(c, date(2024, 1, 1) + timedelta(days=d), a) for c, d, a in cases]
    frame = spark.createDataFrame(rows, "currency string, event_date date, amount_minor bigint")
    money = Money("amount_minor", F.col("currency"), F.col("event_date"), "amount_base_minor")
    told = with_base_amount(frame, daily_rates(spark, rates), "EUR", money).collect()
    found = {(r.currency, (r.event_date - date(2024, 1, 1)).days, r.amount_minor): r.amount_base_minor for r in told}
    assert found == cases


# (currency, price) → what it is worth in euros, and its band between 10 and 100 euros
PRICES = {
    ("EUR", 999): (999, "low"),
    (None, 1000): (1000, "middle"),
    ("USD", 1250): (1000, "middle"),
    ("USD", 1240): (992, "low"),
    ("XXX", 10_000): (None, None),
    ("EUR", None): (None, None),
    ("EUR", 10_000): (10_000, "high"),
}


@pytest.mark.parametrize("has_file", [True, False])
def test_prices_are_compared_in_the_base_currency(spark: SparkSession, has_file: bool) -> None:
    # Shortly before midnight UTC it is the next day in Berlin: the day from which on the dollar has a rate.
    at = datetime(2023, 12, 31, 23, 30)
    rows = [(currency, price, at) for currency, price in PRICES]
    items = spark.createDataFrame(rows, "currency string, price_minor bigint, effective_at timestamp")
    fixed = {} if has_file else {"USD": 0.8}
    settings = Ingest(base_currency="EUR", rates=fixed, price_band_bounds_minor=(1000, 10_000))
    rates = daily_rates(spark, {"USD": {date(2024, 1, 1): Decimal("0.8")}}) if has_file else None
    door = Door(settings, Key(b"0" * 32), "Europe/Berlin", rates)
    source = SimpleNamespace(entity="item", fields={"currency": "currency"})
    found = with_derived(items, source, door).collect()
    assert {(r.currency, r.price_minor): (r.price_base_minor, r.price_band) for r in found} == PRICES
