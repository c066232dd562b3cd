"""What a source says of how its records are cleaned: what is taken, refused, parsed, filled and marked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pyspark.sql.types import DataType

from personalake.errors import near_miss
from personalake.settings import Section
from personalake.tables.spec import BIGINT, DOUBLE, INT, STRING

_NUMBERS = (BIGINT, INT, DOUBLE)
# The verb has event_types; identifiers are normalised and hashed on their way in.
_NOT_CLEANED = {"event_type", "device_id", "login_id", "source_session_id", "identifier_kind", "identifier"}
TextStep = Literal["trim", "squeeze", "lower", "upper"]


class Time(Section):
    """How the record tells when it happened."""

    column: str = Field(description="Expression over the raw columns")
    format: str = Field(
        description="unix_seconds, unix_millis, iso8601, timestamp, or a Spark date-time pattern (local time)"
    )
    zone: str = Field("UTC", description="Time zone of a local time")
    earliest: date | None = Field(None, description="A record before this day has a bad time; none: as conf says")
    ahead_seconds: int | None = Field(
        None, ge=0, description="A record more than this after its file was last modified has a bad time [s]; none: any"
    )


class Range(Section):
    """Allowed values of a number."""

    min: float | None = None
    max: float | None = None


class Number(Section):
    """How a number is written as text."""

    decimal: Literal[".", ","] = Field(".", description="What divides whole from part; the other one groups digits")
    factor: float = Field(1.0, gt=0, description="What one unit of the text is in units of the column: 100 for cents")


class Fill(Section):
    """Where a missing value is taken from."""

    ways: tuple[Literal["session", "device"], ...] = Field(
        (), alias="from", description="The same visit, the same device: the last value before, else the first after"
    )
    default: str | None = Field(None, description="A constant, where nothing else is known")


class TestAccounts(Section):
    """Accounts of testers."""

    __test__ = False
    field: str = Field("login_id", description="Which of fields or identifiers names the account")
    values: tuple[str, ...] = Field((), description="Raw values")
    pattern: str = Field("", description="Regular expression found in the raw value")
    then: Literal["refuse", "mark"] = Field("refuse", description="Refused, or kept with properties.is_test")

    @field_validator("pattern")
    @classmethod
    def _is_pattern(cls, value: str) -> str:
        return checked_pattern(value)

    @model_validator(mode="after")
    def _names_some(self) -> TestAccounts:
        if not self.values and not self.pattern:
            raise ValueError("names none. Give values or a pattern")
        return self


class Cleaning(Section):
    """What is done to the records of a source on their way."""

    only: str = Field("", description="Condition over the raw columns; other records are not this source's")
    refuse: dict[str, str] = Field(default_factory=dict, description="Reason in words to condition over raw columns")
    texts: dict[str, tuple[TextStep, ...]] = Field(
        default_factory=dict, description="Target text to what is done to it: trim, squeeze, lower, upper"
    )
    numbers: dict[str, Number] = Field(default_factory=dict, description="Target number to how its text is written")
    currencies: dict[str, str] = Field(
        default_factory=dict, description="Currency as the source writes it, or its sign, to its ISO 4217 code"
    )
    allowed: dict[str, tuple[str, ...]] = Field(default_factory=dict, description="Target column to allowed values")
    fill: dict[str, Fill] = Field(default_factory=dict, description="Target column to where a missing value is from")
    unreadable_as_null: tuple[str, ...] = Field(
        (), description="Target columns that are null where what was sent cannot be read; else the record is refused"
    )
    test_accounts: TestAccounts | None = None
    bot_events_per_minute: int = Field(
        0, ge=0, description="A device with more events in a minute is a machine that day; 0: none is"
    )

    def cleaning_faults(self, targets: Mapping[str, DataType], mapped: Collection[str]) -> list[str]:
        """What names no column, or one of another kind.

        Args:
            targets: columns that a source of this entity may fill, with their types.
            mapped: those that it does fill, and its further identifiers.
        """
        texts = {name for name, kind in targets.items() if kind == STRING and name not in _NOT_CLEANED}
        numbers = {name for name, kind in targets.items() if kind in _NUMBERS}
        faults = [f"refuse.{words}: is no sentence of plain words." for words in self.refuse if not _WORDS.match(words)]
        kinds = {"texts": texts, "numbers": numbers, "allowed": texts, "fill": texts}
        for group, fitting in kinds.items():
            kind = "number" if fitting is numbers else "text"
            faults += [
                f"{group}.{name}: is no {kind} of the entity. {near_miss(name, fitting)}"
                for name in getattr(self, group)
                if name not in fitting
            ]
        if "event_type" not in targets:
            faults += [f"fill.{name}.from: is for events alone." for name, fill in self.fill.items() if fill.ways]
        account = self.test_accounts.field if self.test_accounts else "login_id"
        if self.test_accounts and account not in mapped:
            faults.append(f"test_accounts.field: {account} is not mapped. {near_miss(account, mapped)}")
        faults += [
            f"currencies.{raw}: {code} is no ISO 4217 code."
            for raw, code in self.currencies.items()
            if not re.fullmatch(r"[A-Z]{3}", code)
        ]
        return faults

    def cleaning_expressions(self) -> Iterator[tuple[str, str]]:
        """Conditions over the raw columns, by where they stand in the YAML."""
        if self.only:
            yield "only", self.only
        for words, condition in self.refuse.items():
            yield f"refuse.{words}", condition


_WORDS = re.compile(r"^[\w ,;:()<>=+%'’/-]{1,120}$")


def checked_pattern(value: str) -> str:
    """A regular expression that can be compiled.

    Raises:
        ValueError: it cannot.
    """
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return value


INNER: dict[str, type[Section]] = {
    "time": Time,
    "ranges": Range,
    "numbers": Number,
    "fill": Fill,
    "test_accounts": TestAccounts,
}
"""Groups of a source whose entries are sections of their own."""
