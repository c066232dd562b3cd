"""Adding a source: trying it on its first records, and guessing it from a sample file."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession

from personalake.config import Settings
from personalake.errors import ConfigError, DataError, Fault
from personalake.ingest.check import check_sources
from personalake.ingest.connect.broken import in_plain_words
from personalake.ingest.derive import Door
from personalake.ingest.files import RawFile, list_files, missing_files
from personalake.ingest.guess import guess_source
from personalake.ingest.inspect import inspect_files
from personalake.ingest.mapping import CIPHER, REASON, map_records
from personalake.ingest.rates import rates_of
from personalake.ingest.readers import read_raw
from personalake.ingest.source import Source, load_source
from personalake.keyring import key_file_of
from personalake.manifest import now_utc
from personalake.privacy.hashing import decrypt_text
from personalake.privacy.keys import Key, load_key
from personalake.runner import Options, say
from personalake.runtime import needed_extras, session
from personalake.stages.connected import of_first_records

_LONGEST = 600
# What every row has, whatever the record says.
_UNTOLD = {"record_version", "key_id", "source", "received_at", "run_id"}


def check(options: Options, file: str, limit: int, shape: str) -> None:
    """Print the first records of a source: each as it stands in its file, mapped, and refused with the reason.

    Args:
        options: the common options.
        file: the source's YAML.
        limit: records, at most.
        shape: text, or json (one object a line).

    Raises:
        ConfigError: with every fault of the file.
        DataError: it has no file, its first one cannot be used, or it cannot be asked.
    """
    settings, path = options.settings(), Path(file)
    source = _source_at(path, settings)
    with session(settings, needed_extras(settings, [source])) as spark:
        check_sources(spark, path.parent, [source])
        door = _door(spark, settings)
        first = None if source.connect else _first_file(spark, settings, source)

        def tried(raw: DataFrame) -> list[Row]:
            with in_plain_words(source):
                return map_records(raw.limit(limit), source, door).drop("_path", "_modified_at", "_has").collect()

        raw = read_raw(spark, source, [first]) if first else None
        rows = tried(raw) if raw is not None else of_first_records(spark, source, door, now_utc(), tried)
        records = [_told(dict(row.asDict()), door.key) for row in rows]
    for line in _lines(records) if shape == "text" else map(_as_json, records):
        print(line)
    refused = sum(record["refused"] is not None for record in records)
    where = first.read_key if first else source.name
    say(f"{where}: {len(records) - refused} of its first {len(records)} records are taken, {refused} refused.")
    if first and first.undeclared:
        say(f"Fields that nobody declared: {', '.join(name for name, _ in first.undeclared)}.")


def guess(options: Options, path: str) -> None:
    """Print a first YAML for a sample file.

    Raises:
        ConfigError: it is no file.
        DataError: it cannot be read.
    """
    settings = options.settings()
    if not Path(path).is_file():
        raise ConfigError(Fault(path, "is no file.", "Name a sample file."))
    for line in guess_source(Path(path), Path(settings.raw.root)):
        print(line)


def _source_at(path: Path, settings: Settings) -> Source:
    if not path.is_file():
        raise ConfigError(Fault(str(path), "is no file.", "Name the YAML of a source."))
    faults: list[Fault] = []
    source = load_source(path, faults, settings.ingest.event_types)
    if source is None:
        raise ConfigError(*faults)
    return source


def _first_file(spark: SparkSession, settings: Settings, source: Source) -> RawFile:
    root = settings.raw.root
    files = list_files(root, [source])
    faults: list[Fault] = [] if files else missing_files(root, [source.model_copy(update={"optional": False})], files)
    inspected, broken = inspect_files(spark, root, files[:1], [source])
    if faults or broken:
        raise DataError(*faults, *broken)
    return inspected[0]


def _door(spark: SparkSession, settings: Settings) -> Door:
    key = load_key(key_file_of(settings))
    if key is None:
        say("There is no key yet, so these identifiers are made by one that is forgotten.")
    rates = rates_of(spark, settings.ingest.rates_file)
    return Door(settings.ingest, key or Key(secrets.token_bytes(32)), settings.time_zone, rates, keeps_all=True)


def _told(row: dict[str, Any], key: Key) -> dict[str, Any]:
    reason, cipher = row.pop(REASON), row.pop(CIPHER)
    mapped = {n: v for n, v in row.items() if v is not None and n not in _UNTOLD and not n.startswith("_")}
    refused = f"{reason['code']} {reason['reason']}" if reason else None
    return {"raw": decrypt_text(key, cipher) if cipher else "", "mapped": mapped, "refused": refused}


def _lines(records: list[dict[str, Any]]) -> Iterator[str]:
    for number, record in enumerate(records, 1):
        raw = record["raw"] if len(record["raw"]) <= _LONGEST else record["raw"][:_LONGEST] + " …"
        yield f"record {number}"
        yield f"  raw      {raw}"
        mapped = ", ".join(f"{name}={value}" for name, value in record["mapped"].items())
        yield f"  mapped   {mapped}"
        yield f"  refused  {record['refused']}" if record["refused"] else "  taken"


def _as_json(record: dict[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, default=str)
