"""Records of Kafka topics, in bounded batches from the offsets that were kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.ingest.connect.batch import Asked, Batch, Read
from personalake.ingest.connect.brokers import Partition, client_options, offsets_there
from personalake.ingest.connect.settings import Kafka
from personalake.ingest.readers import MODIFIED, PATH, text_records


@dataclass(frozen=True)
class Span:
    """Offsets of one partition, the end not among them."""

    partition: Partition
    start: int
    end: int


def kafka_batches(asked: Asked, kafka: Kafka) -> Iterator[Batch]:
    """What came after the kept offsets, up to where the topics ended when the run began.

    Offsets are told by the ledger alone, no consumer group is committed. A null value is Kafka's mark of a deleted key
    and no record. Records of transactions that were aborted are left out.

    Args:
        asked: source, past reads, session.
        kafka: its `connect`.

    Raises:
        DataError: no broker, no such topic, or offsets that the broker no longer has.

    Cost:
        One pass over the batch; as many tasks as partitions.
    """
    ahead = _ahead(asked, kafka, offsets_there(asked, kafka))
    if not asked.past and ahead and all(span.start == span.end for span in ahead):
        # Where the first run began is kept, so that the second one begins there too.
        yield Batch(None, tuple(_mark(span.partition, span.end, f"from {span.end}") for span in ahead))
        return
    size = max(1, kafka.batch_records // max(1, len(ahead)))
    while any(span.start < span.end for span in ahead):
        batch = [Span(s.partition, s.start, min(s.end, s.start + size)) for s in ahead if s.start < s.end]
        yield Batch(text_records(_lines(asked, kafka, batch), asked.source), tuple(map(_read, batch)))
        reached = {span.partition: span.end for span in batch}
        ahead = [Span(s.partition, reached.get(s.partition, s.start), s.end) for s in ahead]


def _ahead(asked: Asked, kafka: Kafka, there: Mapping[Partition, tuple[int, int]]) -> list[Span]:
    """What is to be read of each partition: from the kept offset, or the beginning, to the end there is now."""
    kept = _kept(asked)
    spans, lost = [], []
    for partition, (first, end) in sorted(there.items()):
        start = kept.get(partition)
        if start is None:
            # A partition that was added later is read whole.
            start = end if kafka.start == "latest" and not kept and not asked.is_forced else first
        elif start < first:
            lost.append(f"{partition.name} offsets {start} to {first - 1}")
        elif start > end:
            lost.append(f"{partition.name} everything: it ends at {end}, but was read up to {start}")
        spans.append(Span(partition, start, end))
    gone = [p for p in sorted(kept) if p.topic in kafka.topics and p not in there]
    lost += [f"{partition.name} everything: the partition is gone" for partition in gone]
    if lost:
        todo = (
            "What was not delivered otherwise is gone. `personalake ingest --force` goes on with what the broker has."
        )
        raise asked.fault(f"the broker has lost {'; '.join(lost)}.", todo)
    return spans


def _kept(asked: Asked) -> dict[Partition, int]:
    """Where each partition goes on: by the last run that read it, and there the farthest."""
    found: dict[Partition, tuple[object, int]] = {}
    for read in asked.past:
        partition = Partition(read.mark["topic"], read.mark["partition"])
        found[partition] = max(found.get(partition, (read.read_at, -1)), (read.read_at, read.mark["offset"]))
    return {partition: offset for partition, (_, offset) in found.items()}


def _read(span: Span) -> Read:
    return replace(_mark(span.partition, span.end, f"{span.start}-{span.end - 1}"), numbers=(span.start, span.end - 1))


def _mark(partition: Partition, offset: int, which: str) -> Read:
    mark = {"topic": partition.topic, "partition": partition.number, "offset": offset}
    return Read(f"{partition.name}/{which}", mark, path=partition.name)


def _lines(asked: Asked, kafka: Kafka, batch: list[Span]) -> DataFrame:
    options = {f"kafka.{name}": value for name, value in client_options(asked, kafka).items()}
    options |= {
        "assign": json.dumps({topic: list(numbers) for topic, numbers in _by_topic(batch, "start").items()}),
        "startingOffsets": json.dumps(_by_topic(batch, "start")),
        "endingOffsets": json.dumps(_by_topic(batch, "end")),
        "failOnDataLoss": "true",
        "kafkaConsumer.pollTimeoutMs": str(kafka.timeout_seconds * 1000),
    }
    found = asked.spark.read.format("kafka").options(**options).load().where(F.col("value").isNotNull())
    number = F.col("offset").cast("string")
    return found.select(
        F.col("value").cast("string").alias("value"),
        F.concat_ws("#", F.concat_ws("/", "topic", F.col("partition").cast("string")), number).alias(PATH),
        F.col("timestamp").alias(MODIFIED),
        F.col("topic").alias("_topic"),
        F.col("partition").alias("_partition"),
        F.col("offset").alias("_offset"),
        F.col("timestamp").alias("_timestamp"),
        F.make_valid_utf8(F.col("key").cast("string")).alias("_key"),
    )


def _by_topic(batch: list[Span], which: str) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for span in batch:
        found.setdefault(span.partition.topic, {})[span.partition.number] = getattr(span, which)
    return found
