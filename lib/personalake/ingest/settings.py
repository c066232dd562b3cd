"""Settings of the ingest stage."""

from __future__ import annotations

import re
from datetime import date

from pydantic import Field, field_validator

from personalake.settings import Section


class Ingest(Section):
    """How raw records become events."""

    base_currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="Currency of amount_base_minor (ISO 4217)")
    rates: dict[str, float] = Field(
        default_factory=dict, description="What one unit of a currency is worth in the base currency"
    )
    bot_pattern: str = Field(
        r"(?i)bot\b|crawler|spider|headless|python-requests|curl/|wget/|monitoring",
        description="User agents that match are machines (regular expression)",
    )
    earliest_date: date = Field(date(2000, 1, 1), description="An event before this day has a bad time")
    latest_date: date = Field(date(2100, 1, 1), description="An event on or after this day has a bad time")
    price_band_bounds_minor: tuple[int, int] = Field(
        (2000, 10000), description="Prices below the first are low, from the second on high, else middle [cents]"
    )

    @field_validator("bot_pattern")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return value
