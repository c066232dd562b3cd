"""The stage on real tables: what can be learned is answered, what cannot is left out with a word."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession

from personalake.config import load_settings
from personalake.errors import ConfigError
from personalake.job import Job
from personalake.packaged import conf_folder
from personalake.stages import predict, profiles, segments
from personalake.store.read import read
from personalake.store.schema import ensure_tables
from personalake.tables.evaluate import MODEL_METRICS
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import CUSTOMER_VERSIONS, EVENTS, ITEM_VERSIONS
from personalake.tables.predictions import PREDICTION_RULES, PREDICTIONS
from personalake.tables.profiles import PROFILES
from personalake.tables.segments import SEGMENTS
from personalake.tables.spec import Table
from support.rows import quick_queries, write_tables

pytestmark = pytest.mark.slow
SEED, PERSONS, DAYS = 9, 90, 40
START = datetime(2024, 3, 1, 12, tzinfo=UTC)
AS_OF = START.date() + timedelta(days=DAYS)
TARGETS = """
buys_10d: {kind: buys, days: 10}
responds_10d: {kind: responds, days: 10}
buys_60d: {kind: buys, days: 60}
gender: {kind: attribute, feature: gender}
"""


def events(person: int, rng: random.Random) -> list[dict[str, Any]]:
    """A person who looks around every other day; every second one buys often. After the as-of day everybody buys."""
    rows = []
    for n in range(0, DAYS + 10, 2):
        at = START + timedelta(days=n, minutes=person)
        verb = "buy" if n >= DAYS or (person % 2 and rng.random() < 0.3) else "view"
        rows.append(
            {"event_id": f"{person:03d}-{n:02d}", "event_at": at, "event_date": at.date(), "source": "web",
             "platform": "web", "device_class": "pc", "event_type": verb, "login_id": f"p{person:03d}", "item_id": "i1",
             "amount_minor": 500 if verb == "buy" else None, "amount_base_minor": 500 if verb == "buy" else None,
             "currency": "EUR"}
        )  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def jobs(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Job]:
    """Profiles and predictions of one warehouse; two of three persons say a gender: buyers f, the others m."""
    root, rng = str(tmp_path_factory.mktemp("predict") / "lake"), random.Random(SEED)
    given: dict[Table, list[dict[str, Any]]] = {
        EVENTS: [event for person in range(PERSONS) for event in events(person, rng)],
        IDENTITY_MAP: [
            {"identifier_kind": "login", "identifier": f"p{n:03d}", "person_id": f"p{n:03d}"} for n in range(PERSONS)
        ],
        CUSTOMER_VERSIONS: [
            {"login_id": f"p{n:03d}", "gender": "f" if n % 2 else "m", "effective_at": START}
            for n in range(PERSONS) if n % 3
        ],
        ITEM_VERSIONS: [{"item_id": "i1", "category": "hats", "effective_at": START}],
    }  # fmt: skip
    write_tables(root, given)
    settings = load_settings(
        [str(conf_folder() / "base.yaml")],
        [f"warehouse.root={root}", "predict.least_positives=5", "predict.least_leaf_persons=5", "predict.depth=2",
         f"predict.targets={{{', '.join(TARGETS.strip().splitlines())}}}"],
    )  # fmt: skip
    made = {}
    for stage in (profiles.STAGE, predict.STAGE):
        ensure_tables(spark, root, [*stage.reads, *stage.writes])
        made[stage.name] = Job(spark, settings, stage, f"run-{stage.name}", START, AS_OF)
        with quick_queries(spark):
            stage.run(made[stage.name])
    return made


def rows_of(job: Job, table: Table) -> list[Row]:
    return read(job.spark, job.root, table).collect()


def test_every_target_is_learned_or_left_out_with_a_word(jobs: dict[str, Job]) -> None:
    border = {n: (date(2024, 4, 10) - timedelta(days=n)).isoformat() for n in (10, 20)}
    told = jobs["predict"].detail
    assert told["buys_10d_decision_tree"].startswith("AUC ")
    assert told["buys_10d_decision_tree"].endswith(f"learned as of {border[20]}, tested as of {border[10]}")
    assert told["responds_10d_decision_tree"] == (
        "left out: 0 of 90 persons say yes, and 5 of each answer are needed to learn from"
    )
    assert told["buys_60d_decision_tree"] == "left out: nothing is known before 2024-02-10"
    assert told["gender_decision_tree"].endswith("tested on other persons as of 2024-04-10")


def test_everybody_asked_has_an_answer_and_it_is_right(jobs: dict[str, Job]) -> None:
    """Whatever comes after the as-of day, when everybody buys, is not known: who never bought is not expected to."""
    answers = {(row.target, row.person_id): row for row in rows_of(jobs["predict"], PREDICTIONS)}
    everybody = {f"p{n:03d}" for n in range(PERSONS)}
    assert {target for target, _ in answers} == {"buys_10d", "gender"}
    mine = {person: row for (name, person), row in answers.items() if name == "buys_10d"}
    assert mine.keys() == everybody
    assert all((row.value == 1) == (int(person[1:]) % 2 == 1) for person, row in mine.items())
    assert {row.decile for row in mine.values()} == set(range(1, 11))
    said = {person: row for (name, person), row in answers.items() if name == "gender"}
    assert said.keys() == {f"p{n:03d}" for n in range(0, PERSONS, 3)}
    assert all(row.value_text == ("f" if int(person[1:]) % 2 else "m") for person, row in said.items())
    assert len({row.model_version for row in answers.values()}) == 2


def test_metrics_and_rules_go_with_them(jobs: dict[str, Job]) -> None:
    metrics = rows_of(jobs["predict"], MODEL_METRICS)
    assert {row.audience for row in metrics if row.stage == "predict"} == {"buys_10d", "gender=f"}
    auc = {row.audience: row.value for row in metrics if row.metric == "auc"}
    assert all(value > 0.95 for value in auc.values()), auc
    # 45 buyers are too few for the lifetime models, and their words are the other stage's.
    assert jobs["profiles"].detail["bg_nbd"] == "45 persons ever bought and 50 are needed"
    rules = rows_of(jobs["predict"], PREDICTION_RULES)
    for target, persons in (("buys_10d", 90), ("gender=f", 30)):
        mine = sorted((row.rule_rank, row.person_count) for row in rules if row.target == target)
        assert [rank for rank, _ in mine] == list(range(1, len(mine) + 1)) and len(mine) > 1
        assert sum(count for _, count in mine) == persons
    assert read(jobs["predict"].spark, jobs["predict"].root, PROFILES).count() == PERSONS


def test_a_tree_of_segments_tells_apart_who_is_likely_to(jobs: dict[str, Job], spark: SparkSession) -> None:
    """Half of the persons buy often: the leaves of a tree on the probability are the buyers and the others."""
    before = jobs["predict"]
    overrides = ["segments.method=likely", "segments.methods={likely: {kind: tree, target: prediction.buys_10d}}"]
    base = [str(conf_folder() / "base.yaml")]
    wrong = load_settings(base, [f"warehouse.root={before.root}", *overrides])
    stage = segments.STAGE
    ensure_tables(spark, before.root, [*stage.reads, *stage.writes])
    with pytest.raises(ConfigError, match=r"segments\.methods\.likely\.target: buys_10d is no target of predict\."):
        stage.run(Job(spark, wrong, stage, "run-segments", START, AS_OF))
    targets = f"predict.targets={{{', '.join(TARGETS.strip().splitlines())}}}"
    settings = load_settings(base, [f"warehouse.root={before.root}", targets, *overrides])
    job = Job(spark, settings, stage, "run-segments", START, AS_OF)
    with quick_queries(spark):
        stage.run(job)
    segment = {row.person_id: row.segment_id for row in rows_of(job, SEGMENTS)}
    assert len(segment) == PERSONS
    kinds = {(int(person[1:]) % 2, found) for person, found in segment.items()}
    assert len({kind for kind, _ in kinds}) == 2
    assert {found for kind, found in kinds if kind} & {found for kind, found in kinds if not kind} == set()
