"""Refused records while the key is changed, and after: the key before is never needed again."""

from __future__ import annotations

from pyspark.sql import SparkSession

from ingest.lake import KEY, Lake, T
from ingest.source_text import EVENT
from personalake.key_change import carry_over_refused
from personalake.privacy.hashing import decrypt_text
from personalake.privacy.keys import Key
from personalake.store.read import read
from personalake.tables.ingest import EVENTS, REJECTED_RECORDS

NEW = Key(b"another key, as long as one must be, of tests")
LINES = [f"{T},v1,u,swipe,{n},1,1" for n in range(2)] + [f"{T},v1,u,roll,r,1,1", f"{T},v1", f"{T},v1"]
MENDED = EVENT["event_types"] | {"swipe": "view"}


def refused(lake: Lake, key: Key) -> list[tuple[str, int]]:
    rows = read(lake.spark, lake.settings.warehouse.root, REJECTED_RECORDS).collect()
    return sorted((decrypt_text(key, row.record), row.position) for row in rows)


def test_refused_records_outlast_a_change_of_the_key(spark: SparkSession, tmp_path):
    lake = Lake(spark, tmp_path)
    lake.put("a.csv", LINES)
    lake.run()
    root = lake.settings.warehouse.root
    lake.source(event_types=MENDED)
    job = lake.requeue("web", "ING-003", key=NEW, previous=KEY)
    assert (job.rows_in, job.rows_rejected, job.detail) == (3, 1, {})
    assert len(lake.rows(EVENTS)) == 2

    # What was refused still is under the old key, but for what was put again.
    assert carry_over_refused(spark, root, NEW, KEY, is_dry=True) == 2
    assert carry_over_refused(spark, root, NEW, KEY) == 2
    assert refused(lake, NEW) == sorted([(LINES[2], 1), (f"{T},v1", 1), (f"{T},v1", 2)])
    assert carry_over_refused(spark, root, NEW, KEY) == 0

    # By the new key alone: read again they are the same rows, and nothing is doubled.
    before = lake.rows(REJECTED_RECORDS)
    lake.requeue("web", key=NEW)
    assert lake.rows(REJECTED_RECORDS) == before
    job = lake.run(force=True, key=NEW)
    assert (job.rows_rejected, lake.rows(REJECTED_RECORDS)) == (3, before)
