"""Finding people: by raw identifiers, for who holds the key, and the evidence that binds a person's identifiers."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from personalake.config import Settings
from personalake.errors import ConfigError, Fault, near_miss
from personalake.ingest.source import Source, load_sources
from personalake.privacy.hashing import IdentifierType, identifier_of
from personalake.privacy.keys import Key, load_key
from personalake.runner import Options, default_key_path
from personalake.runtime import session
from personalake.store.read import read
from personalake.store.versions import version_of
from personalake.tables.identity import IDENTITY_MAP
from personalake.views.console import run_sql

_LOOKUP_CHUNK = 20_000
_IDENTIFIER_KINDS = {"device_id": "device", "login_id": "login", "source_session_id": "session"}


def explain(options: Options, person_id: str) -> None:
    """Print the links that bind a person's identifiers, and what was cut, as CSV."""
    settings = options.settings()
    query = """
        SELECT DISTINCT l.left_kind, l.left_identifier, l.right_kind, l.right_identifier, l.evidence_kind,
               l.strength_score, l.event_count, l.first_at, l.last_at, l.state
        FROM identity_links l JOIN identity_map m
          ON (m.identifier_kind, m.identifier) IN ((l.left_kind, l.left_identifier), (l.right_kind, l.right_identifier))
        WHERE m.person_id = '{id}' ORDER BY l.state, l.left_kind, l.left_identifier, l.right_identifier
    """
    if not re.fullmatch(r"[A-Za-z0-9_]{1,64}", person_id):
        raise ConfigError(Fault("PERSON_ID", "is no person id.", "Letters, digits and _ only."))
    with session(settings) as spark:
        for line in run_sql(spark, settings.warehouse.root, query.format(id=person_id), "csv"):
            print(line)


def lookup(options: Options, source_name: str, field: str, raw: Iterable[str], out: TextIO) -> None:
    """Raw identifiers to de-identified ones and their persons, for who holds the key; raw values go nowhere else.

    Raises:
        ConfigError: no such source or field, or no key.
    """
    settings = options.settings()
    kind = _identifier_type(settings, source_name, field)
    key = _existing_key(settings)
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("raw", "identifier", "person_id"))
    with session(settings) as spark:
        lines = (line.rstrip("\r\n") for line in raw)
        while chunk := list(itertools.islice(lines, _LOOKUP_CHUNK)):
            identifiers = [identifier_of(key, kind, text) for text in chunk]
            persons = _persons_of(spark, settings.warehouse.root, kind.kind, {i for i in identifiers if i})
            for text, identifier in zip(chunk, identifiers, strict=True):
                writer.writerow((text, identifier or "", persons.get(identifier or "", "")))


def _identifier_type(settings: Settings, source_name: str, field: str) -> IdentifierType:
    sources: dict[str, Source] = {s.name: s for s in load_sources(Path(settings.sources.folder))}
    source = sources.get(source_name)
    if source is None:
        raise ConfigError(Fault("--source", f"{source_name} is no source.", near_miss(source_name, sources)))
    kinds = {name: kind for name, kind in _IDENTIFIER_KINDS.items() if name in source.fields}
    kinds |= {f"identifiers.{kind}": kind for kind in source.identifiers}
    if field not in kinds:
        todo = near_miss(field, kinds)
        raise ConfigError(Fault("--field", f"{field} is no identifier of source {source_name}.", todo))
    return IdentifierType(kinds[field], source.namespace(kinds[field]))


def _existing_key(settings: Settings) -> Key:
    named = settings.privacy.key_file
    key = load_key(named) or (None if named else load_key(str(default_key_path(settings.warehouse.root))))
    if key is None:
        raise ConfigError(Fault("privacy.key_file", "there is no key.", "Only who holds the key can look up."))
    return key


def _persons_of(spark: SparkSession, root: str, kind: str, identifiers: set[str]) -> dict[str, str]:
    if version_of(root, IDENTITY_MAP.name) is None or not identifiers:
        return {}
    wanted = spark.createDataFrame([(i,) for i in sorted(identifiers)], "identifier string")
    known = read(spark, root, IDENTITY_MAP).where(F.col("identifier_kind") == kind)
    rows = known.join(wanted, on="identifier", how="left_semi").select("identifier", "person_id").collect()
    return {row["identifier"]: row["person_id"] for row in rows}
