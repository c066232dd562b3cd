"""Finding people: by raw identifiers, the evidence that binds a person's identifiers, and who would want an item."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Collection, Iterable
from typing import TextIO

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.config import Settings
from personalake.errors import ConfigError, DataError, Fault, near_miss
from personalake.ingest.source import Source
from personalake.keyring import existing_keys
from personalake.privacy.hashing import IdentifierType, identifier_of
from personalake.published import Published
from personalake.recommend.audience import MET, OPTED_OUT, audiences_of_item, persons_for_item
from personalake.recommend.request import Request
from personalake.runner import Options, say
from personalake.runtime import session
from personalake.stages.asking import person_columns, persons_with, request_of
from personalake.stages.known import sources_of
from personalake.store.read import read
from personalake.store.versions import version_of
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import CONSENTS, ITEMS
from personalake.tables.profiles import INTERACTIONS, PERSON_ITEM_DAYS, PROFILES
from personalake.tables.recommend import ITEM_NEIGHBOURS
from personalake.tables.segments import SEGMENT_PROFILES, SEGMENTS
from personalake.views.evidence import evidence_csv, evidence_text, person_evidence
from personalake.views.layout import csv_lines, table_lines

_LOOKUP_CHUNK = 20_000
_AUDIENCE_READS = (
    *(INTERACTIONS, ITEM_NEIGHBOURS, ITEMS, PERSON_ITEM_DAYS, PROFILES),
    *(SEGMENTS, SEGMENT_PROFILES, CONSENTS, IDENTITY_MAP),
)
AUDIENCE_COLUMNS = ("audience_rank", "person_id", "score", "source")
_IDENTIFIER_KINDS = {"device_id": "device", "login_id": "login", "source_session_id": "session"}


def explain(options: Options, person_id: str, shape: str) -> None:
    """Print the evidence that binds a person's identifiers, and what was cut.

    Raises:
        ConfigError: nobody is called so.
    """
    settings = options.settings()
    with session(settings) as spark:
        found = person_evidence(spark, settings.warehouse.root, person_id)
    for line in (evidence_csv if shape == "csv" else evidence_text)(found):
        print(line)


def lookup(options: Options, source_name: str, field: str, raw: Iterable[str], out: TextIO) -> None:
    """Raw identifiers to de-identified ones and their persons, for who holds the key; raw values go nowhere else.

    Raises:
        ConfigError: no such source or field, or no key.
    """
    settings = options.settings()
    kind = _identifier_type(settings, source_name, field)
    keys = existing_keys(settings)
    held = [key for key in (keys.current, keys.previous) if key is not None]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("raw", "identifier", "person_id"))
    with session(settings) as spark:
        lines = (line.rstrip("\r\n") for line in raw)
        while chunk := list(itertools.islice(lines, _LOOKUP_CHUNK)):
            # While the key is being changed, who did not come since is known by the key before alone.
            named = [[identifier_of(key, kind, text) or "" for key in held] for text in chunk]
            persons = _persons_of(spark, settings.warehouse.root, kind.kind, {i for ids in named for i in ids if i})
            for text, identifiers in zip(chunk, named, strict=True):
                identifier = next((i for i in identifiers if i in persons), identifiers[0])
                writer.writerow((text, identifier, persons.get(identifier, "")))


def audience(options: Options, item_id: str, limit: int, shape: str) -> None:
    """Print who would want an item most, of those whom the rules on lists let it be suggested to.

    Who answered, and how many were left out for what, goes to the terminal beside it.

    Raises:
        ConfigError: no such item, limit is below 1, or the rules cannot be used.
        DataError: nothing has been published.
    """
    settings = options.settings()
    root = settings.warehouse.root
    if limit < 1:
        raise ConfigError(Fault("--limit", f"is {limit}.", "Give 1 or more."))
    columns = person_columns(settings)
    if missing := [table.name for table in _AUDIENCE_READS if version_of(root, table.name) is None]:
        raise DataError(Fault(f"table {missing[0]}", "is not there.", "Run `personalake run` first."))
    with session(settings) as spark:
        lake = Published(spark, settings, options.as_of)
        interactions, items = lake.all(INTERACTIONS), lake.all(ITEMS)
        is_it = F.col("item_id") == F.lit(item_id)
        if items.where(is_it).isEmpty() and interactions.where(is_it).isEmpty():
            text = f"{item_id} is no item that is known."
            raise ConfigError(Fault("--item", text, 'See `personalake sql "SELECT item_id, title FROM items"`.'))
        request = _request(lake, columns)
        asked = persons_for_item(item_id, interactions, settings.recommend, request)
        _say_left_out(asked)
        persons = asked.where(F.col("left_out_by").isNull()).select("person_id")
        neighbours = lake.all(ITEM_NEIGHBOURS)
        answers = audiences_of_item(item_id, limit, interactions, neighbours, settings.recommend, request, persons)
        rows = next(filter(None, map(_in_order, answers)), [])
    say(f"Answered by {rows[0][-1]}." if rows else "No algorithm finds anybody for it.")
    for line in (csv_lines if shape == "csv" else table_lines)(AUDIENCE_COLUMNS, rows):
        print(line)


def _request(lake: Published, columns: Collection[str]) -> Request:
    """Everyone with a profile of the day, and what the stage recommend would let them be suggested."""
    items = lake.all(ITEMS)
    ours = F.col("method") == F.lit(lake.settings.segments.method)
    segments, names = (lake.of_day(table).where(ours) for table in (SEGMENTS, SEGMENT_PROFILES))
    persons = persons_with(lake.of_day(PROFILES), segments, names, columns)
    return request_of(lake.all, lake.settings, lake.day, persons, None if items.isEmpty() else items)


def _in_order(answer: DataFrame) -> list[tuple[object, ...]]:
    return [tuple(row) for row in answer.orderBy("audience_rank").collect()]


def _say_left_out(asked: DataFrame) -> None:
    """How many persons were left out, by reason: one row a rule."""
    counts = asked.groupBy("left_out_by").agg(F.count(F.lit(1)).alias("person_count"))
    found = {row["left_out_by"]: row["person_count"] for row in counts.collect()}
    everybody = sum(found.values())
    words = {OPTED_OUT: "said no to personalisation", MET: "met it before"}
    told = [f"{count:,} {words.get(why, f'by {why}')}" for why, count in sorted(found.items(), key=str) if why]
    say(f"Left out of {everybody:,} persons: {', '.join(told) or 'nobody'}.")


def _identifier_type(settings: Settings, source_name: str, field: str) -> IdentifierType:
    sources: dict[str, Source] = {s.name: s for s in sources_of(settings)}
    source = sources.get(source_name)
    if source is None:
        raise ConfigError(Fault("--source", f"{source_name} is no source.", near_miss(source_name, sources)))
    kinds = {name: kind for name, kind in _IDENTIFIER_KINDS.items() if name in source.fields}
    kinds |= {f"identifiers.{kind}": kind for kind in source.identifiers}
    if field not in kinds:
        todo = near_miss(field, kinds)
        raise ConfigError(Fault("--field", f"{field} is no identifier of source {source_name}.", todo))
    return IdentifierType(kinds[field], source.namespace(kinds[field]))


def _persons_of(spark: SparkSession, root: str, kind: str, identifiers: set[str]) -> dict[str, str]:
    if version_of(root, IDENTITY_MAP.name) is None or not identifiers:
        return {}
    wanted = spark.createDataFrame([(i,) for i in sorted(identifiers)], "identifier string")
    known = read(spark, root, IDENTITY_MAP).where(F.col("identifier_kind") == kind)
    rows = known.join(wanted, on="identifier", how="left_semi").select("identifier", "person_id").collect()
    return {row["identifier"]: row["person_id"] for row in rows}
