"""Re-ranked lists as rows: against the plain greedy, whatever the partitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.recommend.fallbacks import Tier
from personalake.recommend.rank import rank_items
from personalake.recommend.request import Request
from personalake.recommend.rerank import Rerank
from personalake.recommend.rules import parse_rules
from support.greedy_oracle import Candidate, Wish, greedy

SEED = 5
LIMIT = 6
KINDS = ("category", "brand", "price_band")
RERANK = Rerank(mmr_lambda=0.6, calibration=0.3, calibrate_by="category", calibration_smoothing=0.05)
CAPS = parse_rules({"rules": [{"code": "RUL-001", "kind": "cap", "by": "brand", "limit": 2}]}, "")


class Case:
    """Seeded candidates of a few persons, a popular list, a catalogue with gaps, tastes."""

    def __init__(self) -> None:
        rng = np.random.default_rng(SEED)
        values = (["tea", "wine", "bread", None], ["x", "y", "z", None], ["low", "high", None])
        self.items = [(f"i{n:02}", *(kind[rng.integers(len(kind))] for kind in values)) for n in range(30)]
        self.own = [
            (f"p{p}", f"i{n:02}", float(np.round(rng.random(), 1) + 0.1), "als")
            for p in range(6)
            for n in sorted(rng.choice(30, 4 * p, replace=False))
        ]
        self.popular = [("all", f"i{n:02}", float(100 - n)) for n in range(28)]
        self.tastes = [(f"p{p}", "category", "tea", 0.75) for p in range(1, 6)]
        self.tastes += [(f"p{p}", "category", "wine", 0.25) for p in range(1, 6)]

    def ranked(self, spark: SparkSession, rerank: Rerank, rules: Any, partitions: int = 1) -> list[Any]:
        def frame(rows: list[Any], columns: str) -> DataFrame:
            return spark.createDataFrame(rows, columns).repartition(partitions)

        persons = spark.createDataFrame([(f"p{p}",) for p in range(6)], "person_id string")
        items = frame(self.items, ", ".join(f"{name} string" for name in ("item_id", *KINDS)))
        rows = rank_items(
            own=frame(self.own, "person_id string, item_id string, score double, source string"),
            tiers=(Tier("popular", frame(self.popular, "audience string, item_id string, score double")),),
            mask=spark.createDataFrame([], "person_id string, item_id string"),
            request=Request(persons, items, rules=rules),
            limit=LIMIT,
            rerank=rerank,
            tastes=frame(self.tastes, "person_id string, target_kind string, target_id string, taste_share double"),
        )
        return rows.collect()

    def wanted(self, person: str, caps: tuple[tuple[int, int], ...] = ((1, 2),)) -> list[str]:
        mine = sorted(((-score, item) for p, item, score, _ in self.own if p == person))
        others = [item for _, item, _ in self.popular if item not in {item for _, item in mine}]
        attributes = {item: tuple(rest) for item, *rest in self.items}
        best = -mine[0][0] if mine else 1.0
        names = [item for _, item in mine] + others
        candidates = [Candidate(-worst / best, attributes[item]) for worst, item in mine]
        candidates += [Candidate(0.0, attributes[item], False) for item in others]
        taste = {target: share for p, _, target, share in self.tastes if p == person}
        return [names[n] for n in greedy(candidates, Wish(LIMIT, 0.6, 0.3, 0, 0.05, caps, taste))]


@pytest.fixture(scope="module")
def case() -> Case:
    return Case()


@pytest.mark.parametrize("partitions", [1, 3])
def test_lists_are_those_of_the_plain_greedy(spark: SparkSession, case: Case, partitions: int) -> None:
    rows = case.ranked(spark, RERANK, CAPS, partitions)
    listed = sorted((row for row in rows if row.rule_code is None), key=lambda row: row.recommendation_rank)
    for person in (f"p{p}" for p in range(6)):
        mine = [row for row in listed if row.person_id == person]
        assert [row.item_id for row in mine] == case.wanted(person), f"seed {SEED}, {person}"
        assert [row.recommendation_rank for row in mine] == list(range(1, LIMIT + 1))
        scores = [row.score for row in mine]
        assert scores == sorted(scores, reverse=True)
    capped = [row for row in rows if row.rule_code is not None]
    assert capped and {row.rule_code for row in capped} == {"RUL-001"}
    assert {row.recommendation_rank for row in capped} == {None}


def test_price_bands_can_be_capped(spark: SparkSession, case: Case) -> None:
    rule = {"code": "RUL-002", "kind": "cap", "by": "price_band", "limit": 2}
    rows = case.ranked(spark, RERANK, parse_rules({"rules": [rule]}, ""))
    listed = sorted((row for row in rows if row.rule_code is None), key=lambda row: row.recommendation_rank)
    bands = {item: band for item, *_, band in case.items}
    for person in (f"p{p}" for p in range(6)):
        mine = [row.item_id for row in listed if row.person_id == person]
        assert mine == case.wanted(person, ((2, 2),)), f"seed {SEED}, {person}"
        assert all(sum(bands[item] == band for item in mine) <= 2 for band in ("low", "high"))
    assert {row.rule_code for row in rows} == {None, "RUL-002"}
