"""The records of a source that is no file, whichever its kind."""

from __future__ import annotations

from collections.abc import Iterator

from personalake.ingest.connect.batch import Asked, Batch
from personalake.ingest.connect.delta import delta_batches
from personalake.ingest.connect.delta import with_order as with_order_of_delta
from personalake.ingest.connect.jdbc import jdbc_batches
from personalake.ingest.connect.jdbc import with_order as with_order_of_jdbc
from personalake.ingest.connect.kafka import kafka_batches
from personalake.ingest.connect.rest import rest_batches
from personalake.ingest.connect.settings import Delta, Jdbc, Kafka, Rest
from personalake.ingest.source import Source


def batches(asked: Asked) -> Iterator[Batch]:
    """What is new at a source, in bounded batches, each to be merged and put into the ledger before the next one.

    Raises:
        DataError: a whole fault: what was not given yet is not to be written.
    """
    connect = asked.source.connect
    if isinstance(connect, Jdbc):
        yield from jdbc_batches(asked, connect)
    elif isinstance(connect, Rest):
        yield from rest_batches(asked, connect)
    elif isinstance(connect, Kafka):
        yield from kafka_batches(asked, connect)
    elif isinstance(connect, Delta):
        yield from delta_batches(asked, connect)


def with_order(source: Source) -> Source:
    """The source, with the order that its kind of connection knows where it tells no revision itself."""
    if isinstance(source.connect, Jdbc):
        return with_order_of_jdbc(source, source.connect)
    return with_order_of_delta(source) if isinstance(source.connect, Delta) else source
