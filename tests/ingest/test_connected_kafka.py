"""A Kafka broker through the whole stage: bounded batches, a run that dies, offsets that are lost, a broker away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from py4j.java_gateway import JavaMember
from pyspark.sql import SparkSession

from ingest.lake import KEY, T
from personalake.privacy.hashing import decrypt_text
from personalake.store.jars import EXTRA_CLASSES
from personalake.store.session import is_loadable
from personalake.tables.ingest import REJECTED_RECORDS, SOURCE_READS
from support.connected_lake import ConnectedLake
from support.kafka_broker import kafka_broker

pytestmark = pytest.mark.slow


class Topics:
    """Makes topics and fills them, by the client that is on the session."""

    def __init__(self, spark: SparkSession, server: str) -> None:
        self.jvm: Any = spark._jvm
        self.server = server
        properties = self._properties()
        self.admin = self.jvm.org.apache.kafka.clients.admin.Admin.create(properties)

    def create(self, topic: str, partitions: int) -> None:
        new = self.jvm.org.apache.kafka.clients.admin.NewTopic(topic, partitions, 1)
        self.admin.createTopics([new]).all().get()

    def send(self, topic: str, partition: int, *values: Any, transaction: str = "") -> None:
        """Records of a partition; a transaction that is named `aborted` never counts."""
        properties = self._properties()
        for side in ("key", "value"):
            properties.setProperty(f"{side}.serializer", "org.apache.kafka.common.serialization.StringSerializer")
        if transaction:
            properties.setProperty("transactional.id", transaction)
        producer = self.jvm.org.apache.kafka.clients.producer.KafkaProducer(properties)
        if transaction:
            producer.initTransactions()
            producer.beginTransaction()
        for value in values:
            text = value if value is None or isinstance(value, str) else json.dumps(value)
            record = self.jvm.org.apache.kafka.clients.producer.ProducerRecord(topic, partition, "key", text)
            producer.send(record).get()
        if transaction:
            producer.abortTransaction() if transaction == "aborted" else producer.commitTransaction()
        producer.close()

    def lose(self, topic: str, partition: int, before: int) -> None:
        """What lies before an offset, as retention takes it."""
        records = self.jvm.java.util.HashMap()
        of = self.jvm.org.apache.kafka.common.TopicPartition(topic, partition)
        # Its name is that of a method of an object too, which the plain way to call it stumbles over.
        name = "z:org.apache.kafka.clients.admin.RecordsToDelete"
        records[of] = JavaMember("beforeOffset", None, name, self.admin._gateway_client)(before)
        self.admin.deleteRecords(records).all().get()

    def _properties(self) -> Any:
        properties = self.jvm.java.util.Properties()
        properties.setProperty("bootstrap.servers", self.server)
        return properties


def record(item: str, act: str = "pv") -> dict[str, str]:
    return {"ts": str(T), "visitor": "v1", "act": act, "item": item}


@pytest.fixture(scope="module")
def topics(spark: SparkSession) -> Iterator[Topics]:
    if not is_loadable(EXTRA_CLASSES["kafka"]):
        pytest.skip("Kafka's jars are not here: python -m personalake.store.fetch kafka")
    with kafka_broker() as server:
        made = Topics(spark, server)
        made.create("clicks", 2)
        made.send("clicks", 0, *[record(f"i{n}") for n in range(5)], record("x", "swipe"), "{cut", None)
        made.send("clicks", 1, record("j0"), record("x", "swipe"), record("x", "swipe"))
        yield made
        made.admin.close()


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, topics: Topics) -> ConnectedLake:
    made = ConnectedLake(spark, tmp_path_factory.mktemp("kafka"))
    declare(made, topics)
    return made


def declare(lake: ConnectedLake, broker: Topics, **changes: Any) -> None:
    connect = {"kind": "kafka", "servers": [broker.server], "topics": ["clicks"], "batch_records": 8}
    schema = "ts string, visitor string, act string, item string"
    fields = {"device_id": "visitor", "event_type": "act", "item_id": "item"}
    more = {"properties": {"key": "_key", "at": "_topic"}, "event_id": ["_topic", "_partition", "_offset"]}
    lake.source("shop", connect | {"timeout_seconds": 5} | changes, schema=schema, fields=fields, **more)


# The tests below happen in the order they stand here.
def test_a_topic_or_a_broker_that_is_not_there_is_told(lake, topics):
    declare(lake, topics, topics=["clocks"])
    assert lake.faults() == ["source shop: there is no topic clocks. Check connect.topics."]
    declare(lake, topics, servers=["127.0.0.1:9"])
    assert lake.faults() == [
        "source shop: no broker answers at 127.0.0.1:9 (TimeoutException). Check connect.servers, and that a broker "
        "runs there. Run again then; nothing was lost."
    ]
    declare(lake, topics)


def test_everything_there_comes_in_bounded_batches_and_a_kill_before_the_ledger_doubles_nothing(lake):
    lake.run(dies_at=SOURCE_READS)
    assert (len(lake.items()), lake.reads()) == (5, [])
    job = lake.run()
    assert (job.rows_in, job.rows_rejected) == (10, 4)
    assert lake.items() == ["i0", "i1", "i2", "i3", "i4", "j0"]
    assert lake.reads() == [("clicks/0/0-3", 4, 0), ("clicks/0/4-7", 3, 2), ("clicks/1/0-2", 3, 2)]
    assert lake.told(REJECTED_RECORDS, "file", "reason_code") == [
        ("clicks/0#5", "ING-003"),
        ("clicks/0#6", "ING-001"),
        ("clicks/1#1", "ING-003"),
        ("clicks/1#2", "ING-003"),
    ]
    ciphers = dict(lake.told(REJECTED_RECORDS, "file", "record"))
    assert decrypt_text(KEY, ciphers["clicks/0#6"]) == "{cut"


def test_only_what_came_since_is_read_and_what_was_aborted_never(lake, topics):
    topics.send("clicks", 1, record("never"), transaction="aborted")
    topics.send("clicks", 1, record("j1"), record("j2"), transaction="kept")
    job = lake.run()
    assert job.rows_in == 2
    assert lake.items()[-3:] == ["j0", "j1", "j2"]
    before = lake.versions()
    assert (lake.run().rows_in, lake.versions()) == (0, before)


def test_offsets_that_the_broker_lost_are_told_and_force_goes_on_with_what_there_is(lake, topics):
    topics.send("clicks", 0, *[record(f"k{n}") for n in range(4)])
    topics.lose("clicks", 0, 10)
    before = lake.versions()
    assert lake.faults() == [
        "source shop: the broker has lost clicks/0 offsets 8 to 9. What was not delivered otherwise is gone. "
        "`personalake ingest --force` goes on with what the broker has."
    ]
    assert lake.versions() == before
    lake.run(force=True)
    assert lake.items() == ["i0", "i1", "i2", "i3", "i4", "j0", "j1", "j2", "k2", "k3"]
    # What was refused and cannot be read again stays refused.
    assert len(lake.told(REJECTED_RECORDS, "file")) == 4
    topics.send("clicks", 0, record("k4"))
    assert lake.run().rows_in == 1
