"""The stage measures what is configured, with what was known before the test days and nothing later."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pyspark.sql import SparkSession

from personalake.evaluate.build import build_model_metrics
from personalake.job import Job
from personalake.recommend import build
from personalake.recommend.learned import fit_ranker
from personalake.stages import evaluate
from personalake.tables.evaluate import MODEL_METRICS
from personalake.tables.ingest import CONSENTS, ITEM_VERSIONS
from personalake.tables.profiles import PERSON_ITEM_DAYS
from support.list_shop import PERSONS, Rows, Shop, item, said_no, took, weeks

TRAIN_AS_OF, WITHIN_THE_TEST = date(2024, 3, 22), date(2024, 3, 25)
RECOMMEND = {
    "algorithms": {
        "near": {"kind": "item_cosine"},
        "in_region": {"kind": "popular", "within": "region"},
        "popular": {"kind": "popular"},
    },
    "blend": {"method": "learned", "learned": {"days": 7, "least_positives": 1}},
    "exclude_seen": False,
}
CUTS = "evaluate={test_days: 7, ks: [3, 6]}"
RULES: list[dict[str, Any]] = [
    {"code": "RUL-001", "kind": "exclude_bought"},
    {"code": "RUL-002", "kind": "available_only"},
    {"code": "RUL-003", "kind": "exclude", "when": {"feature": "item.category", "is": "banned"}},
    {"code": "RUL-004", "kind": "exclude", "when": {"all": [
        {"feature": "item.category", "is": "wine"}, {"feature": "person.region", "is": "south"}]}},
    {"code": "RUL-005", "kind": "pin", "item": "n-7", "rank": 1},
]  # fmt: skip


def shop_rows() -> Rows:
    """What is found out within the test days: n-3 is gone, s-3 is banned, n1 says no. Before: n-5 is banned, n2 no."""
    rows = weeks()
    rows[ITEM_VERSIONS] += [
        item("n-3", WITHIN_THE_TEST, is_available=False), item("s-3", WITHIN_THE_TEST, category="banned"),
        item("n-5", date(2024, 3, 20), category="banned"), item("s-4", date(2024, 2, 2), category="wine"),
        item("n-4", date(2024, 2, 2), category="wine"),
    ]  # fmt: skip
    rows[CONSENTS] += [said_no("n1", WITHIN_THE_TEST), said_no("n2", date(2024, 3, 20))]
    rows[PERSON_ITEM_DAYS] += [took("n0", "n-1", date(2024, 3, 5), "buy"), took("s0", "s-7", WITHIN_THE_TEST, "buy")]
    return rows


class Measured:
    """Lists by model as (person, item), what the blend was learned from, and the run."""

    def __init__(self) -> None:
        self.lists: dict[str, set[tuple[str, str]]] = {}
        self.learned: list[dict[str, set[str]]] = []
        self.job: Job

    def metrics(self, lists: Any, *rest: Any) -> Any:
        self.lists = {name: {(r.person_id, r.item_id) for r in frame.collect()} for name, frame in lists.items()}
        return build_model_metrics(lists, *rest)

    def ranker(self, lists: Any, *rest: Any) -> Any:
        self.learned.append({name: {r.person_id for r in frame.collect()} for name, frame in lists.items()})
        return fit_ranker(lists, *rest)


@pytest.fixture(scope="module")
def measured(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    found = Measured()
    shop = Shop(spark, tmp_path_factory.mktemp("evaluate"), shop_rows(), RECOMMEND, RULES, CUTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "build_model_metrics", found.metrics)
        patch.setattr(build, "fit_ranker", found.ranker)
        found.job = shop.run(evaluate.STAGE)
    found.lists["written"] = {(r.model, r.metric) for r in shop.rows(MODEL_METRICS).collect()}
    return found


def test_lists_within_a_region_are_made_and_learned_from(measured: Measured) -> None:
    within = measured.lists["in_region"]
    assert {person for person, _ in within} == set(PERSONS)
    assert all(person[0] == its_item[0] for person, its_item in within)
    assert measured.job.detail["learned_blend"].endswith("candidates were taken up")
    # Everyone took something up in the week that was learned from, and had a list of the region to take it from.
    assert [names["in_region"] for names in measured.learned] == [set(PERSONS)]
    assert ("in_region", "recall") in measured.lists["written"]


def test_nothing_of_the_test_days_is_known(measured: Measured) -> None:
    for model in ("near", "in_region", "blend", "popular"):
        listed = {its_item for _, its_item in measured.lists[model]}
        assert {"n-3", "s-3"} <= listed, f"{model}: what was gone or banned later could still be had"
    assert ("s0", "s-7") in measured.lists["near"], "what is bought within the test days is not known"
    late, early = ({i for p, i in measured.lists["blend"] if p == person} for person in ("n1", "n2"))
    assert late != early, "who said no within the test days still had a list of the own"


def test_the_configured_rules_hold_in_every_list(measured: Measured) -> None:
    for model in ("near", "in_region", "blend", "popular"):
        pairs = measured.lists[model]
        assert "n-5" not in {its_item for _, its_item in pairs}, f"{model}: banned before the train day"
        assert ("n0", "n-1") not in pairs, f"{model}: bought before"
        assert not {(p, i) for p, i in pairs if p[0] == "s" and i in ("s-4", "n-4")}, f"{model}: no wine in the south"
    assert any(p[0] == "n" and i == "n-4" for p, i in measured.lists["in_region"])
    pinned = {person for person, its_item in measured.lists["blend"] if its_item == "n-7"}
    assert pinned == set(PERSONS), "the blend is what would be published, pins and all"
    assert {p for p, i in measured.lists["in_region"] if i == "n-7"} != set(PERSONS)
