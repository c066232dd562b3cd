"""Every spelling of time against the standard library, and no text that stops a run."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from personalake.ingest.cleaning import Time
from personalake.ingest.times import moment, offset_minutes, tells_zone

SEED = 20161016
LOCAL = "dd/MM/yyyy HH:mm:ss"
SPECS = {
    "seconds": Time(column="text", format="unix_seconds"),
    "millis": Time(column="text", format="unix_millis"),
    "iso": Time(column="text", format="iso8601"),
    "iso in Shanghai": Time(column="text", format="iso8601", zone="Asia/Shanghai"),
    "Sao Paulo": Time(column="text", format=LOCAL, zone="America/Sao_Paulo"),
    "Berlin": Time(column="text", format=LOCAL, zone="Europe/Berlin"),
    "with offset": Time(column="text", format="yyyy-MM-dd HH:mm:ss XXX", zone="Asia/Shanghai"),
}
Told = tuple[str | None, int | None]  # the moment as UTC text, the offset [min]

# fmt: off
NAMED: dict[tuple[str, str], Told] = {
    ("seconds", "0"): ("1970-01-01T00:00:00", None),
    ("seconds", "1459369296"): ("2016-03-30T20:21:36", None),
    ("seconds", "1459369296.25"): ("2016-03-30T20:21:36.250000", None),
    ("seconds", " 1459369296 "): ("2016-03-30T20:21:36", None),
    ("seconds", "1.459369296E9"): ("2016-03-30T20:21:36", None),
    ("seconds", "253402300799"): ("9999-12-31T23:59:59", None),
    ("seconds", "253402300800"): (None, None),
    ("seconds", "-1"): (None, None),
    ("seconds", "99999999999999999999999999"): (None, None),
    ("seconds", "NaN"): (None, None),
    ("seconds", "12:30"): (None, None),
    ("seconds", ""): (None, None),
    ("millis", "1459369296123"): ("2016-03-30T20:21:36.123000", None),
    ("millis", "1459369296123.5"): ("2016-03-30T20:21:36.123500", None),
    ("millis", "1e400"): (None, None),
    ("iso", "2016-10-16T08:00:00Z"): ("2016-10-16T08:00:00", 0),
    ("iso", "2016-10-16T08:00:00.5-02:00"): ("2016-10-16T10:00:00.500000", -120),
    ("iso", "2016-10-16 08:00:00+0530"): ("2016-10-16T02:30:00", 330),
    ("iso", "2016-10-16T08:00+08"): ("2016-10-16T00:00:00", 480),
    ("iso", "2016-10-16 08:00:00.25-03"): ("2016-10-16T11:00:00.250000", -180),
    ("iso", "2016-10-16T08:00+08:00"): ("2016-10-16T00:00:00", 480),
    ("iso", "2016-10-16T08:00:00"): ("2016-10-16T08:00:00", 0),
    ("iso in Shanghai", "2016-10-16T08:00:00"): ("2016-10-16T00:00:00", 480),
    ("iso in Shanghai", "2016-10-16T08:00:00Z"): ("2016-10-16T08:00:00", 0),
    ("iso", "2016-10-16"): (None, None),
    ("iso", "12:30"): (None, None),
    ("iso", "2016-02-30T08:00:00Z"): (None, 0),
    ("iso", "2016-10-16T25:00:00Z"): (None, 0),
    ("iso", "2016-10-16T08:00:00 and more"): (None, None),
    # The hour from midnight to one was left out: it is read with the offset of the minute before.
    ("Sao Paulo", "15/10/2016 23:59:59"): ("2016-10-16T02:59:59", -180),
    ("Sao Paulo", "16/10/2016 00:30:00"): ("2016-10-16T03:30:00", -180),
    ("Sao Paulo", "16/10/2016 01:00:00"): ("2016-10-16T03:00:00", -120),
    # The hour before midnight came twice: it is read as the first of the two.
    ("Sao Paulo", "18/02/2017 23:30:00"): ("2017-02-19T01:30:00", -120),
    ("Sao Paulo", "31/02/2017 10:00:00"): (None, None),
    ("Sao Paulo", "16-10-2016 10:00:00"): (None, None),
    ("Berlin", "27/03/2016 01:59:59"): ("2016-03-27T00:59:59", 60),
    ("Berlin", "27/03/2016 02:30:00"): ("2016-03-27T01:30:00", 60),
    ("Berlin", "27/03/2016 03:00:00"): ("2016-03-27T01:00:00", 120),
    ("Berlin", "30/10/2016 02:30:00"): ("2016-10-30T00:30:00", 120),
    ("Berlin", "30/10/2016 03:00:00"): ("2016-10-30T02:00:00", 60),
    ("with offset", "2016-10-16 08:00:00 -03:00"): ("2016-10-16T11:00:00", None),
    ("with offset", "2016-10-16 08:00:00"): (None, None),
}
# fmt: on


def _shown(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat()


def _drawn(draw: random.Random) -> dict[tuple[str, str], Told]:
    """Times drawn at random, with what the standard library says of them."""
    told: dict[tuple[str, str], Told] = {}
    for _ in range(60):
        micros = draw.randrange(0, 4_000_000_000_000_000)
        seconds = str(Decimal(micros).scaleb(-6))
        told["seconds", seconds] = (_shown(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)), None)
        offset = draw.randrange(-14 * 60, 14 * 60 + 1, 15)
        here = datetime(2000, 1, 1, tzinfo=timezone(timedelta(minutes=offset)))
        here += timedelta(seconds=draw.randrange(900_000_000))
        told["iso", here.isoformat()] = (_shown(here), offset)
    # Around each change of 2016 and 2017, in steps that are no divisor of an hour.
    for name, zone, changes in (
        ("Sao Paulo", "America/Sao_Paulo", (datetime(2016, 10, 16), datetime(2017, 2, 19))),
        ("Berlin", "Europe/Berlin", (datetime(2016, 3, 27, 2), datetime(2016, 10, 30, 2))),
    ):
        for change in changes:
            for minutes in range(-180, 181, 13):
                local = change + timedelta(minutes=minutes, seconds=draw.randrange(60))
                known = local.replace(tzinfo=ZoneInfo(zone))
                offset = known.utcoffset()
                assert offset is not None
                told[name, local.strftime("%d/%m/%Y %H:%M:%S")] = (_shown(known), int(offset.total_seconds()) // 60)
    return told


def _nonsense(draw: random.Random) -> list[str]:
    """Texts that look a little like times: right ones with characters taken out, put in and swapped."""
    letters = "0123456789-+:./TZe EΩ९\x00\t\u202f"
    good = [text for _, text in NAMED]
    texts = []
    for _ in range(400):
        text = list(draw.choice(good))
        for _ in range(draw.randrange(1, 5)):
            place = draw.randrange(len(text) + 1)
            text[place : place + draw.randrange(2)] = draw.choice(letters) if draw.random() < 0.7 else ""
        texts.append("".join(text))
    return texts


@pytest.fixture(scope="module")
def read(spark: SparkSession) -> dict[tuple[str, str], Told]:
    """Every text read in every way there is, in one job: nothing may raise."""
    draw = random.Random(SEED)
    texts = sorted({text for _, text in [*NAMED, *_drawn(draw)]} | set(_nonsense(draw)))
    frame = spark.createDataFrame([(text,) for text in texts], "text string")
    columns = [
        F.struct(F.unix_micros(moment(time)).alias("at"), offset_minutes(time).alias("offset")).alias(name)
        for name, time in SPECS.items()
    ]
    found: dict[tuple[str, str], Told] = {}
    for row in frame.select("text", *columns).collect():
        for name in SPECS:
            at = row[name].at
            moment_told = None if at is None else _shown(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at))
            found[name, row.text] = (moment_told, row[name].offset)
    return found


def test_named_times(read):
    assert {case: read[case] for case in NAMED} == NAMED


def test_times_drawn_at_random_are_what_the_standard_library_says(read):
    drawn = _drawn(random.Random(SEED))
    wrong = {case: (read[case], told) for case, told in drawn.items() if read[case] != told}
    assert wrong == {}, f"seed {SEED}"


def test_64_bit_seconds_of_a_number_column_keep_every_microsecond(spark: SparkSession):
    time = Time(column="n", format="unix_millis")
    row = spark.sql("SELECT bigint(9007199254740) AS n").select(F.unix_micros(moment(time)).alias("at")).first()
    assert row is not None
    assert row["at"] == 9007199254740 * 1000


@pytest.mark.parametrize(
    ("pattern", "told"),
    [(LOCAL, False), ("yyyy-MM-dd'T'HH:mm:ss", False), ("yyyy-MM-dd'Z'", False), ("yyyy-MM-dd HH:mm:ss VV", True),
     ("yyyyMMddHHmmssX", True), ("dd MMM yyyy HH:mm z", True)],
)  # fmt: skip
def test_patterns_that_read_the_zone_from_the_text(pattern, told):
    assert tells_zone(pattern) is told
