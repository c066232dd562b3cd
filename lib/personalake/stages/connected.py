"""The part of ingest that asks sources which are no files; batch by batch, the ledger after each."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast
from urllib.parse import unquote

from cryptography.exceptions import InvalidTag
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from personalake.errors import DataError, Fault
from personalake.ingest.connect.batch import Asked, Batch, Read
from personalake.ingest.connect.broken import in_plain_words
from personalake.ingest.connect.read import batches, with_order
from personalake.ingest.derive import Door
from personalake.ingest.mapping import map_records
from personalake.ingest.source import Source
from personalake.job import Job
from personalake.privacy.hashing import decrypt_text, encrypt_text
from personalake.stages.arrivals import READ, ledger_row, tally
from personalake.stages.counts import Counts, counts_by_read
from personalake.stages.merging import find_news, merge_news, merge_staged
from personalake.store.jars import EXTRA_CLASSES, fetch_command
from personalake.store.session import is_loadable
from personalake.store.versions import version_of
from personalake.tables.ingest import SOURCE_READS


def ingest_connected(job: Job, sources: Sequence[Source], door: Door) -> None:
    """Read what is new at each source and merge it.

    A fault of one source leaves what the others gave, and what it gave in whole batches before.

    Raises:
        DataError: the faults of all sources.
    """
    faults: list[Fault | str] = []
    for source in sources:
        try:
            _ingest_source(job, source, door)
        except DataError as error:
            faults += error.faults
    if faults:
        raise DataError(*faults)


def of_first_records(
    spark: SparkSession, source: Source, door: Door, now: datetime, look: Callable[[DataFrame], list[Row]]
) -> list[Row]:
    """What a look at the first batch of raw records finds that a source gives when it is asked for everything.

    Raises:
        DataError: it cannot be asked, or breaks while it is looked at.
    """
    asked = _asked(spark, source, door, now)
    for batch in _batches(asked):
        if batch.raw is not None:
            with in_plain_words(asked.source):
                return look(batch.raw)
    return []


def _ingest_source(job: Job, source: Source, door: Door) -> None:
    past = () if job.force else _past(job, source)
    asked = replace(_asked(job.spark, source, door, job.now), past=past, is_forced=job.force)
    known = {read.read_key: read.mark for read in past}
    is_first = True
    for batch in _batches(asked):
        counts: dict[str, Counts] = {}
        # What was seen again under a mark that the ledger has, without news, leaves everything as it is.
        is_known = all(known.get(read.read_key) == read.mark for read in batch.reads)
        has_changed = batch.raw is not None and _merge(job, asked, batch, door, is_first, is_known, counts)
        if has_changed or not is_known:
            job.merge(SOURCE_READS, _ledger_rows(job, source, batch.reads, counts))
        is_first = False


def _batches(asked: Asked) -> Iterator[Batch]:
    connect = asked.source.connect
    extra = connect.extra if connect else ""
    if extra and not is_loadable(EXTRA_CLASSES[extra]):
        raise asked.fault(f"the jars of {extra} are not on Spark's class path.", fetch_command(extra))
    found = batches(asked)
    while True:
        with in_plain_words(asked.source):
            batch = next(found, None)
        if batch is None:
            return
        yield batch


def _merge(
    job: Job, asked: Asked, batch: Batch, door: Door, is_first: bool, is_known: bool, counts: dict[str, Counts]
) -> bool:
    """Merge a batch; count records and refusals of each of its reads, by path; tell whether anything was done."""
    source = asked.source
    with in_plain_words(asked.source):
        # Whatever breaks while records are read breaks here, before anything of them is written.
        raw = cast(DataFrame, batch.raw)
        staged = job.put_down(map_records(raw, with_order(source), door), f"from-{source.name}")
        found_by_read = counts_by_read(raw, staged, source, job.settings.raw.root)
    counts |= found_by_read
    found = tally(job, [count.row for count in found_by_read.values()])
    if job.force:
        merge_staged(job, staged, [source], found, _read_again(source, batch, is_first))
        return True
    news = find_news(job, staged, source, found)
    if is_known and not news.is_any:
        return False
    if is_known:
        # Late rows below a mark that counts as read: should the run die now, the next one must know of it.
        pending = [replace(read, mark={**read.mark, "is_pending": True}) for read in batch.reads]
        job.merge(SOURCE_READS, _ledger_rows(job, source, pending, counts))
    merge_news(job, staged, source, found.days, news)
    return True


def _read_again(source: Source, batch: Batch, is_first: bool) -> Column | None:
    """Which refused records this batch has read again: of all that lie at its path, or of its own numbers."""
    file = F.col("t.file")
    found: Column | None = None
    for read in batch.reads:
        path = unquote(read.path)
        if read.numbers is not None:
            number = F.substring_index(file, "#", -1).try_cast("bigint")
            own = (F.substring_index(file, "#", 1) == path) & number.between(*read.numbers)
        elif is_first:
            own = file == path
        else:
            continue
        found = own if found is None else found | own
    return None if found is None else (F.col("t.source") == source.name) & found


def _asked(spark: SparkSession, source: Source, door: Door, now: datetime) -> Asked:
    secret = door.key.derive("quarantine")

    def reveal(cipher: str) -> str | None:
        try:
            return decrypt_text(door.key, cipher)
        except InvalidTag:
            return None

    return Asked(
        spark=spark,
        source=source,
        past=(),
        now=now,
        hide=lambda text: encrypt_text(secret, text),
        reveal=reveal,
        newest_version=lambda path: version_of(*posixpath.split(path.rstrip("/"))),
    )


def _past(job: Job, source: Source) -> tuple[Read, ...]:
    """What the ledger has of a source: one small row a read."""
    ledger = job.read(SOURCE_READS).where((F.col("source") == source.name) & F.col("resume_from").isNotNull())
    rows = ledger.select("read_key", "resume_from", "read_at").collect()
    kept = [(row, json.loads(row.resume_from)) for row in rows]
    kind = source.connect.kind if source.connect else ""
    return tuple(Read(row.read_key, mark, row.read_at) for row, mark in kept if mark.pop("kind") == kind)


def _ledger_rows(job: Job, source: Source, reads: Sequence[Read], counts: Mapping[str, Counts]) -> DataFrame:
    kind = source.connect.kind if source.connect else ""
    rows = []
    for read in reads:
        found = counts.get(unquote(read.path))
        row = ledger_row(
            source=source.name,
            read_key=read.read_key,
            size=read.size,
            modified_at=job.now,
            content_hash=read.content_hash,
            mapping_hash=source.mapping_hash,
            rows_in=found.row["rows_in"] if found else 0,
            rows_rejected=found.row["rows_rejected"] if found else 0,
            state=READ,
            read_at=job.now,
            resume_from=json.dumps({"kind": kind, **read.mark}),
            filled_counts=found.row["filled_counts"] if found else None,
            undeclared_counts=(found.further or None) if found else None,
        )
        rows.append(row)
    return job.spark.createDataFrame(rows, SOURCE_READS.row_schema)
