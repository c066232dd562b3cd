"""Which files a run reads, and their rows of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from pyspark.sql import Row
from pyspark.sql import functions as F

from personalake.errors import Fault
from personalake.ingest.files import RawFile, list_files, missing_files
from personalake.ingest.source import Source
from personalake.job import Job
from personalake.tables.ingest import SOURCE_READS

READ, SAME = "read", "same content"
_LedgerRow = Row(*[c.name for c in SOURCE_READS.cols])
_Counts = Mapping[tuple[str, str], Any]


def ledger_of(job: Job) -> list[Row]:
    """What was read so far: one small row a file."""
    return job.read(SOURCE_READS).withColumn("modified_seconds", F.unix_seconds("modified_at")).collect()


def new_files(
    job: Job, sources: Sequence[Source], ledger: Sequence[Row]
) -> tuple[tuple[RawFile, ...], tuple[RawFile, ...], list[Fault | str]]:
    """Files never read, files that are no longer what was read, and sources without any."""
    known = {(row.source, row.read_key): (row["size"], row.modified_seconds) for row in ledger}
    new: list[RawFile] = []
    changed: list[RawFile] = []
    root = job.settings.raw.root
    files = list_files(root, sources)
    for file in files:
        before = known.get((file.source, file.read_key))
        if not job.selection.has(file.modified_at):
            continue
        if before is None:
            new.append(file)
        elif job.force or before != (file.size, int(file.modified_at.timestamp())):
            changed.append(file)
    return tuple(new), tuple(changed), [*missing_files(root, sources, files)]


def of_sound_sources(files: Sequence[RawFile], faults: Sequence[Fault]) -> tuple[RawFile, ...]:
    """Without all files of a source of which one cannot be used: half a delivery would pass for a whole one."""
    broken = {fault.where.removeprefix("source ").split(", file ")[0] for fault in faults}
    return tuple(file for file in files if file.source not in broken)


def without_copies(
    files: tuple[RawFile, ...], ledger: Sequence[Row]
) -> tuple[tuple[RawFile, ...], tuple[RawFile, ...]]:
    """Files to read, and files whose very bytes the same source has already delivered under another name."""
    rows = [row for row in ledger if row.state == READ]
    # What is read again now may hold something else than the ledger says.
    now = {(f.source, f.read_key) for f in files}
    first = {(row.source, row.content_hash): row.read_key for row in rows if (row.source, row.read_key) not in now}
    chosen: list[RawFile] = []
    copies: list[RawFile] = []
    for file in files:
        original = first.setdefault((file.source, file.content_hash), file.read_key)
        (chosen if original == file.read_key else copies).append(file)
    return tuple(chosen), tuple(copies)


def is_among(file: RawFile, files: Sequence[RawFile]) -> bool:
    """Whether a file is one of some, whatever is known of either."""
    return any((file.source, file.read_key) == (f.source, f.read_key) for f in files)


def ledger_rows(
    job: Job, sources: Sequence[Source], files: Sequence[RawFile], state: str, counts: _Counts | None = None
) -> list[Row]:
    """Rows of source_reads for some files.

    Args:
        job: the stage.
        sources: whose files they are.
        files: inspected.
        state: READ or SAME.
        counts: (source, read_key) to a row of `counts_by_file`.
    """
    mapping = {s.name: s.mapping_hash for s in sources}
    rows = []
    for f in files:
        row = (counts or {}).get((f.source, f.read_key))
        told = ledger_row(
            source=f.source,
            read_key=f.read_key,
            size=f.size,
            modified_at=f.modified_at,
            content_hash=f.content_hash,
            mapping_hash=mapping[f.source],
            rows_in=row["rows_in"] if row else 0,
            rows_rejected=row["rows_rejected"] if row else 0,
            state=state,
            read_at=job.now,
            filled_counts=row["filled_counts"] if row else None,
            undeclared_counts=dict(f.undeclared) or None,
        )
        rows.append(told)
    return rows


def ledger_row(**values: object) -> Row:
    """A row of source_reads; what is not told is null."""
    return _LedgerRow(*(values.get(column.name) for column in SOURCE_READS.cols))


class Tally(NamedTuple):
    """How many records were read, how many of them are refused, and the business days of the good ones, of events."""

    rows: int
    rejected: int
    days: frozenset[date]


def tally(job: Job, counts: Iterable[Row]) -> Tally:
    """Add what was read to the job's counts.

    Args:
        job: the stage.
        counts: rows of `counts_by_file`.
    """
    rows = list(counts)
    found = Tally(
        sum(row["rows_in"] for row in rows),
        sum(row["rows_rejected"] for row in rows),
        frozenset(day for row in rows for day in row["days"]),
    )
    job.rows_in = (job.rows_in or 0) + found.rows
    job.rows_rejected = (job.rows_rejected or 0) + found.rejected
    return found
