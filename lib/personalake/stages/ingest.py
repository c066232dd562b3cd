"""Sources → events, items, customers, consents, rejected_records; the ledger of reads last."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import reduce
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.config import Settings
from personalake.errors import ConfigError, Fault
from personalake.ingest.check import check_sources
from personalake.ingest.entities import (
    counts_by_file,
    identifier_aliases,
    latest_by_key,
    only_one_per_key,
    rejected_records,
)
from personalake.ingest.files import RawFile, list_files
from personalake.ingest.inspect import inspect_files
from personalake.ingest.mapping import Door, map_records
from personalake.ingest.readers import read_raw
from personalake.ingest.source import Source, load_sources
from personalake.job import Job, Stage
from personalake.tables.ingest import (
    CONSENTS,
    CUSTOMER_VERSIONS,
    CUSTOMERS,
    EVENTS,
    IDENTIFIER_ALIASES,
    ITEM_VERSIONS,
    ITEMS,
    REJECTED_RECORDS,
    SOURCE_READS,
)

READ, SAME = "read", "same content"
_NOW = {"item": (ITEM_VERSIONS, ITEMS), "customer": (CUSTOMER_VERSIONS, CUSTOMERS)}


def run(job: Job) -> None:
    """Read what is new, refuse what is broken, merge the rest.

    Every write can be done again: rows are merged by key, and a file counts as read only once its row in
    `source_reads` is there, after everything else.
    """
    sources = load_sources(Path(job.settings.sources.folder))
    check_sources(job.spark, Path(job.settings.sources.folder), sources)
    files, changed = _new_files(job, sources)
    if changed and not job.force:
        job.note(changed_files=len(changed), changed_file_names=", ".join(f.read_key for f in changed[:5]))
    again = changed if job.force else ()
    files = files + again
    files = inspect_files(job.spark, job.settings.raw.root, files, sources)
    files, copies = _without_copies(job, files)
    if job.key is None:
        raise ConfigError(Fault("privacy.key_file", "there is no key.", "Name a file with 32 bytes or more."))
    door = Door(job.settings.ingest, job.key, job.settings.time_zone, job.previous_key)
    job.rows_in = job.rows_rejected = 0
    ledger = [_ledger_row(job, sources, copies, SAME)] if copies else []
    for entity in ("event", "item", "customer", "consent"):
        chosen = [s for s in sources if s.entity == entity and any(f.source == s.name for f in files)]
        if chosen:
            ledger.append(_ingest_entity(job, chosen, files, again, door))
    if ledger:
        job.merge(SOURCE_READS, reduce(DataFrame.unionByName, ledger))


def raw_fingerprint(settings: Settings) -> dict[str, str]:
    """Hash of the list of raw files (name, size, time) and of the sources' mappings."""
    sources = load_sources(Path(settings.sources.folder))
    files = list_files(settings.raw.root, sources)
    lines = [f"{f.source}|{f.read_key}|{f.size}|{f.modified_at.isoformat()}" for f in files]
    lines += [s.mapping_hash for s in sources]
    return {"raw_files": hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]}


def _new_files(job: Job, sources: Sequence[Source]) -> tuple[tuple[RawFile, ...], tuple[RawFile, ...]]:
    """Files never read, and files that are no longer what was read. The ledger has one small row a file."""
    seconds = F.unix_seconds("modified_at").alias("modified_seconds")
    ledger = job.read(SOURCE_READS).select("source", "read_key", "size", seconds).collect()
    known = {(row.source, row.read_key): (row["size"], row.modified_seconds) for row in ledger}
    new: list[RawFile] = []
    changed: list[RawFile] = []
    for file in list_files(job.settings.raw.root, sources):
        before = known.get((file.source, file.read_key))
        if before is None:
            new.append(file)
        elif job.force or before != (file.size, int(file.modified_at.timestamp())):
            changed.append(file)
    return tuple(new), tuple(changed)


