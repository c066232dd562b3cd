"""The learned blend: no feature sees the days that tell the label, and what can be learned is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.evaluate.split import relevant_pairs, split_by_time
from personalake.profiles.interactions import interactions_by_person_item
from personalake.recommend import Popular, blend
from personalake.recommend.build import fit_all, fit_blend
from personalake.recommend.learned import Learned, Ranker, fit_ranker
from personalake.recommend.learned.features import feature_names
from personalake.recommend.learned.ranker import examples
from personalake.recommend.propose import proposed_items
from personalake.recommend.request import Request
from personalake.recommend.settings import Recommend

SEED = 3
AS_OF, CUT_DAYS = date(2024, 3, 29), 7
CUT = AS_OF - timedelta(days=CUT_DAYS)
ITEMS = [(f"i{n:02}", "tea" if n % 2 else "wine", f"b{n % 3}", "low") for n in range(12)]
ITEM_COLUMNS = "item_id string, category string, brand string, price_band string"


def person_item_days(seed: int, later_seed: int) -> list[tuple[Any, ...]]:
    """Rows of PERSON_ITEM_DAYS as far as they are read: the same before the cut for one seed, others from then on."""
    rows = []
    for part, first, last in ((seed, CUT - timedelta(days=20), CUT), (later_seed, CUT, AS_OF)):
        rng = np.random.default_rng(part)
        for _ in range(150 if first < CUT else 80):
            day = first + timedelta(days=int(rng.integers((last - first).days)))
            at = datetime(day.year, day.month, day.day, int(rng.integers(24)), tzinfo=UTC)
            rows.append((f"p{rng.integers(12):02}", f"i{rng.integers(12):02}", day, "view", 1, at, at))
    return rows


def frames(spark: SparkSession, rows: list[tuple[Any, ...]]) -> tuple[DataFrame, DataFrame]:
    """Interactions before the cut, and the new pairs from then on."""
    columns = (
        "person_id string, item_id string, event_date date, event_type string, event_count long, "
        "first_at timestamp, last_at timestamp"
    )
    split = split_by_time(spark.createDataFrame(rows, columns).coalesce(1), AS_OF, CUT_DAYS)
    before = interactions_by_person_item(split.train, split.train_as_of, {"view": 1.0}, half_life_days=10)
    return before, relevant_pairs(split.test, before)


def test_no_feature_sees_what_came_after_the_cut(spark: SparkSession) -> None:
    items = spark.createDataFrame(ITEMS, ITEM_COLUMNS).coalesce(1)
    algorithms = {"often": Popular(), "lately": Popular(by="weight", half_life_days=5)}
    found = []
    for later_seed in (SEED + 1, SEED + 2):
        before, after = frames(spark, person_item_days(SEED, later_seed))
        fitted = {name: algorithm.fit(before, check=False) for name, algorithm in algorithms.items()}
        lists = {name: model.candidates(before.select("person_id"), 6) for name, model in fitted.items()}
        rows = examples(lists, before, after, items)
        assert rows.columns == ["person_id", "item_id", "source", *feature_names(2), "label"]
        found.append(sorted(tuple(row) for row in rows.collect()))
        for model in fitted.values():
            model.unpersist()
    one, other = found
    assert len(one) > 40
    assert [row[:-1] for row in one] == [row[:-1] for row in other], f"seed {SEED}"
    labels = [[row[-1] for row in rows] for rows in found]
    assert labels[0] != labels[1] and {*labels[0], *labels[1]} == {0.0, 1.0}
    # Every feature says something here; none is a column of zeros.
    assert np.ptp(np.array([row[3:-1] for row in one]), axis=0).astype(bool)[:-1].all()


PERSONS, CANDIDATES = 80, 12


def planted(spark: SparkSession, seed: int) -> tuple[dict[str, DataFrame], DataFrame, DataFrame]:
    """One list that knows, one that draws lots: a person takes up what stands high in the former."""
    rng = np.random.default_rng(seed)
    wise, blind, taken, history = [], [], [], []
    for p in range(PERSONS):
        person = f"p{seed}{p:03}"
        order, lots = rng.permutation(CANDIDATES), rng.permutation(CANDIDATES)
        wise += [(person, f"i{i:02}", 1.0 / (1 + r), r + 1) for r, i in enumerate(order)]
        blind += [(person, f"i{i:02}", 1.0 / (1 + r), r + 1) for r, i in enumerate(lots)]
        taken += [(person, f"i{i:02}") for r, i in enumerate(order) if rng.random() < (0.8 if r < 3 else 0.05)]
        history.append((person, "i99", 1.0))
    columns = "person_id string, item_id string, score double, candidate_rank int"
    lists = {
        "blind": spark.createDataFrame(blind, columns).coalesce(1),
        "wise": spark.createDataFrame(wise, columns).coalesce(1),
    }
    before = spark.createDataFrame(history, "person_id string, item_id string, weight double").coalesce(1)
    return lists, before, spark.createDataFrame(taken, "person_id string, item_id string").coalesce(1)


def precision_at_3(ranked: DataFrame, taken: DataFrame) -> float:
    truth = {tuple(row) for row in taken.collect()}
    head = [(row.person_id, row.item_id) for row in ranked.where("candidate_rank <= 3").collect()]
    return sum(pair in truth for pair in head) / len(head)


@pytest.fixture(scope="module")
def trained(spark: SparkSession) -> Ranker:
    lists, before, after = planted(spark, 1)
    return fit_ranker(lists, before, after, None, Learned())


def test_a_planted_signal_is_learned(spark: SparkSession, trained: Ranker) -> None:
    lists, before, taken = planted(spark, 2)
    assert trained.is_trained and trained.example_count == PERSONS * CANDIDATES
    learned = trained.rank(lists, before, None, 12)
    assert learned.dtypes == blend(lists).dtypes
    found, plain = precision_at_3(learned, taken), precision_at_3(blend(lists), taken)
    assert found > 0.75 > plain + 0.1, (found, plain)


def test_the_same_rows_give_the_same_model(spark: SparkSession, trained: Ranker) -> None:
    lists, before, after = planted(spark, 1)
    mixed = {name: frame.repartition(3, "item_id") for name, frame in lists.items()}
    again = fit_ranker(mixed, before.repartition(2), after.repartition(3), None, Learned())
    assert again.model.coefficients == trained.model.coefficients
    assert again.model.intercept == trained.model.intercept


@pytest.mark.slow
def test_trees_learn_it_too(spark: SparkSession) -> None:
    lists, before, after = planted(spark, 1)
    ranker = fit_ranker(lists, before, after, None, Learned(model="gbt"))
    lists, before, taken = planted(spark, 2)
    assert precision_at_3(ranker.rank(lists, before, None, 12), taken) > 0.7


def test_with_too_little_to_learn_from_ranks_are_blended(spark: SparkSession) -> None:
    settings = Recommend(
        algorithms={"lately": Popular(half_life_days=5), "popular": Popular()},
        blend={"method": "learned", "weights": {"popular": 1.0}},
        limit=4,
        candidates=6,
    )
    before, after = frames(spark, person_item_days(SEED, SEED + 1))
    ranker = fit_blend(before, after, settings)
    assert not ranker.is_trained
    assert ranker.note.endswith("candidates were taken up and 100 are needed: reciprocal_rank blends instead")
    with pytest.raises(ValueError, match="no ranker was trained for lately, popular"):
        ranker.rank({"lately": before, "popular": before}, before, None, 3)
    fitted = fit_all(before, settings)
    request = Request(before.select("person_id").distinct())
    plain = settings.model_copy(update={"blend": settings.blend.model_copy(update={"method": "reciprocal_rank"})})
    lists = [proposed_items(fitted, chosen, request, ranker).collect() for chosen in (settings, plain)]
    assert lists[0] and sorted(map(str, lists[0])) == sorted(map(str, lists[1]))
    for model in fitted.values():
        model.unpersist()
