"""What several stages read the same way: whose event it was, and how items and customers were as of a day."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame

from personalake.identity.whose import person_events
from personalake.ingest.entities import latest_by_key
from personalake.job import Job
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import CUSTOMER_VERSIONS, CUSTOMERS, EVENTS, ITEM_VERSIONS, ITEMS


def events_with_person(job: Job) -> DataFrame:
    """Events of known persons, with person_id."""
    return person_events(job.read(EVENTS), job.read(IDENTITY_MAP))


def items_as_of(job: Job, as_of: date) -> DataFrame:
    """Items as they were known at the start of a day."""
    return latest_by_key(job.read(ITEM_VERSIONS), ITEMS, as_of)


def customers_as_of(job: Job, as_of: date) -> DataFrame:
    """Customers as they were known at the start of a day."""
    return latest_by_key(job.read(CUSTOMER_VERSIONS), CUSTOMERS, as_of)
