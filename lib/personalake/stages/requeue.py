"""Refused records once more, after their source was mended: good ones are merged, bad ones stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.config import Settings
from personalake.errors import ConfigError, Fault, near_miss
from personalake.ingest.check import check_sources
from personalake.ingest.connect.broken import in_plain_words
from personalake.ingest.entities import counts_by_file, rejected_records
from personalake.ingest.mapping import map_records
from personalake.ingest.readers import MODIFIED, PATH, VALUE, text_records
from personalake.ingest.refuse import REASONS
from personalake.ingest.source import Source
from personalake.job import Job, Stage
from personalake.privacy.hashing import decrypt
from personalake.stages.arrivals import tally
from personalake.stages.ingest import STAGE, door_of, raw_fingerprint
from personalake.stages.known import sources_of
from personalake.stages.merging import merge_entity
from personalake.stages.settling import settle
from personalake.stages.watch import note_alarms
from personalake.tables.ingest import REJECTED_RECORDS, SOURCE_READS


def requeue_stage(settings: Settings, name: str, reason: str = "") -> Stage:
    """The ingest stage, about the refused records of a source alone.

    Args:
        settings: where the sources are.
        name: the source's name.
        reason: a code, or nothing for every one.

    Raises:
        ConfigError: no such source, one that is no source of files, or no such code.
    """
    source = _source(settings, name, reason)

    def fingerprint(settings: Settings) -> dict[str, str]:
        # It must not pass for a run that has looked at the files.
        return raw_fingerprint(settings) | {"requeue": f"{name} {reason}".strip()}

    return replace(STAGE, run=lambda job: requeue(job, source, reason), fingerprint=fingerprint)


def requeue(job: Job, source: Source, reason: str) -> None:
    """Map the refused records of a source anew: those that are good now are merged and leave the quarantine.

    Every write can be done again: killed between two, the next run finds the records still in quarantine, and merges
    them once more by key.

    Raises:
        ConfigError: there is no key.
    """
    name = source.name
    check_sources(job.spark, Path(job.settings.sources.folder), [source])
    door = door_of(job)
    configured = sources_of(job.settings)
    settle(job, configured)
    code = F.col("reason_code") == reason if reason else F.lit(True)
    kept = job.read(REJECTED_RECORDS).where((F.col("source") == name) & code)
    # Without the texts themselves: nothing raw is put down.
    text = decrypt(door.key, F.col("record"), door.previous_key)
    told = job.put_down(kept.withColumn("_is_readable", text.isNotNull()), "quarantine")
    texts = told.where("_is_readable").withColumn(VALUE, text)
    # The percent sign is what paths of files are spelled with.
    path = F.regexp_replace("file", "%", "%25").alias(PATH)
    lines = texts.select(VALUE, path, F.col("rejected_at").alias(MODIFIED))
    with in_plain_words(source):
        staged = job.put_down(map_records(text_records(lines, source), source, door), "requeued")
    merge_entity(job, staged, [source], tally(job, counts_by_file(staged, job.settings.raw.root).collect()))
    unreadable = told.where("NOT _is_readable").drop("_is_readable")
    bad = job.put_down(rejected_records(staged, job.settings.raw.root), "still_rejected")
    gone = (F.col("t.source") == name) & (F.col("t.reason_code") == reason if reason else F.lit(True))
    job.merge(REJECTED_RECORDS, bad.unionByName(unreadable), gone=gone)
    job.merge(SOURCE_READS, _recounted(job, name, told))
    note_alarms(job, configured)
    if others := unreadable.count():
        job.note(of_another_key=others)


def _source(settings: Settings, name: str, reason: str) -> Source:
    sources = {s.name: s for s in sources_of(settings)}
    if name not in sources:
        raise ConfigError(Fault("--source", f"{name} is no source.", near_miss(name, sources)))
    if reason and reason not in REASONS:
        raise ConfigError(Fault("--reason", f"{reason} is no code.", near_miss(reason, REASONS)))
    source = sources[name]
    if source.connect:
        todo = f"Read it again: personalake ingest --source {name} --force."
        raise ConfigError(Fault("--source", f"{name} is no source of files.", todo))
    return source


def _recounted(job: Job, name: str, quarantined: DataFrame) -> DataFrame:
    """The ledger's rows of the files concerned, with what is refused of them now."""
    files = quarantined.select(F.col("file").alias("read_key")).distinct()
    refused = job.read(REJECTED_RECORDS).where(F.col("source") == name).groupBy(F.col("file").alias("read_key"))
    counts = refused.agg(F.count(F.lit(1)).alias("_refused"))
    rows = job.read(SOURCE_READS).where(F.col("source") == name).join(files, "read_key", how="left_semi")
    counted = rows.join(counts, "read_key", how="left")
    return counted.withColumn("rows_rejected", F.coalesce("_refused", F.lit(0))).select(*rows.columns)
