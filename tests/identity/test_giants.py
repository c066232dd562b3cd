"""Components too large to be a person: named, and taken apart without touching the others."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from pyspark.sql import DataFrame, SparkSession

from identity.seen import Seen, events_of, labels_of
from personalake.identity.components import build_components, fit_components
from personalake.identity.giants import giants_of, without_giants, without_joiners
from personalake.identity.links import build_identity_links
from personalake.identity.settings import Identity
from personalake.identity.sightings import build_identity_sightings, identifiers_of
from support.partitions import groups

SETTINGS = Identity(logins_per_identifier=2, devices_per_login=1000)
LIMIT = 30
CHAIN, DEVICES = 40, 50


def seen() -> Iterable[Seen]:
    """A chain of logins, each sharing a mail with the next; a login of fifty devices; a sound person."""
    for n in range(CHAIN):
        yield Seen(f"chain d{n}", f"chain {n:02}", n, others={"mail": f"mail {n:02}"})
        yield Seen(None, f"chain {n:02}", n, others={"mail": f"mail {n + 1:02}"})
    for n in range(DEVICES):
        yield Seen(f"many d{n}", "many", n)
    yield Seen("sound d", "sound", 1, others={"mail": "sound mail"})
    yield Seen("sound e", "sound too", 2, others={"mail": "sound mail"})


@pytest.fixture(scope="module")
def resolved(spark: SparkSession) -> tuple[DataFrame, DataFrame, DataFrame]:
    sightings = build_identity_sightings(events_of(spark, seen())).localCheckpoint()
    links = build_identity_links(sightings, SETTINGS).localCheckpoint()
    identifiers = identifiers_of(sightings).localCheckpoint()
    return identifiers, links, build_components(identifiers, links, SETTINGS).localCheckpoint()


def test_the_guard_names_those_that_are_too_large(resolved: tuple[DataFrame, DataFrame, DataFrame]) -> None:
    found = {row.component: row.identifier_count for row in giants_of(resolved[2], LIMIT).collect()}
    assert found == {"device:chain d0": 2 * CHAIN + CHAIN + 1, "device:many d0": DEVICES + 1}


def test_they_come_apart_step_by_step(resolved: tuple[DataFrame, DataFrame, DataFrame]) -> None:
    identifiers, links, components = resolved
    cut = without_joiners(links, components, giants_of(components, LIMIT)).localCheckpoint()
    apart = build_components(identifiers, cut, SETTINGS).localCheckpoint()
    assert {row.component for row in giants_of(apart, LIMIT).collect()} == {"device:many d0"}
    after = groups(labels_of(apart))
    # Mails at the ends of the chain belong to one login alone and stay; all between joined two.
    assert frozenset({"login:chain 00", "device:chain d0", "mail:mail 00"}) in after
    assert frozenset({"login:chain 07", "device:chain d7"}) in after and frozenset({"mail:mail 07"}) in after
    sound = frozenset({"login:sound", "login:sound too", "device:sound d", "device:sound e", "mail:sound mail"})
    assert sound in after
    rest = without_giants(cut, apart, giants_of(apart, LIMIT)).localCheckpoint()
    last = groups(labels_of(build_components(identifiers, rest, SETTINGS)))
    assert sound in last and frozenset({"login:many"}) in last and max(map(len, last)) <= LIMIT
    states = {row.state: row["count"] for row in rest.groupBy("state").count().collect()}
    assert states["cut_giant"] == 2 * (CHAIN - 1) + DEVICES
    assert rest.count() == links.count()


@pytest.mark.slow
def test_a_million_in_one_component_stop_nothing(spark: SparkSession) -> None:
    numbers = spark.range(500_000)
    mail = "array(named_struct('n', id), named_struct('n', id + 1))"
    pairs = numbers.selectExpr("id", f"explode({mail}) AS m").selectExpr(
        "'login' AS left_kind", "concat('l', id) AS left_identifier", "'mail' AS right_kind",
        "concat('m', m.n) AS right_identifier", "'used' AS state",
    ).localCheckpoint()  # fmt: skip
    left = pairs.selectExpr("left_kind AS identifier_kind", "left_identifier AS identifier")
    identifiers = left.union(pairs.selectExpr("right_kind", "right_identifier")).distinct()
    components = fit_components(identifiers, pairs, SETTINGS).localCheckpoint()
    (giant,) = giants_of(components, LIMIT).collect()
    assert giant.identifier_count == 1_000_001
    cut = without_joiners(pairs, components, giants_of(components, LIMIT)).localCheckpoint()
    assert giants_of(fit_components(identifiers, cut, SETTINGS), LIMIT).isEmpty()
