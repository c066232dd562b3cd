"""The three plans give the same rows, those of the libraries; and what a fitted model says from them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession
from scipy.sparse import csr_matrix

from personalake.errors import ConfigError, DataError
from personalake.recommend import ItemCosine
from personalake.recommend.product.neighbours import Product, fit_neighbours
from personalake.recommend.product.rows import Rule
from personalake.recommend.product.shuffle import STRIPE_BYTES, fewest_stripes
from support.item_pairs import Row, even_pairs, expected_neighbours, seeded_pairs, weighted_table

SEED = 11
PLANS = ("join", "broadcast", "shuffle")
CASES = {
    "raw": ItemCosine(neighbours=100),
    "pearson_all": ItemCosine(measure="pearson", mean="all", min_co_count=2),
}
MORE = {
    "bm25": ItemCosine(neighbours=5, weights="bm25", shrink=0.5),
    "llr": ItemCosine(measure="llr", weights="unit", neighbours=9),
    "log": ItemCosine(neighbours=5, weights="log", shrink=2.5, min_co_count=2),
    "tfidf": ItemCosine(weights="tfidf"),
    "jaccard": ItemCosine(measure="jaccard", shrink=1.0),
    "conditional": ItemCosine(measure="conditional", neighbours=6),
    "pearson": ItemCosine(measure="pearson", min_co_count=3),
    "euclidean": ItemCosine(measure="euclidean", neighbours=8, min_co_count=2),
}


def neighbours(spark: SparkSession, pairs: pd.DataFrame, settings: ItemCosine, partitions: int = 3) -> list[Row]:
    frame = spark.createDataFrame(pairs).repartition(partitions)
    fitted = settings.fit(frame, check=False)
    rows = sorted(
        (r.item_id, r.neighbour_rank, r.neighbour_id, r.similarity_score) for r in fitted.neighbours.collect()
    )
    fitted.unpersist()
    return [(item, other, score, rank) for item, rank, other, score in rows]


def check_plans(spark: SparkSession, settings: ItemCosine, case: str) -> None:
    pairs = seeded_pairs(SEED)
    found = {
        plan: neighbours(spark, pairs, settings.model_copy(update={"plan": plan}), partitions)
        for partitions, plan in enumerate(PLANS, 1)
    }
    assert found["join"] == found["broadcast"] == found["shuffle"], f"{case}, seed {SEED}"
    wanted = expected_neighbours(pairs, settings)
    assert [(item, other, rank) for item, other, _, rank in found["join"]] == [
        (item, other, rank) for item, other, _, rank in wanted
    ], f"{case}, seed {SEED}"
    np.testing.assert_allclose([row[2] for row in found["join"]], [row[2] for row in wanted], atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_three_plans_give_the_rows_of_the_libraries(spark: SparkSession, case: str) -> None:
    check_plans(spark, CASES[case], case)


@pytest.mark.slow
@pytest.mark.parametrize("case", MORE)
def test_three_plans_give_the_rows_of_the_libraries_for_all_measures(spark: SparkSession, case: str) -> None:
    check_plans(spark, MORE[case], case)


@pytest.mark.parametrize("plan", PLANS)
def test_what_rounding_leaves_of_a_mean_is_no_likeness(spark: SparkSession, plan: str) -> None:
    settings = ItemCosine(measure="pearson", mean="all", plan=plan)
    assert [row[:2] for row in neighbours(spark, even_pairs(), settings)] == [("too", "up"), ("up", "too")]


def test_who_has_every_item_counts_as_a_person_in_all_plans(spark: SparkSession) -> None:
    # tfidf leaves out what such a person has, and with it the item that nobody else has.
    taken = {"all": "abcd", "p": "ab", "q": "ab", "r": "c", "s": "c"}
    rows = [(person, item, 1.0) for person, items in taken.items() for item in items]
    frame = spark.createDataFrame(rows, "person_id string, item_id string, weight double")
    found = {}
    for plan in PLANS:
        product = Product(Rule("llr"), "tfidf", plan=plan)
        near, _, arrays = fit_neighbours(frame, product)
        found[plan] = [tuple(row) for row in near.orderBy("item_id", "neighbour_id").collect()]
        if arrays is not None:
            arrays.release()
    likely = pytest.approx(2 * (2 * np.log(5 / 2) + 3 * np.log(5 / 3)))
    assert found["join"] == found["broadcast"] == found["shuffle"]
    assert found["join"] == [("a", "b", likely, 1), ("b", "a", likely, 1)]


@pytest.mark.parametrize("plan", ["join", "broadcast"])
def test_indexes_that_ride_along_change_nothing(spark: SparkSession, plan: str) -> None:
    pairs = seeded_pairs(SEED)
    settings = ItemCosine(neighbours=5, plan=plan)
    numbers = {name: pd.factorize(pairs[f"{name}_id"])[0] for name in ("person", "item")}
    indexed = pairs.assign(person_index=numbers["person"], item_index=numbers["item"].max() - numbers["item"])
    assert neighbours(spark, indexed, settings) == neighbours(spark, pairs, settings)


def test_the_plan_is_chosen_by_size_and_told(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = seeded_pairs(SEED)
    frame = spark.createDataFrame(pairs)
    fitted = ItemCosine().fit(frame)
    products = sum(count**2 for count in pairs.groupby("person_id").size())
    size = f"{len(pairs)} entries, {products:,} products, 1 MiB on a node"
    assert str(fitted.choice) == f"broadcast plan (the matrix fits memory_mb 2,048): {size}"
    fitted.unpersist()
    monkeypatch.setattr("personalake.recommend.product.plan.ENTRY_BYTES", 8000)
    fitted = ItemCosine(memory_mb=1).fit(frame, check=False)
    assert str(fitted.choice).startswith("shuffle plan (the matrix does not fit memory_mb 1): ")
    fitted.unpersist()
    with pytest.raises(ConfigError) as refused:
        ItemCosine(memory_mb=1, plan="broadcast").fit(frame)
    told = "memory_mb: is 1, and the matrix takes 2 MiB. Raise it to what the driver can hold, or take plan shuffle."
    assert told in str(refused.value)


def test_the_fewest_stripes_that_fit() -> None:
    # Ten persons with a thousand items each: one stripe holds all of it, many hold a share that never vanishes.
    whole = 10 * 1000 * STRIPE_BYTES
    assert fewest_stripes({1000: 10}, 1) == 1
    assert fewest_stripes({1000: 10 * (1 << 20) // whole * 4}, 1) > 1
    # Persons of one item need no copies: stripes divide the matrix.
    assert fewest_stripes({1: 4 * (1 << 20) // STRIPE_BYTES}, 1) == 4
    # Two million items of one person: however many stripes, each gets the whole history of whom it has an item of.
    with pytest.raises(ConfigError, match=r"memory_mb: is 1, and one of 16,777,216 stripes .* 9 MiB.*history_cap"):
        fewest_stripes({2_000_000: 1}, 1)


def test_a_cap_keeps_the_heaviest_and_says_what_it_dropped(spark: SparkSession) -> None:
    pairs = pd.DataFrame(
        [("p", "a", 3.0), ("p", "b", 1.0), ("p", "c", 1.0), ("q", "b", 1.0), ("q", "c", 2.0)],
        columns=["person_id", "item_id", "weight"],
    )
    fitted = ItemCosine(history_cap=2).fit(spark.createDataFrame(pairs))
    met = {(row.item_id, row.neighbour_id) for row in fitted.neighbours.collect()}
    assert met == {("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")}
    assert "history_cap 2 dropped 1 entries, 12.50% of all weight" in str(fitted.choice)
    fitted.unpersist()


def test_a_history_of_a_hundred_thousand_items_can_be_capped(spark: SparkSession) -> None:
    long = spark.range(100_000).selectExpr("'all' AS person_id", "id AS item_id", "100000.0D - id AS weight")
    rows = [(f"p{n}", item, 1.0) for n in range(5) for item in (n, n + 1)]
    others = spark.createDataFrame(rows, "person_id string, item_id bigint, weight double")
    fitted = ItemCosine(history_cap=20, neighbours=10**9).fit(long.unionByName(others), check=False)
    assert fitted.neighbours.count() == 20 * 19
    assert "history_cap 20 dropped 99,980 entries" in fitted.note
    assert fitted.candidates(long.limit(1), limit=10**9).count() == 0, "who has every item gets none"
    fitted.unpersist()


def test_to_score_takes_what_memory_allows_and_says_so(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personalake.recommend.item_cosine._NEIGHBOUR_BYTES", 1 << 20)
    fitted = ItemCosine(memory_mb=2).fit(spark.createDataFrame(seeded_pairs(SEED)), check=False)
    count = fitted.neighbours.count()
    found = rf"item_cosine.memory_mb: is 2, and to score takes all neighbours on the driver, {count:,} MiB"
    with pytest.raises(ConfigError, match=found):
        fitted.candidates(fitted.interactions)
    fitted.unpersist()


def test_cosines_equal_those_of_implicit(spark: SparkSession) -> None:
    peer = pytest.importorskip("implicit.nearest_neighbours", reason="a peer of make bench, no test package")
    pairs = seeded_pairs(SEED)
    table = weighted_table(pairs, "raw").fillna(0)
    theirs = peer.CosineRecommender(K=len(table.columns), num_threads=1)
    theirs.fit(csr_matrix(table.to_numpy()), show_progress=False)
    alike = theirs.similarity.toarray()
    names = list(table.columns)
    wanted = {
        (names[a], names[b]): alike[a, b] for a, b in zip(*np.nonzero(np.rint(alike * 1e9)), strict=True) if a != b
    }
    found = {(item, other): score for item, other, score, _ in neighbours(spark, pairs, CASES["raw"])}
    assert found == pytest.approx(wanted, abs=1e-8), f"seed {SEED}"


def test_the_broadcast_plan_looks_at_what_it_collects(spark: SparkSession) -> None:
    rows = [("p", "a", 1.0), ("p", "a", 2.0), ("q", None, 1.0), ("q", "b", float("nan")), ("r", "b", -1.0)]
    frame = spark.createDataFrame(rows, "person_id string, item_id string, weight double")
    with pytest.raises(DataError) as refused:
        ItemCosine(plan="broadcast").fit(frame)
    told = str(refused.value)
    assert "interactions.item_id: 1 rows are null" in told
    assert "1 rows are NaN or infinite" in told
    assert "1 rows are zero or negative" in told
    assert "1 rows repeat a person and item" in told
    with pytest.raises(DataError, match="1 rows repeat"):
        ItemCosine().fit(frame.limit(2))


def test_scores_and_reasons_equal_the_matrix_product(spark: SparkSession) -> None:
    pairs = seeded_pairs(seed=12, persons=15, items=20)
    fitted = ItemCosine(neighbours=6).fit(spark.createDataFrame(pairs), check=False)
    near = {(r.item_id, r.neighbour_id): r.similarity_score for r in fitted.neighbours.collect()}
    shares: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for row in pairs.itertuples():
        for (item, other), similar in near.items():
            if other == row.item_id:
                shares.setdefault((row.person_id, item), []).append((-np.rint(row.weight * similar * 1e9) / 1e9, other))
    asked = spark.createDataFrame(list(shares), ["person_id", "item_id"])
    scored = {(r.person_id, r.item_id): r.score for r in fitted.score(asked).collect()}
    assert scored == pytest.approx({pair: -sum(share for share, _ in parts) for pair, parts in shares.items()})
    because = {(r.person_id, r.item_id): r.because_item_id for r in fitted.explain(asked).collect()}
    assert because == {pair: min(parts)[1] for pair, parts in shares.items()}
    fitted.unpersist()


def test_nothing_but_the_plan_is_shuffled(spark: SparkSession) -> None:
    fitted = ItemCosine(plan="broadcast").fit(spark.createDataFrame(seeded_pairs(SEED)), check=False)
    plan = fitted.neighbours._jdf.queryExecution().executedPlan().toString()  # type: ignore[operator]
    assert "MapInArrow" in plan
    assert "Exchange" not in plan
    fitted.unpersist()
