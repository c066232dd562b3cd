"""What predictions are learned from and asked of: portraits of earlier days, each with what came after it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import cached_property

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.identity.whose import person_events
from personalake.job import Job
from personalake.predict.encoding import Encoding, fit_encoding
from personalake.predict.labels import Facts, with_label
from personalake.predict.settings import Ahead
from personalake.stages.known import items_as_of
from personalake.stages.portraits import earlier_profiles
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import EVENTS
from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS, PROFILES


class Examples:
    """Portraits and their encodings, each made once a run."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._portraits: dict[date, DataFrame] = {}
        self._encodings: dict[date, Encoding] = {}

    @cached_property
    def first_day(self) -> date | None:
        """The first day of the history; None where there is none."""
        found: date | None = self._job.read(PERSON_DAYS).agg(F.min("event_date")).head(1)[0][0]
        return found

    def is_known(self, day: date) -> bool:
        """Whether anything is known before a day."""
        return self.first_day is not None and day > self.first_day

    def portraits(self, day: date) -> DataFrame:
        """Profiles as of a day: today's as published, earlier ones from the roll-ups; put down."""
        if day not in self._portraits:
            self._portraits[day] = self._made(day)
        return self._portraits[day]

    def encoding(self, day: date, without: Iterable[str] = ()) -> Encoding:
        """How the profiles as of a day become numbers."""
        settings = self._job.settings.predict
        if day not in self._encodings:
            self._encodings[day] = fit_encoding(
                self.portraits(day), settings.exclude_features, settings.categories, settings.least_leaf_persons
            )
        return self._encodings[day].without(set(without))

    def labelled(self, target: Ahead, day: date) -> DataFrame:
        """Persons as of a day, and whether they did it in the days from then on."""
        items = items_as_of(self._job, day + timedelta(days=target.days))
        job = self._job
        facts = Facts(job.read(PERSON_DAYS), job.read(PERSON_ITEM_DAYS), items, self._responses)
        return with_label(self.portraits(day), target, facts, day)

    @property
    def _responses(self) -> DataFrame:
        led = (F.col("campaign_id").isNotNull() | F.col("message_id").isNotNull()) & ~F.col("is_bot")
        return person_events(self._job.read(EVENTS).where(led), self._job.read(IDENTITY_MAP))

    def _made(self, day: date) -> DataFrame:
        job = self._job
        if day == job.as_of:
            today = job.read(PROFILES).where(F.col("as_of_date") == F.lit(day))
            return job.put_down(today, f"portraits-{day}")
        return job.put_down(earlier_profiles(job, day), f"portraits-{day}")
