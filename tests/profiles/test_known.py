"""What was known when a business day began: the same border as that of the events' days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from personalake.stages.known import customers_as_of, day_start, items_as_of
from personalake.tables.ingest import CUSTOMER_VERSIONS, ITEM_VERSIONS
from support.rows import frame

# In the last three the clock is put forward or back at midnight, so that a day has no midnight or has two.
DAYS = {
    "UTC": date(2024, 5, 10),
    "Asia/Shanghai": date(2024, 5, 10),
    "America/Los_Angeles": date(2024, 5, 10),
    "Europe/Berlin": date(2024, 3, 31),
    "Asia/Beirut": date(2024, 3, 31),
    "America/Havana": date(2024, 11, 3),
    "America/Santiago": date(2024, 4, 7),
}


@pytest.mark.parametrize("zone", DAYS)
def test_a_day_begins_where_its_first_event_can_be(spark: SparkSession, zone: str) -> None:
    day = DAYS[zone]
    noon = datetime(day.year, day.month, day.day, tzinfo=UTC)
    moments = [noon + timedelta(minutes=15 * n) for n in range(-64, 65)]
    said = spark.createDataFrame([(moment,) for moment in moments], "at timestamp")
    before = {row.at for row in said.where(F.col("at") < day_start(day, zone)).collect()}
    assert before == {m.replace(tzinfo=None) for m in moments if m.astimezone(ZoneInfo(zone)).date() < day}


def test_prices_and_attributes_of_the_day_itself_are_not_known_yet(spark: SparkSession) -> None:
    # In Shanghai the tenth begins at 16:00 UTC of the ninth.
    hours = {1: datetime(2024, 5, 9, 15, 59), 2: datetime(2024, 5, 9, 16), 3: datetime(2024, 5, 10, 1)}
    items = [{"item_id": "i", "price_minor": n, "effective_at": at, "record_version": "1"} for n, at in hours.items()]
    people = [
        {"login_id": "p", "birth_year": 1990 + n, "effective_at": at, "record_version": "1"} for n, at in hours.items()
    ]
    tables = {
        ITEM_VERSIONS: frame(spark, ITEM_VERSIONS, *items),
        CUSTOMER_VERSIONS: frame(spark, CUSTOMER_VERSIONS, *people),
    }
    job = SimpleNamespace(read=tables.get, settings=SimpleNamespace(time_zone="Asia/Shanghai"))
    tenth, eleventh = date(2024, 5, 10), date(2024, 5, 11)
    assert [items_as_of(job, day).first().price_minor for day in (tenth, eleventh)] == [1, 3]
    assert [customers_as_of(job, day).first().birth_year for day in (tenth, eleventh)] == [1991, 1993]
