"""Real logs with known answers, taken in by the examples' YAML alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.config import Settings, load_settings
from personalake.ingest.check import check_sources
from personalake.ingest.derive import Door
from personalake.ingest.entities import only_one_per_key
from personalake.ingest.files import list_files
from personalake.ingest.inspect import inspect_files
from personalake.ingest.mapping import REASON, map_records
from personalake.ingest.readers import read_raw
from personalake.ingest.source import load_sources
from personalake.privacy.hashing import IdentifierType, identifier_of
from personalake.privacy.keys import Key
from personalake.profiles.sessions import build_sessions

KEY = Key(b"a key of tests only, as long as one must be")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def staged_of(spark: SparkSession, name: str, source_name: str, root: Path, folder: Path) -> tuple[DataFrame, Settings]:
    """The mapped records of one source of an example, put down."""
    settings = load_settings([str(EXAMPLES / name / "conf.yaml")])
    sources = load_sources(Path(settings.sources.folder), settings.ingest.event_types)
    check_sources(spark, Path(settings.sources.folder), sources)
    source = next(s for s in sources if s.name == source_name)
    files, faults = inspect_files(spark, str(root), list_files(str(root), [source]), [source])
    assert faults == []
    door = Door(settings.ingest, KEY, settings.time_zone)
    map_records(read_raw(spark, source, files), source, door).write.parquet(str(folder / "staged"))
    return spark.read.parquet(str(folder / "staged")), settings


def folder_of(data_folder: Path, name: str) -> Path:
    if not (data_folder / name).is_dir():
        pytest.skip(f"real logs are not here: {data_folder} has no {name}")
    return data_folder / name


def test_snowplow_has_its_eighteen_sessions(spark: SparkSession, data_folder: Path, tmp_path: Path):
    root = folder_of(data_folder, "snowplow_web")
    staged, settings = staged_of(spark, "snowplow_web", "web", root, tmp_path)
    reasons = {(r[0], r[1]): r["count"] for r in staged.groupBy(f"{REASON}.code", f"{REASON}.reason").count().collect()}
    assert reasons == {
        (None, None): 90,
        ("ING-004", "The required field source_session_id is missing."): 1,
        ("ING-009", "a page without an id."): 1,
        ("ING-009", "sent more than three days after it was made."): 3,
    }
    events = only_one_per_key(staged, load_sources(Path(settings.sources.folder), settings.ingest.event_types)[0].table)
    chosen = settings.profiles
    sessions = build_sessions(
        events,
        chosen.session_gap_seconds,
        chosen.own_session_sources,
        chosen.own_session_days,
        chosen.visit_event_types,
    ).toPandas()
    told = pd.read_csv(root / "expected/default/snowplow_web_sessions_expected.csv", dtype=str, keep_default_na=False)
    ids = {identifier_of(KEY, IdentifierType("session", "web"), raw): raw for raw in told["domain_sessionid"]}
    own = events.groupBy("source_session_id").agg(F.min_by("event_id", "event_at").alias("first")).collect()
    assert len(sessions) == len(told) == 18
    by_start = _facts(told, ids)
    found = sorted((str(s.started_at), str(s.ended_at), int(s.event_count)) for s in sessions.itertuples())
    assert found == sorted(by_start)
    assert len(own) == 19  # one visit of a cookie's notice alone, which is no visit


def _facts(told: pd.DataFrame, ids: dict[str, str]) -> list[tuple[str, str, int]]:
    """Start, end and events. A session that begins with a ping is said to begin five seconds before it."""
    pings = told["event_counts"].str.replace(" ", "").str.startswith('{"page_ping"')
    start = pd.to_datetime(told["start_tstamp"]) + pd.to_timedelta(pings.map({True: 5, False: 0}), unit="s")
    assert len(ids) == len(told)
    ends = pd.to_datetime(told["end_tstamp"])
    rows = zip(start, ends, told["total_events"], strict=True)
    return [(str(a), str(b), int(n)) for a, b, n in rows]


@pytest.mark.slow
def test_online_retail_has_its_known_answers(spark: SparkSession, data_folder: Path, tmp_path: Path):
    root = folder_of(data_folder, "online_retail")
    staged, _ = staged_of(spark, "online_retail", "shop", root, tmp_path)
    good = staged.where(F.col(REASON).isNull())
    assert good.select("event_id").distinct().count() == good.count()
    bought = good.where("event_type = 'buy'")
    facts = bought.agg(
        F.count("*").alias("lines"),
        F.countDistinct("login_id").alias("customers"),
        F.countDistinct("order_id").alias("invoices"),
        F.sum("amount_minor").alias("cents"),
    ).first()
    assert facts is not None
    assert tuple(facts) == (407_664, 4_312, 19_213, 883_200_326)
    end = date(2010, 12, 10)
    day = F.to_date(F.from_utc_timestamp("event_at", "Europe/London"))
    rfm = bought.groupBy("login_id").agg(
        F.date_diff(F.lit(end), F.max(day)).alias("recency"),
        F.countDistinct("order_id").alias("frequency"),
        (F.sum("amount_minor") / 100).alias("money"),
    )
    found = rfm.toPandas()
    assert (found["recency"].median(), found["recency"].min(), found["recency"].max()) == (53, 1, 374)
    assert (found["frequency"].median(), found["frequency"].max()) == (2, 205)
    assert round(found["money"].median(), 2) == 706.02
    top = found.loc[found["money"].idxmax()]
    assert top["login_id"] == identifier_of(KEY, IdentifierType("login", "shop"), "18102")
    assert (top["recency"], top["frequency"], round(top["money"], 2)) == (1, 89, 349_164.35)
