"""What lists as of a day are made from: for whom, what is known of them, of which items, and under which rules."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.conditions import hash_of_rules
from personalake.config import Settings
from personalake.job import Job
from personalake.privacy.consent import persons_without_consent
from personalake.recommend.popular import AudienceList
from personalake.recommend.request import Request
from personalake.recommend.rules import load_rules
from personalake.recommend.settings import Recommend
from personalake.stages.known import catalogue_as_of, day_start
from personalake.stages.portraits import earlier_profiles
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import CONSENTS, CUSTOMER_VERSIONS, ITEM_VERSIONS
from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS, SESSIONS
from personalake.tables.segments import SEGMENT_PROFILES, SEGMENTS
from personalake.tables.spec import Table

PERSONALISATION = "personalisation"
SEGMENT = frozenset({"segment_id", "segment_name"})
READS = (
    *(SESSIONS, PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS, SEGMENTS, SEGMENT_PROFILES),
    *(ITEM_VERSIONS, CUSTOMER_VERSIONS, CONSENTS, IDENTITY_MAP),
)
"""What a stage reads that asks for lists as of an earlier day."""
SECTIONS = ("recommend", "privacy", "profiles", "lifetime", "segments")
"""The sections of settings that it depends on."""


def request_as_of(job: Job, day: date, persons: DataFrame, interactions: DataFrame) -> Request:
    """A request for lists as they are made on a day, with what was known at its start.

    Args:
        job: of a stage that reads `READS`.
        day: the day.
        persons: each once: person_id, and the columns of `person_columns`.
        interactions: what the algorithms are fitted on.
    """
    request = request_of(job.read, job.settings, day, persons, catalogue_as_of(job, day))
    return replace(request, interactions=interactions)


def request_of(
    read: Callable[[Table], DataFrame], settings: Settings, day: date, persons: DataFrame, items: DataFrame | None
) -> Request:
    """A request under the rules and consents of a day.

    Args:
        read: the rows of a table.
        settings: of the warehouse.
        day: the day.
        persons: each once: person_id, and the columns of `person_columns`.
        items: the catalogue; None: whatever people touched can be suggested.
    """
    moment = day_start(day, settings.time_zone)
    required = PERSONALISATION in settings.privacy.required_purposes
    said = (read(CONSENTS), read(IDENTITY_MAP))
    return Request(
        persons=persons,
        items=items,
        bought=_bought_before(read(PERSON_ITEM_DAYS), day),
        opted_out=persons_without_consent(persons.select("person_id"), *said, PERSONALISATION, moment, required),
        rules=load_rules(settings.rules.file),
        as_of=day,
    )


def _bought_before(person_item_days: DataFrame, day: date) -> DataFrame:
    """What was bought before a day: person_id, item_id, last_bought_date."""
    bought = person_item_days.where((F.col("event_type") == "buy") & (F.col("event_date") < F.lit(day)))
    return bought.groupBy("person_id", "item_id").agg(F.max("event_date").alias("last_bought_date"))


def audience_columns(settings: Recommend, names: Iterable[str]) -> frozenset[str]:
    """The columns of persons that some algorithms, by their names, make popular lists within."""
    algorithms = [settings.algorithms[name] for name in names]
    return frozenset(a.within for a in algorithms if isinstance(a, AudienceList) and a.within is not None)


def person_columns(settings: Settings) -> frozenset[str]:
    """What rules and popular lists go by."""
    rules = load_rules(settings.rules.file)
    return audience_columns(settings.recommend, settings.recommend.algorithms) | {*rules.person_columns}


def persons_with(
    profiles: DataFrame, segments: DataFrame, segment_profiles: DataFrame, columns: Collection[str]
) -> DataFrame:
    """Everyone with a profile, and some of what is known of them.

    Args:
        profiles: as of one day: person_id and the features among the columns.
        segments: of one method and day: person_id, segment_id.
        segment_profiles: of the same: segment_id, segment_name, segment_name_zh.
        columns: features, segment_id, segment_name; where one of the latter is named, all of a segment comes along.
    """
    persons = profiles.select("person_id", *sorted({*columns} - SEGMENT))
    if SEGMENT.isdisjoint(columns):
        return persons
    names = segment_profiles.select("segment_id", "segment_name", "segment_name_zh")
    theirs = segments.select("person_id", "segment_id").join(names, on="segment_id", how="left")
    return persons.join(theirs, on="person_id", how="left")


def persons_before(job: Job, day: date, columns: Collection[str]) -> DataFrame:
    """Everyone who was known at the start of an earlier day, and what was known of them then; put down.

    Features come from a portrait made of the roll-ups before the day. A segment is the one that was published last up
    to the day: where none was, it is not known.

    Args:
        job: of a stage that reads `READS`.
        day: the day.
        columns: as `persons_with`.

    Cost:
        The parts of a portrait that the features need, else one pass over the persons' days.
    """
    if SEGMENT.issuperset(columns):
        profiles = job.read(PERSON_DAYS).where(F.col("event_date") < F.lit(day)).select("person_id").distinct()
    else:
        profiles = earlier_profiles(job, day, {*columns} - SEGMENT)
    ours = (F.col("method") == F.lit(job.settings.segments.method)) & (F.col("as_of_date") <= F.lit(day))
    published = job.read(SEGMENTS).where(ours)
    last = None if SEGMENT.isdisjoint(columns) else published.agg(F.max("as_of_date")).head(1)[0][0]
    then = F.col("as_of_date") == F.lit(last)
    names = job.read(SEGMENT_PROFILES).where(ours & then)
    return job.put_down(persons_with(profiles, published.where(then), names, columns), f"persons-{day}")


def rules_fingerprint(settings: Settings) -> dict[str, str]:
    """Hash of the rules' file."""
    return {"list_rules": hash_of_rules(settings.rules.file, "rules.file")}
