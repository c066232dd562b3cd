"""Both models fitted on everybody, and what they say of each person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import arrow_udf

from personalake.lifetime import bg_nbd, gamma_gamma
from personalake.lifetime.fit import SOUND, Fit, Likelihood, Vector, fit_likelihood
from personalake.lifetime.histories import history_columns, purchase_histories, spend_histories
from personalake.lifetime.settings import Lifetime
from personalake.tables.profile_features import LIFETIME

STAYS = {"a": SOUND[0], "b": SOUND[1]}
"""Where nobody ever leaves, what is left is the NBD: a and b say nothing, but that leaving is next to impossible."""


def _settled(parameters: dict[str, float]) -> dict[str, float]:
    a, b = parameters["a"], parameters["b"]
    return parameters | STAYS if a / (a + b) < SOUND[0] else parameters


BG_NBD = Likelihood(bg_nbd.NAMES, bg_nbd.COLUMNS, bg_nbd.loss, scaled=(), unit="", settled=_settled)
GAMMA_GAMMA = Likelihood(gamma_gamma.NAMES, gamma_gamma.COLUMNS, gamma_gamma.loss, scaled=("mean",), unit="gamma")

_DECIMALS = 9
_ANSWER = "struct<alive: double, orders: double, spend: double>"


@dataclass(frozen=True)
class FittedLifetime:
    """What the fits found: numbers, nothing to change.

    Args:
        purchases: BG/NBD: r, alpha [periods], a, b.
        spend: Gamma-Gamma: p, q, gamma [base currency].
        period_days: unit of time [days].
    """

    purchases: Fit
    spend: Fit
    period_days: int

    @property
    def notes(self) -> dict[str, str]:
        """Model to the reason why it has no parameters, or what is odd about them."""
        fits = {"bg_nbd": self.purchases, "gamma_gamma": self.spend}
        told = {name: fit.reason for name, fit in fits.items() if fit.reason}
        if STAYS.items() <= self.purchases.parameters.items():
            told["bg_nbd"] = "nobody seems to leave: everybody who ever bought is alive"
        return told


def fit_lifetime(histories: DataFrame, as_of: date, settings: Lifetime) -> FittedLifetime:
    """Fit both models on everybody's orders before the day.

    Args:
        histories: what `order_histories` gives for the day; put down: it is read some six times.
        as_of: the day.
        settings: period_days, least_buyers, least_repeaters, fit_rows.

    Returns:
        The fits; one that cannot be made says why in place of parameters.

    Cost:
        One job that counts, then twice `fit_likelihood`.
    """
    repeats = F.col("order_day_count") > 1
    paid = F.col("money_minor") > 0
    found = histories.agg(
        F.count(F.lit(1)),
        F.count(F.when(repeats, 1)),
        F.count(F.when(paid, 1)),
        F.avg(F.when(paid, F.col("money_minor") / 100 / F.col("order_day_count"))),
    ).head(1)[0]
    buyers, repeaters, payers = (int(found[n]) for n in range(3))
    few = _too_few(buyers, repeaters, settings)
    if few:
        return FittedLifetime(Fit({}, None, buyers, few), Fit({}, None, payers, few), settings.period_days)
    purchases = fit_likelihood(
        purchase_histories(histories, as_of, settings.period_days), BG_NBD, 1.0, settings.fit_rows
    )
    return FittedLifetime(purchases, _fit_spend(histories, payers, found[3], settings), settings.period_days)


def _fit_spend(histories: DataFrame, payers: int, mean: float | None, settings: Lifetime) -> Fit:
    if payers < settings.least_buyers or mean is None:
        return Fit({}, None, payers, f"{payers} persons ever paid and {settings.least_buyers} are needed")
    # Two digits of the mean are enough of a scale, and no float sum's last digit shows in them.
    spend = fit_likelihood(spend_histories(histories), GAMMA_GAMMA, float(f"{mean:.2g}"), settings.fit_rows)
    if spend.parameters and spend.parameters["q"] <= 1:
        return Fit({}, None, payers, "q is at most 1: money is so unequal that its mean over persons is infinite")
    return spend


def _too_few(buyers: int, repeaters: int, settings: Lifetime) -> str:
    if buyers < settings.least_buyers:
        return f"{buyers} persons ever bought and {settings.least_buyers} are needed"
    if repeaters < settings.least_repeaters:
        return f"{repeaters} persons bought on a second day and {settings.least_repeaters} are needed"
    return ""


def with_lifetime(persons: DataFrame, fitted: FittedLifetime, as_of: date, settings: Lifetime) -> DataFrame:
    """Add what is expected of each buyer; nothing is of who never bought, or where a model has no parameters.

    Args:
        persons: reads order_day_count, first_order_date, last_order_date, money_minor; profiles, or `order_histories`.
        fitted: what `fit_lifetime` found.
        as_of: the day.
        settings: horizon_days.

    Returns:
        The same rows plus alive_probability, expected_orders (in the next horizon_days), expected_order_minor and
        expected_value_minor (the product of both); where they are there already they are replaced.

    Cost:
        No shuffle; four columns pass through Python.
    """
    if not fitted.purchases.parameters and not fitted.spend.parameters:
        return persons.withColumns({f.name: F.lit(None).cast(f.type) for f in LIFETIME})
    ahead = settings.horizon_days / fitted.period_days
    facts = [*history_columns(as_of, fitted.period_days).values(), F.col("money_minor") / 100]
    bought = F.col("order_day_count") > 0
    said = persons.withColumn("_said", _answer(fitted, ahead, [F.when(bought, fact) for fact in facts]))
    orders = F.round("_said.orders", _DECIMALS)
    spend = F.round(F.col("_said.spend") * 100)
    values: dict[str, Column] = {
        "alive_probability": F.round("_said.alive", _DECIMALS),
        "expected_orders": orders,
        "expected_order_minor": spend.cast("bigint"),
        "expected_value_minor": F.round(orders * spend).cast("bigint"),
    }
    return said.withColumns(values).drop("_said")


def _answer(fitted: FittedLifetime, ahead: float, facts: Sequence[Column]) -> Column:
    """What the models say to frequency, recency, age and money: a struct of alive, orders and spend."""
    purchases, spend = fitted.purchases.vector, fitted.spend.vector

    def answers(*arrays: pa.Array) -> pa.Array:
        frequency, recency, age, money = (_numbers(array) for array in arrays)
        nothing = np.full(len(frequency), np.nan)
        alive = orders = value = nothing
        # What is not known is NaN, and stays so through the formulas.
        with np.errstate(all="ignore"):
            if purchases.size:
                alive = bg_nbd.alive_probability(purchases, frequency, recency, age)
                alive = np.where(np.isnan(frequency), np.nan, alive)
                orders = bg_nbd.expected_purchases(purchases, frequency, recency, age, ahead)
            if spend.size:
                days = frequency + 1
                value = np.where(money > 0, gamma_gamma.expected_spend(spend, days, money / days), np.nan)
        return pa.StructArray.from_arrays([_nullable(v) for v in (alive, orders, value)], ["alive", "orders", "spend"])

    udf = arrow_udf(answers, returnType=_ANSWER)  # type: ignore[call-overload]
    result: Column = udf(*facts)
    return result


def _numbers(array: pa.Array) -> Vector:
    return np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _nullable(values: Vector) -> pa.Array:
    return pa.array(values, pa.float64(), mask=~np.isfinite(values))
