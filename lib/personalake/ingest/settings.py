"""Settings of the ingest stage."""

from __future__ import annotations

import re
from datetime import date

from pydantic import Field, field_validator

from personalake.ingest.cleaning import checked_pattern
from personalake.settings import Section


class Ingest(Section):
    """How raw records become events."""

    base_currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="Currency of amount_base_minor (ISO 4217)")
    rates: dict[str, float] = Field(
        default_factory=dict, description="What one unit of a currency is worth in the base currency"
    )
    rates_file: str = Field(
        "", description="CSV of currency,effective_date,rate: what a unit was worth from that day on; in place of rates"
    )
    event_types: tuple[str, ...] = Field((), description="Verbs of your own beyond the canonical ones")
    null_identifiers: tuple[str, ...] = Field(
        (
            *(
                "null",
                "(null)",
                "none",
                "nil",
                "nan",
                "undefined",
                "n/a",
                "unknown",
                "anonymous",
                "guest",
                "false",
                "-",
            ),
            "00000000-0000-0000-0000-000000000000",
            "00000000000000000000000000000000",
        ),
        description="Identifiers, in lower case, that name nobody",
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

    watch_days: int = Field(28, ge=7, description="How many days before a day tell what it should be like [d]")
    watch_min_events: int = Field(20, ge=1, description="A day of which fewer events are expected gives no alarm")
    watch_chance: float = Field(
        0.001, gt=0, lt=1, description="A day that chance alone would bring as often gives no alarm (probability)"
    )
    quiet_share: float = Field(0.25, ge=0, lt=1, description="A day with this share of the usual events is an alarm")
    doubled_ratio: float = Field(2.0, gt=1, description="A day with this many times the usual events is an alarm")
    late_hours: float = Field(24.0, gt=0, description="An event that is received later than this is late [h]")
    late_share: float = Field(
        0.2, gt=0, le=1, description="A day with this share of late events, and twice the usual one, is an alarm"
    )

    @field_validator("bot_pattern")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        return checked_pattern(value)

    @field_validator("event_types")
    @classmethod
    def _are_verbs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [verb for verb in value if not re.fullmatch(r"[a-z][a-z_]{0,39}", verb)]
        if wrong:
            raise ValueError(f"{wrong[0]} is no verb. Lower-case letters and _ only")
        return value
