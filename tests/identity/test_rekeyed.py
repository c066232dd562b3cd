"""Identifiers by two keys: the same persons as if there had been one key."""

from __future__ import annotations

import random

from pyspark.sql import DataFrame, SparkSession

from identity.seen import Seen, events_of, labels_of, renamed
from personalake.identity.components import build_components
from personalake.identity.links import build_identity_links
from personalake.identity.rekeyed import (
    newest_aliases,
    with_newest_identifiers,
    with_newest_names,
    with_old_identifiers,
)
from personalake.identity.settings import Identity
from personalake.identity.sightings import build_identity_sightings, identifiers_of
from support.partitions import groups

SEED = 29
SETTINGS = Identity(logins_per_device=2, logins_per_identifier=2, devices_per_login=3)
ALIASES = "identifier_kind string, old_identifier string, identifier string, old_key_id string, key_id string"


def by_key(name: str, key: int) -> str:
    return f"{name}.k{key}"


def visits(count: int = 120) -> list[Seen]:
    rng = random.Random(SEED)
    return [
        Seen(
            rng.choice([f"d{n}" for n in range(14)]),
            rng.choice([None, *(f"a{n}" for n in range(8))]),
            rng.randrange(5000),
            None,
            {"mail": f"m{rng.randrange(9)}"} if rng.random() < 0.2 else None,
        )
        for _ in range(count)
    ]


def resolved(spark: SparkSession, seen: list[Seen], newest: DataFrame | None = None) -> DataFrame:
    sightings = build_identity_sightings(events_of(spark, seen)).localCheckpoint()
    one_key = sightings if newest is None else with_newest_identifiers(sightings, newest).localCheckpoint()
    links = build_identity_links(one_key, SETTINGS)
    components = build_components(identifiers_of(one_key), links, SETTINGS)
    return components if newest is None else with_old_identifiers(components, newest, identifiers_of(sightings))


def test_two_changes_of_the_key_change_no_person(spark: SparkSession) -> None:
    seen = visits()
    third = len(seen) // 3
    eras = [seen[:third], seen[third : 2 * third], seen[2 * third :]]
    rekeyed = [one for key, era in enumerate(eras) for one in renamed(era, lambda name, key=key: by_key(name, key))]
    names = {("device", one.device) for one in seen} | {("login", one.login) for one in seen if one.login}
    names |= {("mail", name) for one in seen for name in (one.others or {}).values()}
    pairs = [(kind, by_key(n, k), by_key(n, k + 1), f"k{k}", f"k{k + 1}") for kind, n in sorted(names) for k in (0, 1)]
    newest = newest_aliases(spark.createDataFrame(pairs, ALIASES), 2).localCheckpoint()
    found = [(key.rsplit(".", 1)[0], label) for key, label in labels_of(resolved(spark, rekeyed, newest))]
    assert len(found) > len(names), "identifiers of older keys are listed too"
    assert groups(found) == groups(labels_of(resolved(spark, seen))), f"seed {SEED}"


def test_who_did_not_come_again_keeps_the_old_name(spark: SparkSession) -> None:
    seen = [Seen("d.k0", "a.k0", 0), Seen("e.k0", "a.k0", 1), Seen("f.k0", None, 2), Seen("d.k1", "a.k1", 9)]
    pairs = [("device", "d.k0", "d.k1", "k0", "k1"), ("login", "a.k0", "a.k1", "k0", "k1")]
    newest = newest_aliases(spark.createDataFrame(pairs, ALIASES), 1)
    a_person = {"login:a.k0", "login:a.k1", "device:d.k0", "device:d.k1", "device:e.k0"}
    assert groups(labels_of(resolved(spark, seen, newest))) == {frozenset(a_person), frozenset({"device:f.k0"})}


def test_what_names_identifiers_names_the_newest(spark: SparkSession) -> None:
    pairs = [("login", "a.k0", "a.k1", "k0", "k1"), ("device", "a.k0", "other", "k0", "k1")]
    newest = newest_aliases(spark.createDataFrame(pairs, ALIASES), 1)
    cuts = spark.createDataFrame(
        [("login", "a.k0", "device", "d.k0"), ("login", "a.k1", "device", "a.k0")],
        "left_kind string, left_identifier string, right_kind string, right_identifier string",
    )
    assert sorted(map(tuple, with_newest_names(cuts, newest, "left", "right").collect())) == [
        ("login", "a.k1", "device", "d.k0"),
        ("login", "a.k1", "device", "other"),
    ]
