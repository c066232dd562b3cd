"""What every record passes at the door, and the columns that follow from others."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.ingest.rates import Money, with_base_amount
from personalake.ingest.settings import Ingest
from personalake.ingest.source import Source
from personalake.privacy.keys import Key


@dataclass(frozen=True)
class Door:
    """What every record passes.

    Args:
        settings: the section ingest.
        key: de-identifies.
        time_zone: of the business day.
        rates: from `daily_rates`, where there are any.
        previous_key: the key before, while it is held.
        keeps_all: whether good records are kept whole and encrypted too, for who tries a source.
    """

    settings: Ingest
    key: Key
    time_zone: str
    rates: DataFrame | None = None
    previous_key: Key | None = None
    keeps_all: bool = False


def with_derived(mapped: DataFrame, source: Source, door: Door) -> DataFrame:
    """Adds what follows from other columns: business day, signs and base amounts of money, price bands, consent ids."""
    if source.entity == "event":
        money = F.col("amount_minor")
        amount = F.when((F.col("event_type") == "refund") & (money > 0), -money).otherwise(money)
        day = F.to_date(F.from_utc_timestamp("event_at", door.time_zone))
        mapped = mapped.withColumns({"event_date": day, "amount_minor": amount})
        paid = Money("amount_minor", F.col("currency"), F.col("event_date"), "amount_base_minor")
        mapped = _with_base(mapped, source, door, paid)
    if source.entity == "item":
        low, high = door.settings.price_band_bounds_minor
        # Most catalogues name no currency: theirs is the base currency.
        currency = F.coalesce("currency", F.lit(door.settings.base_currency))
        day = F.to_date(F.from_utc_timestamp("effective_at", door.time_zone))
        mapped = _with_base(mapped, source, door, Money("price_minor", currency, day, "price_base_minor"))
        price = F.col("price_base_minor")
        band = F.when(price < low, "low").when(price < high, "middle").when(price >= high, "high")
        mapped = mapped.withColumn("price_band", band)
    if source.entity == "consent":
        words = [F.col(c).cast("string") for c in ("identifier_kind", "identifier", "purpose", "state", "effective_at")]
        key = F.concat_ws("\x1f", "_pepper", *[F.coalesce(w, F.lit("\x00")) for w in words])
        mapped = mapped.withColumn("consent_id", F.left(F.sha2(key, 256), F.lit(32)))
    return mapped


def _with_base(rows: DataFrame, source: Source, door: Door, money: Money) -> DataFrame:
    if door.rates is not None and "currency" in source.fields:
        return with_base_amount(rows, door.rates, door.settings.base_currency, money)
    amount = F.col(money.amount)
    value = F.when(money.currency == door.settings.base_currency, amount)
    for currency, rate in sorted(door.settings.rates.items()):
        value = value.when(money.currency == currency, F.round(amount * F.lit(rate)).try_cast("bigint"))
    return rows.withColumn(money.to, value)
