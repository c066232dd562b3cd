"""What a currency was worth in the base currency, as of the day."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.errors import ConfigError, Fault

_COLUMNS = ["currency", "effective_date", "rate"]
_LONGEST_DAYS = 40_000
Rates = dict[str, dict[date, Decimal]]


@dataclass(frozen=True)
class Money:
    """Where an amount is, and where its worth in the base currency goes.

    Args:
        amount: column [cents].
        currency: ISO 4217.
        day: whose rate counts.
        to: column to add [cents of the base currency].
    """

    amount: str
    currency: Column
    day: Column
    to: str


def load_rates(path: Path) -> Rates:
    """Rates by currency and the day from which on they hold.

    Args:
        path: a CSV file with the columns currency (ISO 4217), effective_date, rate (worth of one unit in the base
            currency, above 0).

    Raises:
        ConfigError: with every line that is wrong.
    """
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError):
        raise ConfigError(Fault("ingest.rates_file", f"{path} cannot be read.", "Name a CSV file in UTF-8.")) from None
    if not lines or [name.strip() for name in lines[0]] != _COLUMNS:
        raise ConfigError(Fault(str(path), "has other columns.", f"Its first line is {','.join(_COLUMNS)}."))
    rates: Rates = {}
    faults = []
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        try:
            currency, day, rate = line[0].strip(), date.fromisoformat(line[1].strip()), Decimal(line[2].strip())
        except (IndexError, ValueError, InvalidOperation):
            faults.append(Fault(f"{path}: line {number}", "is no rate.", "For example EUR,2026-01-31,1.0842"))
            continue
        if len(currency) != 3 or not currency.isupper() or not 0 < rate < Decimal(10) ** 12:
            faults.append(Fault(f"{path}: line {number}", "has no ISO 4217 code, or a rate that is not above 0."))
        elif day in rates.get(currency, {}):
            faults.append(Fault(f"{path}: line {number}", f"has a second rate of {currency} for {day}."))
        else:
            rates.setdefault(currency, {})[day] = rate
    if faults:
        raise ConfigError(*faults)
    return rates


def daily_rates(spark: SparkSession, rates: Rates) -> DataFrame:
    """One row per currency and day on which a rate holds, up to the day of its last rate.

    Returns:
        _currency, _date, _rate (decimal), _last (the last day of the currency, whose rate goes on).
    """
    rows = []
    for currency, by_day in sorted(rates.items()):
        days = sorted(by_day)
        last = days[-1]
        for start, end in pairwise([*days, last + timedelta(days=1)]):
            some = min((end - start).days, _LONGEST_DAYS)
            rows += [(currency, start + timedelta(days=n), by_day[start], last) for n in range(some)]
    return spark.createDataFrame(rows, "_currency string, _date date, _rate decimal(24,10), _last date")


def rates_of(spark: SparkSession, file: str) -> DataFrame | None:
    """The `daily_rates` of a file; None where none is named.

    Raises:
        ConfigError: with every line that is wrong.
    """
    return daily_rates(spark, load_rates(Path(file))) if file else None


def with_base_amount(rows: DataFrame, rates: DataFrame, base_currency: str, money: Money) -> DataFrame:
    """Adds an amount in the base currency at the rate of its day.

    Args:
        rows: any.
        rates: from `daily_rates`.
        base_currency: ISO 4217.
        money: which amount.

    Returns:
        The same rows; null where the currency has no rate yet on that day.

    Cost:
        One join with a broadcast table of days.
    """
    last = rates.groupBy(F.col("_currency").alias("_of")).agg(F.max("_date").alias("_until"))
    dated = rows.join(F.broadcast(last), money.currency == F.col("_of"), how="left")
    day = F.least(money.day, F.col("_until"))
    on = (money.currency == F.col("_currency")) & (day == F.col("_date"))
    known = dated.join(F.broadcast(rates), on, how="left")
    amount = F.col(money.amount)
    worth = F.round(amount * F.col("_rate")).try_cast("bigint")
    value = F.when(money.currency == base_currency, amount).otherwise(worth)
    return known.withColumn(money.to, value).drop("_of", "_until", "_currency", "_date", "_rate")
