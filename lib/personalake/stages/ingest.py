"""Sources → events, items, customers, consents, rejected_records; the ledger of reads last."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import Row
from pyspark.sql import functions as F

from personalake.config import Settings
from personalake.errors import ConfigError, DataError, Fault, near_miss
from personalake.ingest.check import check_sources
from personalake.ingest.derive import Door
from personalake.ingest.entities import counts_by_file
from personalake.ingest.files import RawFile, changed_files, list_files
from personalake.ingest.inspect import inspect_files
from personalake.ingest.mapping import SOURCE, map_records
from personalake.ingest.rates import rates_of
from personalake.ingest.readers import read_raw
from personalake.ingest.source import Source
from personalake.job import Job, Selection, Stage
from personalake.stages.arrivals import (
    READ,
    SAME,
    is_among,
    ledger_of,
    ledger_rows,
    new_files,
    of_sound_sources,
    tally,
    without_copies,
)
from personalake.stages.connected import ingest_connected
from personalake.stages.known import sources_of
from personalake.stages.merging import merge_staged
from personalake.stages.settling import settle
from personalake.stages.staging import put_down_sound
from personalake.stages.watch import note_alarms
from personalake.tables.ingest import (
    CONSENTS,
    CUSTOMER_VERSIONS,
    CUSTOMERS,
    EVENTS,
    IDENTIFIER_ALIASES,
    ITEM_VERSIONS,
    ITEMS,
    REJECTED_RECORDS,
    SOURCE_ALARMS,
    SOURCE_DAYS,
    SOURCE_READS,
)


def run(job: Job) -> None:
    """Read what is new, refuse what is broken, merge the rest.

    Every write can be done again: rows are merged by key, and a file counts as read only once its row in
    `source_reads` is there, after everything else.

    Raises:
        DataError: the files of some sources cannot be used, or a source cannot be asked. Nothing of theirs was written
            (of one that is asked no half batch), all of the others.
    """
    configured = sources_of(job.settings)
    sources = _chosen_among(configured, job.selection)
    check_sources(job.spark, Path(job.settings.sources.folder), sources)
    door = door_of(job)
    job.rows_in = job.rows_rejected = 0
    settle(job, configured)
    faults: list[Fault | str] = []
    for ingest, own in (
        (_ingest_files, [s for s in sources if s.connect is None]),
        (ingest_connected, [s for s in sources if s.connect]),
    ):
        try:
            ingest(job, own, door)
        except DataError as error:
            faults += error.faults
    note_alarms(job, configured)
    if faults:
        raise DataError(*faults)


def _ingest_files(job: Job, sources: Sequence[Source], door: Door) -> None:
    if not sources:
        return
    ledger = ledger_of(job)
    files, changed, faults = new_files(job, sources, ledger)
    if changed and not job.force:
        job.note(changed_files=len(changed), changed_file_names=", ".join(f.read_key for f in changed[:5]))
    again = changed if job.force else ()
    files, broken = inspect_files(job.spark, job.settings.raw.root, files + again, sources)
    faults += broken
    files, copies = without_copies(of_sound_sources(files, broken), ledger)
    rows = ledger_rows(job, sources, copies, SAME)
    for entity in ("event", "item", "customer", "consent"):
        chosen = [s for s in sources if s.entity == entity and any(f.source == s.name for f in files)]
        if chosen:
            rows += _ingest_entity(job, chosen, files, again, door, faults)
    if rows:
        job.merge(SOURCE_READS, job.spark.createDataFrame(rows, SOURCE_READS.row_schema))
    if faults:
        raise DataError(*faults)


def chosen_sources(settings: Settings, selection: Selection) -> tuple[Source, ...]:
    """The sources that a run is about.

    Raises:
        ConfigError: one that is asked for is not there, or is no source of files and days of files are asked for.
    """
    return _chosen_among(sources_of(settings), selection)


def _chosen_among(sources: Sequence[Source], selection: Selection) -> tuple[Source, ...]:
    names = [source.name for source in sources]
    wrong = [name for name in selection.sources if name not in names]
    if wrong:
        raise ConfigError(*(Fault("--source", f"{name} is no source.", near_miss(name, names)) for name in wrong))
    chosen = tuple(s for s in sources if not selection.sources or s.name in selection.sources)
    days = [f"--{word}" for word in ("since", "until") if getattr(selection, word)]
    if days and (connected := [s.name for s in chosen if s.connect]):
        todo = (
            "Choose sources of files with --source; what is connected goes on where it stopped, or --force reads all."
        )
        found = f"is about the days files were modified; {', '.join(connected)} {_has_none(connected)}."
        raise ConfigError(*(Fault(word, found, todo) for word in days))
    return chosen


def _has_none(names: Sequence[str]) -> str:
    return "has no files" if len(names) == 1 else "have no files"


def door_of(job: Job) -> Door:
    """What every record passes.

    Raises:
        ConfigError: there is no key.
    """
    if job.key is None:
        raise ConfigError(Fault("privacy.key_file", "there is no key.", "Name a file with 32 bytes or more."))
    settings = job.settings.ingest
    rates = rates_of(job.spark, settings.rates_file)
    return Door(settings, job.key, job.settings.time_zone, rates, job.previous_key)


def raw_fingerprint(settings: Settings) -> dict[str, str]:
    """Hash of the list of raw files (name, size, time), of the sources' mappings and of the rates.

    What a source that is no file has is only known by asking it, which is the stage's own work: where there is one, no
    two fingerprints are the same.
    """
    sources = sources_of(settings)
    of_files = [s for s in sources if s.connect is None]
    files = list_files(settings.raw.root, of_files) if of_files else ()
    lines = [f"{f.source}|{f.read_key}|{f.size}|{f.modified_at.isoformat()}" for f in files]
    lines += [s.mapping_hash for s in sources]
    rates = Path(settings.ingest.rates_file) if settings.ingest.rates_file else None
    lines += [hashlib.sha256(rates.read_bytes()).hexdigest()] if rates else []
    found = {"raw_files": hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]}
    return found if len(of_files) == len(sources) else found | {"asked": secrets.token_hex(8)}


def _ingest_entity(
    job: Job,
    sources: Sequence[Source],
    files: Sequence[RawFile],
    again: Sequence[RawFile],
    door: Door,
    faults: list[Fault | str],
) -> list[Row]:
    """Map, de-duplicate and merge the records of one entity; give their rows of the ledger."""
    root = job.settings.raw.root
    own = [f for f in files if f.source in {s.name for s in sources}]
    named = {s.name: s for s in sources}
    raw = {s.name: read_raw(job.spark, s, [f for f in own if f.source == s.name]) for s in sources}
    parts = {name: map_records(raw[name], source, door) for name, source in named.items()}
    staged, failed = put_down_sound(job, parts, named)
    # Whoever still writes a file while it is read has not delivered it.
    moved = changed_files(root, own)
    faults += [*failed, *moved]
    sound = of_sound_sources(own, [*failed, *moved])
    if staged is None or not sound:
        return []
    if moved:
        staged = staged.where(F.col(SOURCE).isin(sorted({file.source for file in sound})))
    counts = {(r["source"], r["read_key"]): r for r in counts_by_file(staged, root, sources[0].table).collect()}
    found = tally(job, counts.values())
    reread = [f"{f.source}\x1f{f.read_key}" for f in again if is_among(f, sound)]
    # Of a file that is read again only what is refused now stays refused.
    gone = F.concat_ws("\x1f", "t.source", "t.file").isin(reread) if reread else None
    merge_staged(job, staged, sources, found, gone)
    return ledger_rows(job, sources, sound, READ, counts)


STAGE = Stage(
    name="ingest",
    title="Raw logs of every source into one events table, with items, customers and consents beside it",
    reads=(),
    writes=(
        *(EVENTS, ITEMS, ITEM_VERSIONS, CUSTOMERS, CUSTOMER_VERSIONS, CONSENTS, IDENTIFIER_ALIASES),
        REJECTED_RECORDS,
        *(SOURCE_DAYS, SOURCE_ALARMS, SOURCE_READS),
    ),
    sections=("ingest",),
    run=run,
    fingerprint=raw_fingerprint,
    needs_as_of=False,
)
