"""What Kafka's brokers have: partitions and their offsets, by the client that Spark's own reader uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JJavaError

from personalake.ingest.connect.batch import Asked, secret
from personalake.ingest.connect.settings import Kafka

_DESERIALIZER = "org.apache.kafka.common.serialization.ByteArrayDeserializer"
_REFUSALS = ("AuthorizationException", "AuthenticationException")


@dataclass(frozen=True, order=True)
class Partition:
    """A partition of a topic."""

    topic: str
    number: int

    @property
    def name(self) -> str:
        """How the ledger and faults call it."""
        return f"{self.topic}/{self.number}"


def client_options(asked: Asked, kafka: Kafka) -> dict[str, str]:
    """Properties of a Kafka client; the password is in one that Kafka and Spark never show."""
    options = {
        "bootstrap.servers": ",".join(kafka.servers),
        "isolation.level": "read_committed",
        "default.api.timeout.ms": str(kafka.timeout_seconds * 1000),
        "request.timeout.ms": str(kafka.timeout_seconds * 1000),
        "allow.auto.create.topics": "false",
    }
    if kafka.sasl:
        password = secret(asked.where, kafka.sasl.password_env)
        module = "plain.PlainLoginModule" if kafka.sasl.mechanism == "PLAIN" else "scram.ScramLoginModule"
        words = [
            f'{name}="{_escaped(value)}"' for name, value in (("username", kafka.sasl.user), ("password", password))
        ]
        options |= {
            "security.protocol": "SASL_SSL" if kafka.sasl.is_encrypted else "SASL_PLAINTEXT",
            "sasl.mechanism": kafka.sasl.mechanism,
            "sasl.jaas.config": f"org.apache.kafka.common.security.{module} required {' '.join(words)};",
        }
    return options


def offsets_there(asked: Asked, kafka: Kafka) -> dict[Partition, tuple[int, int]]:
    """First offset of each partition, and the one behind its last record.

    Raises:
        DataError: no broker answers, it refuses who asks, or it has no such topic.
    """
    try:
        with _consumer(asked, kafka) as (jvm, consumer):
            partitions = jvm.java.util.ArrayList()
            for topic in kafka.topics:
                infos = consumer.partitionsFor(topic)
                if not infos:
                    raise asked.fault(f"there is no topic {topic}.", "Check connect.topics.")
                for info in infos:
                    partitions.add(jvm.org.apache.kafka.common.TopicPartition(topic, info.partition()))
            first, end = consumer.beginningOffsets(partitions), consumer.endOffsets(partitions)
            return {Partition(p.topic(), p.partition()): (int(first[p]), int(end[p])) for p in partitions}
    except Py4JJavaError as error:
        name = str(error.java_exception.getClass().getSimpleName())
        if name.endswith(_REFUSALS):
            raise asked.fault(
                f"the broker refuses who asks ({name}).", "Check connect.sasl and its password."
            ) from None
        todo = "Check connect.servers, and that a broker runs there. Run again then; nothing was lost."
        raise asked.fault(f"no broker answers at {', '.join(kafka.servers)} ({name}).", todo) from None


@contextmanager
def _consumer(asked: Asked, kafka: Kafka) -> Iterator[tuple[Any, Any]]:
    jvm: Any = asked.spark._jvm
    properties = jvm.java.util.Properties()
    options = client_options(asked, kafka)
    options |= {"key.deserializer": _DESERIALIZER, "value.deserializer": _DESERIALIZER, "enable.auto.commit": "false"}
    for name, value in options.items():
        properties.setProperty(name, value)
    consumer = jvm.org.apache.kafka.clients.consumer.KafkaConsumer(properties)
    try:
        yield jvm, consumer
    finally:
        consumer.close()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
