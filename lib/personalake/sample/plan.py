"""What is to be made: the arguments, the rates of dirt, and which file a record of a day belongs to."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from pydantic import Field, field_validator

from personalake.settings import Section

PLATFORMS = ("web", "ios", "android", "tablet", "tv", "mini_program")
REGISTERS = ("catalogue", "customers", "consents")
EXTENSIONS = {
    "web": "csv.gz",
    "ios": "jsonl.gz",
    "android": "jsonl.gz",
    "tablet": "tsv.gz",
    "tv": "jsonl.gz",
    "mini_program": "parquet",
    "catalogue": "jsonl.gz",
    "customers": "csv.gz",
    "consents": "csv.gz",
}
PERSONS_PER_BLOCK = 250
BUSINESS_OFFSET_SECONDS = 8 * 3600  # the shop's day is Asia/Shanghai's: UTC+8 all year
DAY_SECONDS = 86400


class Dirt(Section):
    """Shares of records that are spoiled, late or sent twice [0–1]."""

    bad_time: float = Field(default=0.003, description="Time missing or unreadable")
    unknown_action: float = Field(default=0.004, description="An action no one knows")
    missing_item: float = Field(default=0.004, description="No item where the action needs one")
    bad_price: float = Field(default=0.010, description="Negative or absurd amount, of the records that have one")
    redelivered: float = Field(default=0.010, description="Sent twice, in the same or a later file")
    late: float = Field(default=0.008, description="In the file of a later period")
    cut_file: float = Field(default=0.400, description="Text files whose last line is cut, of all event files")


class Plan(Section):
    """Arguments of a sample. Everything made is a function of these."""

    persons: int = Field(ge=1, description="How many people there are")
    items: int = Field(ge=32, description="How many items the catalogue ever has")
    days: int = Field(ge=1, le=7300, description="How many business days the logs span")
    start: date = Field(description="First business day")
    seed: int = Field(description="Another seed gives another shop")
    dirt: Dirt = Field(default=Dirt(), description="Rates of dirt")

    @field_validator("start")
    @classmethod
    def _sane(cls, value: date) -> date:
        if not date(1980, 1, 1) <= value <= date(2080, 1, 1):
            raise ValueError("start must be between 1980 and 2080")
        return value

    @property
    def blocks(self) -> int:
        """Number of blocks of persons; a block is made as a whole, in one task."""
        return -(-self.persons // PERSONS_PER_BLOCK)

    @property
    def start_utc(self) -> int:
        """Unix seconds of the first business day's midnight."""
        return (self.start - date(1970, 1, 1)).days * DAY_SECONDS - BUSINESS_OFFSET_SECONDS

    @property
    def grain(self) -> str:
        """One file per day, month or year, so that the number of files stays below about 400."""
        return "day" if self.days <= 45 else "month" if self.days <= 1000 else "year"

    @cached_property
    def day_periods(self) -> np.ndarray:
        """For every day its period's number, from 0."""
        labels = [self._label(day) for day in range(self.days)]
        numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
        return np.array([numbers[label] for label in labels], dtype=np.int64)

    @cached_property
    def periods(self) -> tuple[str, ...]:
        """Labels of the periods, as in file names."""
        return tuple(dict.fromkeys(self._label(day) for day in range(self.days)))

    def register_period(self, days: np.ndarray) -> np.ndarray:
        """Period of a register's change: registers come weekly where events come daily, so files stay few.

        Args:
            days: day numbers; what lies before the first day belongs to the first file.
        """
        first = np.clip(days, 0, self.days - 1)
        periods: np.ndarray = self.day_periods[first // 7 * 7 if self.grain == "day" else first]
        return periods

    def _label(self, day: int) -> str:
        text = (self.start + timedelta(days=day)).isoformat()
        return {"day": text, "month": text[:7], "year": text[:4]}[self.grain]

    def stream(self, purpose: str, number: int = 0) -> np.random.Generator:
        """Random numbers for one purpose and entity, independent of every other stream.

        Args:
            purpose: what is drawn.
            number: block or entity.
        """
        key = hashlib.blake2b(f"{self.seed}|{purpose}|{number}".encode(), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))

    def digest(self, purpose: str, *parts: object, length: int = 20) -> str:
        """A hexadecimal id derived from the seed.

        Args:
            purpose: what kind of id.
            parts: the entity.
            length: number of digits.
        """
        text = "|".join(map(str, (self.seed, purpose, *parts)))
        return hashlib.blake2b(text.encode(), digest_size=20).hexdigest()[:length]
