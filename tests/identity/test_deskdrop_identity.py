"""Identity on Deskdrop's real logs against their truth, and what bounds it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from identity.deskdrop_pairs import sightings, truth
from identity.seen import MAP_SCHEMA, MOVES_SCHEMA
from personalake.identity.components import fit_components
from personalake.identity.links import build_identity_links
from personalake.identity.persons import build_identity_map
from personalake.identity.settings import Identity
from personalake.identity.sightings import build_identity_sightings, identifiers_of
from support.partitions import PairScores, pairwise_scores


@pytest.fixture(scope="module")
def seen(data_folder: Path) -> pd.DataFrame:
    if not (data_folder / "deskdrop").is_dir():
        pytest.skip(f"real logs are not here: {data_folder} has no deskdrop")
    return sightings(data_folder / "deskdrop")


@pytest.fixture(scope="module")
def true_devices(data_folder: Path) -> pd.DataFrame:
    """Devices of persons who sign in; a device is known by platform and id."""
    rows = truth(data_folder / "deskdrop")
    rows["device"] = rows["platform"] + "|" + rows["device_id"]
    return rows[rows["never_signs_in"] == "0"]


@pytest.fixture(scope="module")
def resolved(spark: SparkSession, seen: pd.DataFrame) -> tuple[dict[str, str], dict[str, set[str]]]:
    """device → person, and device → states of its links that were cut, by the steps of a run."""
    columns = {
        "device_id": seen["platform"] + "|" + seen["device"],
        "login_id": seen["login"],
        "source_session_id": seen["platform"] + "|" + seen["session"],
        "event_at": seen["when"],
    }
    rows = spark.createDataFrame(pd.DataFrame(columns).astype({"event_at": "datetime64[us, UTC]"}))
    further = F.lit(None).cast("map<string,string>")
    events = rows.withColumns(
        {"source": F.lit("s"), "identifiers": further, "key_id": F.lit("k"), "event_date": F.to_date("event_at")}
    )
    sets = build_identity_sightings(events).localCheckpoint()
    settings = Identity()
    links = build_identity_links(sets, settings).localCheckpoint()
    components = fit_components(identifiers_of(sets), links, settings).localCheckpoint()
    old, moves = spark.createDataFrame([], MAP_SCHEMA), spark.createDataFrame([], MOVES_SCHEMA)
    identity_map, _ = build_identity_map(components, old, moves, date(2017, 3, 1))
    devices = identity_map.where("identifier_kind = 'device'").select("identifier", "person_id").collect()
    cut: dict[str, set[str]] = defaultdict(set)
    for row in links.where("state <> 'used'").select("right_identifier", "state").collect():
        cut[row.right_identifier].add(row.state)
    return {row.identifier: row.person_id for row in devices}, dict(cut)


@pytest.fixture(scope="module")
def found(resolved: tuple[dict[str, str], dict[str, set[str]]]) -> dict[str, str]:
    return resolved[0]


@pytest.fixture(scope="module")
def scores(found: dict[str, str], true_devices: pd.DataFrame) -> PairScores:
    return pairwise_scores(found, zip(true_devices["device"], true_devices["person_id"], strict=True))


def test_every_device_of_the_log_has_a_person(found: dict[str, str], seen: pd.DataFrame) -> None:
    assert set(found) == set(seen["platform"] + "|" + seen["device"])


def test_precision_and_recall_against_the_truth(scores: PairScores) -> None:
    print(scores)
    assert scores.precision >= 0.995
    assert scores.recall >= 0.95


def test_what_is_missed_hangs_on_shared_cookies_alone(true_devices: pd.DataFrame, found: dict[str, str]) -> None:
    """Every device of these persons signs in at least once, so only the guard on shared cookies bounds recall."""
    shared = true_devices["device"].duplicated(keep=False)
    assert true_devices["device"][shared].nunique() == 9
    own = true_devices[~shared]
    scores = pairwise_scores(found, zip(own["device"], own["person_id"], strict=True))
    assert (scores.precision, scores.recall) == (1.0, 1.0)


def test_shared_cookies_are_handled_and_listed(
    resolved: tuple[dict[str, str], dict[str, set[str]]], seen: pd.DataFrame, true_devices: pd.DataFrame
) -> None:
    """Every cookie that two logins used is in identity_links with what was cut, and belongs to one of them at most."""
    logins = seen.assign(device=seen["platform"] + "|" + seen["device"]).groupby("device")["login"].nunique()
    shared = set(logins[logins > 1].index)
    assert set(resolved[1]) == shared
    assert set().union(*resolved[1].values()) <= {"cut_shared_device", "cut_no_main_login", "cut_shared_terminal"}
    assert set(true_devices["device"][true_devices["device"].duplicated()]) <= shared
