"""Persons like persons: neighbours equal pandas' correlation, foretold ratings equal Surprise's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import surprise
from pyspark.sql import SparkSession

from personalake.recommend import UserKnn
from support.item_pairs import even_pairs, seeded_pairs

SEED = 21


def ratings() -> pd.DataFrame:
    return seeded_pairs(SEED, persons=24, items=15)


@pytest.mark.parametrize("plan", ["broadcast", "join", "shuffle"])
def test_pearson_equals_pandas(spark: SparkSession, plan: str) -> None:
    pairs = ratings()
    fitted = UserKnn(min_overlap=3, neighbours=100, plan=plan).fit(spark.createDataFrame(pairs))
    wanted = pairs.pivot(index="item_id", columns="person_id", values="weight").corr(min_periods=3)
    close = {(a, b): wanted.loc[a, b] for a in wanted for b in wanted if a != b and np.round(wanted.loc[a, b], 9) > 0}
    found = {(r.person_id, r.neighbour_id): r.similarity_score for r in fitted.neighbours.collect()}
    assert found == pytest.approx(close, abs=1e-9), f"seed {SEED}"
    fitted.unpersist()


def test_foretold_ratings_equal_surprise(spark: SparkSession) -> None:
    pairs = ratings()
    reader = surprise.Reader(rating_scale=(-100, 100))
    train = surprise.Dataset.load_from_df(pairs[["person_id", "item_id", "weight"]], reader).build_full_trainset()
    options = {"name": "pearson", "user_based": True, "min_support": 3}
    theirs = surprise.KNNWithMeans(k=100, min_k=1, sim_options=options, verbose=False).fit(train)
    fitted = UserKnn(min_overlap=3, neighbours=100, predict="mean_centred").fit(spark.createDataFrame(pairs))
    persons, items = sorted(set(pairs["person_id"])), sorted(set(pairs["item_id"]))
    # Of an item a person has rated, theirs counts the person among the neighbours.
    rated = set(zip(pairs["person_id"], pairs["item_id"], strict=True))
    asked = [(person, item) for person in persons for item in items if (person, item) not in rated]
    scored = fitted.score(spark.createDataFrame(asked, ["person_id", "item_id"])).collect()
    # Where no neighbour has rated the item, theirs falls back on a mean and ours says nothing.
    said = {(r.person_id, r.item_id): r.score for r in scored if r.score is not None}
    wanted = {pair: theirs.predict(*pair) for pair in asked}
    known = {pair: guess.est for pair, guess in wanted.items() if guess.details["actual_k"] > 0}
    assert said == pytest.approx(known, abs=1e-6), f"seed {SEED}"
    fitted.unpersist()


@pytest.mark.parametrize(
    "settings",
    [
        UserKnn(min_overlap=1, measure="cosine", neighbours=5),
        UserKnn(min_overlap=2, mean="all", neighbours=4, predict="mean_centred"),
        UserKnn(min_overlap=2, measure="euclidean", neighbours=6, plan="shuffle"),
    ],
    ids=["cosine_sum", "pearson_all_mean_centred", "euclidean_sum"],
)
def test_equals_plain_loops_also_for_persons_who_came_later(spark: SparkSession, settings: UserKnn) -> None:
    pairs = ratings()
    table = pairs.pivot(index="person_id", columns="item_id", values="weight")
    late = "p003"
    fitted = settings.fit(spark.createDataFrame(pairs[pairs["person_id"] != late]))
    history = spark.createDataFrame(pairs[pairs["person_id"] == late])
    found = fitted.candidates(history.select("person_id"), limit=100, histories=history).collect()
    assert {r.item_id: r.score for r in found} == pytest.approx(predictions(table, late, settings), abs=1e-8)
    known = table.drop(late)
    found = fitted.candidates(spark.createDataFrame([("p007",)], "person_id string"), limit=100).collect()
    assert {r.item_id: r.score for r in found} == pytest.approx(predictions(known, "p007", settings), abs=1e-8)
    fitted.unpersist()


@pytest.mark.parametrize("plan", ["broadcast", "join", "shuffle"])
def test_persons_who_rate_all_alike_are_like_nobody(spark: SparkSession, plan: str) -> None:
    pairs = even_pairs().rename(columns={"person_id": "item_id", "item_id": "person_id"})
    fitted = UserKnn(mean="all", min_overlap=1, plan=plan).fit(spark.createDataFrame(pairs), check=False)
    assert {(r.person_id, r.neighbour_id) for r in fitted.neighbours.collect()} == {("up", "too"), ("too", "up")}
    later = pairs[pairs["person_id"].isin(["flat", "up"])]
    near = fitted._near(spark.createDataFrame(later.assign(person_id="late " + later["person_id"])))
    assert {(r.person_id, r.neighbour_id) for r in near.collect()} == {("late up", "up"), ("late up", "too")}
    fitted.unpersist()


@pytest.mark.parametrize("plan", ["broadcast", "join", "shuffle"])
def test_where_equal_weights_leave_nothing_to_correlate_the_note_says_so(spark: SparkSession, plan: str) -> None:
    frame = spark.createDataFrame(ratings().assign(weight=1.0))
    told = "; all weights are equal, so that pearson finds nothing alike: take measure cosine"
    for settings, is_told in ((UserKnn(plan=plan), True), (UserKnn(plan=plan, measure="cosine"), False)):
        fitted = settings.fit(frame, check=False)
        assert fitted.note.endswith(told) == is_told
        assert fitted.neighbours.isEmpty() == is_told
        fitted.unpersist()


def predictions(table: pd.DataFrame, person: str, settings: UserKnn) -> dict[str, float]:
    """What a person's nearest others make of the items the person has not met."""
    likeness = {other: alike(table, person, other, settings) for other in table.index if other != person}
    order = sorted((-np.rint(score * 1e9), other) for other, score in likeness.items() if np.rint(score * 1e9) > 0)
    near = [other for _, other in order[: settings.neighbours]]
    found = {}
    for item in table.columns[table.loc[person].isna()]:
        voices = [other for other in near if not np.isnan(table.loc[other, item])]
        if voices:
            close = np.array([likeness[other] for other in voices])
            said = table.loc[voices, item].to_numpy()
            if settings.predict == "sum":
                found[item] = float(close @ said)
            else:
                gaps = said - table.loc[voices].mean(axis=1).to_numpy()
                found[item] = float(table.loc[person].mean() + close @ gaps / close.sum())
    return found


def alike(table: pd.DataFrame, one: str, other: str, settings: UserKnn) -> float:
    if settings.measure == "cosine":
        left, right = (table.loc[name].fillna(0).to_numpy() for name in (one, other))
        return float(left @ right / (np.linalg.norm(left) * np.linalg.norm(right)))
    if settings.measure == "euclidean":
        gaps = (table.loc[one] - table.loc[other]).dropna()
        return float(1 / (1 + np.linalg.norm(gaps))) if len(gaps) >= settings.min_overlap else 0.0
    centred = table.loc[[one, other]].sub(table.loc[[one, other]].mean(axis=1), axis=0).dropna(axis=1).to_numpy()
    norms = np.linalg.norm(centred, axis=1)
    if centred.shape[1] < settings.min_overlap or not norms.all():
        return 0.0
    return float(centred[0] @ centred[1] / norms.prod())
