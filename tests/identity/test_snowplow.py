"""The Snowplow web set with its known answer: the last login on a cookie labels all its sessions; by config alone."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from identity.seen import MAP_SCHEMA, MOVES_SCHEMA
from personalake.identity.components import fit_components
from personalake.identity.links import build_identity_links
from personalake.identity.persons import build_identity_map
from personalake.identity.settings import Identity
from personalake.identity.sightings import build_identity_sightings, identifiers_of

BY_LAST_LOGIN = Identity(policy="last_login", logins_per_device=1_000, devices_per_login=1_000)


@pytest.fixture(scope="module")
def folder(data_folder: Path) -> Path:
    if not (data_folder / "snowplow_web").is_dir():
        pytest.skip(f"real logs are not here: {data_folder} has no snowplow_web")
    return data_folder / "snowplow_web"


@pytest.fixture(scope="module")
def labels(spark: SparkSession, folder: Path) -> dict[str, str]:
    """Cookie → the login of the person that the map gives it."""
    log = pd.read_csv(folder / "source" / "snowplow_web_events.csv", dtype=str)
    columns = {
        "source": "web",
        "device_id": log["domain_userid"],
        "login_id": log["user_id"],
        "source_session_id": log["domain_sessionid"],
        "event_at": pd.to_datetime(log["derived_tstamp"], utc=True, format="ISO8601"),
    }
    rows = pd.DataFrame(columns).astype({"event_at": "datetime64[us, UTC]"})
    frame = spark.createDataFrame(rows.astype(object).where(rows.notna(), None), _SCHEMA)
    further = F.lit(None).cast("map<string,string>")
    events = frame.withColumns({"identifiers": further, "key_id": F.lit("k"), "event_date": F.to_date("event_at")})
    sightings = build_identity_sightings(events).localCheckpoint()
    links = build_identity_links(sightings, BY_LAST_LOGIN).localCheckpoint()
    components = fit_components(identifiers_of(sightings), links, BY_LAST_LOGIN).localCheckpoint()
    old, moves = spark.createDataFrame([], MAP_SCHEMA), spark.createDataFrame([], MOVES_SCHEMA)
    identity_map, _ = build_identity_map(components, old, moves, date(2021, 3, 6))
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in identity_map.collect():
        found[row.person_id][row.identifier_kind].add(row.identifier)
    assert all(len(person["login"]) <= 1 for person in found.values()), "a cookie joined two logins"
    return {cookie: login for person in found.values() for login in person["login"] for cookie in person["device"]}


_SCHEMA = "source string, device_id string, login_id string, source_session_id string, event_at timestamp"


def test_every_session_is_stitched_as_expected(labels: dict[str, str], folder: Path) -> None:
    sessions = pd.read_csv(folder / "expected" / "default" / "snowplow_web_sessions_expected.csv", dtype=str)
    expected = dict(
        zip(sessions["domain_sessionid"], sessions["stitched_user_id"].fillna("NULL domain_userid"), strict=True)
    )
    cookies = dict(zip(sessions["domain_sessionid"], sessions["domain_userid"], strict=True))
    # The one session without a cookie is its login's, which that package leaves without a label.
    found = {s: labels[cookie] if isinstance(cookie, str) else "NULL domain_userid" for s, cookie in cookies.items()}
    assert len(expected) == 18
    assert found == expected


def test_the_eleven_users_are_eleven_labels(labels: dict[str, str], folder: Path) -> None:
    users = pd.read_csv(folder / "expected" / "snowplow_web_users_expected.csv", dtype=str)
    assert len(users) == len({labels[cookie] for cookie in users["domain_userid"]}) == 11
