"""Neighbours that come in parts: any split of loosely joined devices and visits gives the rows of all at once."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from ingest.lake import T
from ingest.source_text import source_of
from ingest.test_review import MOST, SEED, SETTINGS, expected
from personalake.ingest.review import TOUCHED, reviewed
from personalake.tables.ingest import EVENTS

LOADS, CLUSTERS = 3, 60
# second, device, item, region, visit
Record = tuple[int, str, str, str, str]
# The visit V2 of X is shared with D1, which comes once more; X's own device and its visit V3 hang on by X alone.
TWO_HOPS: list[list[Record]] = [
    [
        *((T + n, "D2", f"{n}", "N" if n == 0 else "", "V3") for n in range(MOST + 2)),
        (T + 3600, "D2", "X", "", "V2"),
        (T + 3700, "D1", "in V2", "", "V2"),
    ],
    [(T + 3800, "D1", "late", "", "V1")],
    [],
]


def made_up(draw: random.Random) -> list[list[Record]]:
    """What comes of one cluster with each load; a record of an earlier load may be corrected in every way."""
    loads: list[list[Record]] = [[] for _ in range(LOADS)]
    for n in range(draw.randint(8, 16)):
        for load in sorted(draw.sample(range(LOADS), draw.choice([1, 1, 1, 2]))):
            moment = T + draw.choice([0, 0, 60, 86_400]) + n
            region = draw.choice(["", "", "N", "S"])
            loads[load].append((moment, draw.choice("abcdef"), f"{n}", region, draw.choice("stuvwxyz")))
    return [[mostly_known(draw, row) for row in load] for load in loads]


def mostly_known(draw: random.Random, row: Record) -> Record:
    """The same without its device, its visit, or neither."""
    lost = draw.choice(["", "", "", "device", "visit"])
    return (row[0], "" if lost == "device" else row[1], row[2], row[3], "" if lost == "visit" else row[4])


def as_event(cluster: int, record: Record) -> dict[str, Any]:
    """A row of events as the mapping gives it: nothing that neighbours tell."""
    second, device, item, region, visit = record
    at = datetime.fromtimestamp(second, UTC)
    row: dict[str, Any] = dict.fromkeys(c.name for c in EVENTS.cols)
    row |= {
        "event_id": f"{cluster}/{item}",
        "event_at": at,
        "event_date": at.date(),
        "source": "web",
        "platform": "web",
    }
    row |= {
        "device_class": "pc",
        "event_type": "view",
        "is_bot": False,
        "record_version": "1",
        "login_id": f"{cluster}",
    }
    row |= {
        "device_id": f"{cluster}{device}" if device else None,
        "source_session_id": f"{cluster}{visit}" if visit else None,
    }
    row |= {"region": region or "nowhere", "filled_fields": None if region else ["region"]}
    return row


def frame(spark: SparkSession, rows: list[dict[str, Any]]) -> DataFrame:
    return spark.createDataFrame([tuple(row.values()) for row in rows], EVENTS.row_schema)


def test_any_split_into_loads_gives_the_rows_of_all_at_once(spark: SparkSession, tmp_path: Path) -> None:
    draw = random.Random(SEED)
    clusters = [TWO_HOPS, *(made_up(draw) for _ in range(CLUSTERS))]
    source = source_of(tmp_path, **SETTINGS)
    there: dict[str, dict[str, Any]] = {}
    known: list[dict[str, Record]] = [{} for _ in clusters]
    for load in range(LOADS):
        coming = [as_event(number, record) for number, loads in enumerate(clusters) for record in loads[load]]
        leaving = [there[row["event_id"]] for row in coming if row["event_id"] in there]
        there |= {row["event_id"]: row for row in coming}
        touched = frame(spark, coming + leaving).select(*TOUCHED).distinct()
        for row in reviewed(frame(spark, list(there.values())), touched, source).collect():
            there[row.event_id] = row.asDict()
        for number, loads in enumerate(clusters):
            known[number] |= {record[2]: record for record in loads[load]}
            found = {
                item: (row["region"], row["is_bot"], tuple(row["filled_fields"] or ()))
                for item in known[number]
                if (row := there[f"{number}/{item}"])
            }
            assert found == expected(list(known[number].values())), f"seed {SEED}, cluster {number}, load {load}"
