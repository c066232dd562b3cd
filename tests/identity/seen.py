"""Small event frames for identity: what matters is who was seen with what, when."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.identity.components import build_components
from personalake.identity.links import build_identity_links
from personalake.identity.settings import Identity
from personalake.identity.sightings import build_identity_sightings, identifiers_of

START = datetime(2026, 3, 1, tzinfo=UTC)
SCHEMA = (
    "source string, device_id string, login_id string, identifiers map<string,string>, source_session_id string, "
    "event_at timestamp, event_date date, key_id string"
)
MAP_SCHEMA = "identifier_kind string, identifier string, person_id string, linked_at timestamp, key_id string"
MOVES_SCHEMA = (
    "move_id string, moved_at timestamp, kind string, from_person_id string, to_person_id string, reason string"
)


class Seen(NamedTuple):
    """One event: its identifiers, the visit it belongs to and its minute."""

    device: str | None = None
    login: str | None = None
    minute: int = 0
    session: str | None = None
    others: dict[str, str | None] | None = None
    source: str = "web"


def events_of(spark: SparkSession, seen: Iterable[Seen]) -> DataFrame:
    rows = []
    for one in seen:
        at = START + timedelta(minutes=one.minute)
        rows.append((one.source, one.device, one.login, one.others, one.session, at, at.date(), "k1"))
    return spark.createDataFrame(rows, SCHEMA)


def resolved(events: DataFrame, settings: Identity | None = None) -> DataFrame:
    """Identifiers with their component, by the steps a run takes."""
    settings = settings or Identity()
    sightings = build_identity_sightings(events).localCheckpoint()
    return build_components(identifiers_of(sightings), build_identity_links(sightings, settings), settings)


def computed(identity_map: DataFrame, moves: DataFrame) -> tuple[DataFrame, DataFrame]:
    """Both results of a run, computed by one job and kept."""
    told = moves.withColumn("_is_move", F.lit(True))
    both = (
        identity_map.withColumn("_is_move", F.lit(False)).unionByName(told, allowMissingColumns=True).localCheckpoint()
    )
    return both.where("NOT _is_move").select(identity_map.columns), both.where("_is_move").select(moves.columns)


def labels_of(components: DataFrame, label: str = "component") -> list[tuple[str, str]]:
    """(kind:identifier, label) rows."""
    key = F.concat_ws(":", "identifier_kind", "identifier")
    return [(row[0], row[1]) for row in components.select(key, label).collect()]


def renamed(seen: Iterable[Seen], rename: Callable[[str], str]) -> list[Seen]:
    """The same events under other identifiers; none stays none."""
    return [
        one._replace(
            device=one.device and rename(one.device),
            login=one.login and rename(one.login),
            session=one.session and rename(one.session),
            others=one.others and {kind: value and rename(value) for kind, value in one.others.items()},
        )
        for one in seen
    ]