def _without_copies(job: Job, files: tuple[RawFile, ...]) -> tuple[tuple[RawFile, ...], tuple[RawFile, ...]]:
    """Files to read, and files whose very bytes the same source has already delivered under another name."""
    rows = job.read(SOURCE_READS).where(F.col("state") == READ).select("source", "read_key", "content_hash").collect()
    # What is read again now may hold something else than the ledger says.
    now = {(f.source, f.read_key) for f in files}
    first = {(row.source, row.content_hash): row.read_key for row in rows if (row.source, row.read_key) not in now}
    chosen: list[RawFile] = []
    copies: list[RawFile] = []
    for file in files:
        original = first.setdefault((file.source, file.content_hash), file.read_key)
        (chosen if original == file.read_key else copies).append(file)
    return tuple(chosen), tuple(copies)


def _ingest_entity(
    job: Job, sources: Sequence[Source], files: Sequence[RawFile], again: Sequence[RawFile], door: Door
) -> DataFrame:
    """Map, de-duplicate and merge the records of one entity; give their rows of the ledger."""
    table, entity = sources[0].table, sources[0].entity
    root = job.settings.raw.root
    parts = []
    for source in sources:
        own = [f for f in files if f.source == source.name]
        parts.append(map_records(read_raw(job.spark, source, own), source, door))
    staged = job.put_down(reduce(DataFrame.unionByName, parts), entity)
    counts = {(r["source"], r["read_key"]): r for r in counts_by_file(staged, root).collect()}
    job.rows_in = (job.rows_in or 0) + sum(r["rows_in"] for r in counts.values())
    rejected = sum(r["rows_rejected"] for r in counts.values())
    job.rows_rejected = (job.rows_rejected or 0) + rejected
    reread = [f"{f.source}\x1f{f.read_key}" for f in again if f.source in {s.name for s in sources}]
    if rejected or reread:
        # Of a file that is read again only what is refused now stays refused.
        gone = F.concat_ws("\x1f", "t.source", "t.file").isin(reread) if reread else None
        job.merge(REJECTED_RECORDS, rejected_records(staged, root), gone=gone)
    job.merge(table, only_one_per_key(staged, table), "record_version")
    if entity in _NOW:
        versions, now = _NOW[entity]
        job.replace(now, latest_by_key(job.read(versions), now))
    if door.previous_key is not None and entity != "item":
        job.merge(IDENTIFIER_ALIASES, identifier_aliases(staged, door.key.key_id, door.previous_key.key_id))
    own_files = [f for f in files if f.source in {s.name for s in sources}]
    return _ledger_row(
        job, sources, own_files, READ, {k: (r["rows_in"], r["rows_rejected"]) for k, r in counts.items()}
    )


def _ledger_row(
    job: Job,
    sources: Sequence[Source],
    files: Sequence[RawFile],
    state: str,
    counts: dict[tuple[str, str], tuple[int, int]] | None = None,
) -> DataFrame:
    mapping = {s.name: s.mapping_hash for s in sources}
    rows = []
    for f in files:
        rows_in, rejected = (counts or {}).get((f.source, f.read_key), (0, 0))
        facts = (f.source, f.read_key, f.size, f.modified_at, f.content_hash, mapping[f.source])
        rows.append((*facts, rows_in, rejected, state, job.now))
    return job.spark.createDataFrame(rows, SOURCE_READS.row_schema)


STAGE = Stage(
    name="ingest",
    title="Raw logs of every source into one events table, with items, customers and consents beside it",
    reads=(),
    writes=(
        EVENTS,
        ITEMS,
        ITEM_VERSIONS,
        CUSTOMERS,
        CUSTOMER_VERSIONS,
        CONSENTS,
        IDENTIFIER_ALIASES,
        REJECTED_RECORDS,
        SOURCE_READS,
    ),
    sections=("ingest",),
    run=run,
    fingerprint=raw_fingerprint,
    needs_as_of=False,
)
