"""The kernels, compiled and by numpy, against libraries and loops: every measure, every weighting."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse as sp

from personalake.recommend import ItemCosine
from personalake.recommend.product import words
from personalake.recommend.product.broadcast import both_orders, ids_of, laid_out, packed_ids
from personalake.recommend.product.compiled import HAS_NUMBA
from personalake.recommend.product.deal import dealt, work_by_item
from personalake.recommend.product.matrix import matrix_of
from personalake.recommend.product.measures import PEARSON, similarities
from personalake.recommend.product.ordering import ordered_by_person
from personalake.recommend.product.rows import Items, Rule, batches_of, nearest
from personalake.recommend.product.weighting import centred, weighted
from support.item_pairs import even_pairs, expected_neighbours, seeded_pairs

SEED = 11
CASES = {
    "raw": ItemCosine(neighbours=100),
    "unit": ItemCosine(neighbours=7, weights="unit"),
    "log_shrunk": ItemCosine(neighbours=5, weights="log", shrink=2.5, min_co_count=2),
    "tfidf": ItemCosine(weights="tfidf"),
    "bm25": ItemCosine(weights="bm25", neighbours=9),
    "jaccard": ItemCosine(measure="jaccard", neighbours=6),
    "jaccard_shrunk": ItemCosine(measure="jaccard", shrink=3.0),
    "conditional": ItemCosine(measure="conditional", neighbours=6),
    "llr": ItemCosine(measure="llr", neighbours=20),
    "pearson": ItemCosine(measure="pearson", min_co_count=3),
    "pearson_all": ItemCosine(measure="pearson", mean="all", min_co_count=2, neighbours=12),
    "euclidean": ItemCosine(measure="euclidean", neighbours=8, min_co_count=2),
}


def found_neighbours(pairs: pd.DataFrame, settings: ItemCosine, compiled: bool) -> list[tuple[str, str, float, int]]:
    product = settings._product()
    columns = [pa.chunked_array([pa.array(pairs[name])]) for name in ("person_id", "item_id")]
    matrix = matrix_of(*columns, pairs["weight"].to_numpy())
    values = weighted(matrix.by_person, product.weights)
    values = centred(values) if product.is_centred else values
    here = laid_out(matrix, values, 3)
    items = Items(here["norms"], here["counts"], here["orders"], values.shape[0])
    by_item, by_person = both_orders(here)
    wanted = np.argsort(matrix.orders).astype(np.int32)
    others, scores, kept = nearest(wanted, by_item, by_person, items, product.rule, compiled)
    ids = matrix.ids.to_pylist()
    rows, at = [], 0
    for item, count in zip(wanted, kept, strict=True):
        for rank in range(count):
            rows.append((ids[item], ids[others[at + rank]], float(scores[at + rank]), rank + 1))
        at += count
    return rows


@pytest.mark.parametrize(
    "compiled", [pytest.param(True, marks=pytest.mark.skipif(not HAS_NUMBA, reason="numba")), False]
)
@pytest.mark.parametrize("case", CASES)
def test_equals_libraries_with_identical_ranks(case: str, compiled: bool) -> None:
    pairs = seeded_pairs(SEED)
    found, wanted = found_neighbours(pairs, CASES[case], compiled), expected_neighbours(pairs, CASES[case])
    assert [(item, other, rank) for item, other, _, rank in found] == [
        (item, other, rank) for item, other, _, rank in wanted
    ], f"{case}, seed {SEED}"
    np.testing.assert_allclose([row[2] for row in found], [row[2] for row in wanted], atol=1e-9, err_msg=f"seed {SEED}")


@pytest.mark.parametrize(
    "compiled", [pytest.param(True, marks=pytest.mark.skipif(not HAS_NUMBA, reason="numba")), False]
)
def test_what_rounding_leaves_of_a_mean_is_no_likeness(compiled: bool) -> None:
    settings = ItemCosine(measure="pearson", mean="all")
    found = found_neighbours(even_pairs(), settings, compiled)
    assert [row[:2] for row in found] == [("too", "up"), ("up", "too")]


@pytest.mark.parametrize("neighbours", [50, 20_000, 10**9])
def test_batches_of_items_stay_small_however_many_neighbours_are_kept(neighbours: int) -> None:
    count = 200_000
    items = Items(np.ones(count), np.ones(count), np.arange(count), 1)
    wanted = np.arange(9000)
    batches = list(batches_of(wanted, items, Rule(neighbours=neighbours)))
    assert np.concatenate(batches).tolist() == wanted.tolist()
    assert max(map(len, batches)) * min(neighbours, count - 1) * 12 <= 64 * 2**20
    assert len(batches) == 3 or neighbours > 50


def test_a_history_of_a_hundred_thousand_items_gives_the_neighbours_of_a_few() -> None:
    rows = [("has all", item) for item in range(100_000)] + [(f"p{p}", item) for p in range(40) for item in (p, p + 1)]
    pairs = pd.DataFrame(rows, columns=["person_id", "item_id"]).assign(weight=1.0)
    matrix = matrix_of(
        *(pa.chunked_array([pa.array(pairs[name])]) for name in ("person_id", "item_id")), np.ones(len(pairs))
    )
    here = laid_out(matrix, matrix.by_person, 1)
    items = Items(here["norms"], here["counts"], here["orders"], matrix.by_person.shape[0])
    by_item, by_person = both_orders(here)
    wanted = np.flatnonzero(np.isin(matrix.ids.to_numpy(), (0, 7, 99_999))).astype(np.int32)
    for rule in (Rule(neighbours=5), Rule("llr", neighbours=5), Rule(neighbours=10**9)):
        found = [nearest(wanted, by_item, by_person, items, rule, compiled) for compiled in {HAS_NUMBA, False}]
        assert found[0][2].tolist() == ([99_999] * 3 if rule.neighbours > 5 else found[0][2].tolist())
        for one, other in zip(found[0], found[-1], strict=True):
            np.testing.assert_array_equal(one, other)


def test_what_very_many_rate_alike_has_no_variance() -> None:
    ratings = np.full(300_000, 0.1)
    total, square = np.cumsum(ratings)[-1], np.cumsum(ratings * ratings)[-1]
    sums = np.array([[len(ratings), square, total, total, square, square]])
    assert similarities(PEARSON, sums, 1.0, 1.0, np.ones(1), np.ones(1), 1.0, 0.0).tolist() == [0.0]
    by_item = centred(sp.csr_matrix(ratings[:, None]))
    assert not by_item.data.any()


@pytest.mark.skipif(not HAS_NUMBA, reason="numba")
def test_a_row_that_touches_most_items_and_one_that_touches_few_are_the_same() -> None:
    # 300 items of which a person has 2 or all: the kernel gathers the one kind of row and scans the other.
    rng = np.random.default_rng(SEED)
    rows = [(f"all{p}", f"i{i:03d}") for p in range(3) for i in range(300)]
    rows += [(f"few{p:03d}", f"j{i:04d}") for p in range(400) for i in rng.choice(3000, 2, replace=False)]
    pairs = pd.DataFrame(rows, columns=["person_id", "item_id"]).assign(weight=1.0)
    settings = ItemCosine(neighbours=11)
    assert found_neighbours(pairs, settings, True) == found_neighbours(pairs, settings, False)


@pytest.mark.parametrize("stripes", [1, 2, 7])
def test_work_is_dealt_evenly(stripes: int) -> None:
    rng = np.random.default_rng(SEED)
    work = np.sort(rng.zipf(1.5, 4000).clip(max=5000))
    stripe_of = dealt(work, stripes)
    shares = np.bincount(stripe_of, weights=work, minlength=stripes)
    assert shares.min() > 0
    assert shares.max() - shares.min() <= work.max(), f"seed {SEED}"


def test_work_is_the_count_of_products() -> None:
    item_starts, item_persons, person_starts = np.array([0, 2, 3]), np.array([0, 1, 1]), np.array([0, 1, 3])
    assert work_by_item(item_starts, item_persons, person_starts).tolist() == [3, 2]


@pytest.mark.parametrize("ids", [["a", "中文", ""], [3, 1 << 40]], ids=["strings", "integers"])
def test_ids_travel_as_bytes(ids: list[str] | list[int]) -> None:
    assert ids_of(packed_ids(pa.array(ids))).to_pylist() == ids


@pytest.mark.skipif(not HAS_NUMBA, reason="numba")
@pytest.mark.parametrize("case", ["raw", "log_shrunk", "pearson", "euclidean"])
def test_packed_words_and_plain_rows_give_the_same(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = seeded_pairs(SEED)
    packed = found_neighbours(pairs, CASES[case], True)
    monkeypatch.setattr(words, "_MOST_VALUES", 0)
    assert found_neighbours(pairs, CASES[case], True) == packed


def test_words_hold_items_and_values() -> None:
    starts, items = np.array([0, 2, 3]), np.array([4, 0, 4], np.int32)
    few = words.rows_of(starts, items, np.array([1.5, 2.5, 1.5]), 5)
    many = words.rows_of(starts, items, np.array([1.5, 2.5, 3.5]), 1 << 31)
    assert (few[3], len(few[2]), many[3]) == (3, 2, words.WORD_BITS)
    for rows, values in ((few, [1.5, 2.5, 1.5]), (many, [1.5, 2.5, 3.5])):
        found = words.items_and_values(rows, np.arange(3))
        assert (found[0].tolist(), found[1].tolist()) == ([4, 0, 4], values)


@pytest.mark.skipif(not HAS_NUMBA, reason="numba")
def test_ties_without_end_are_cut_by_id() -> None:
    # Everybody took everything: all similarities are 1, and every block reaches as far as any other.
    pairs = pd.DataFrame([(p, i) for p in range(3) for i in range(700)], columns=["person_id", "item_id"])
    found = found_neighbours(pairs.assign(weight=1.0), ItemCosine(neighbours=3), True)
    assert [row[1] for row in found[:3]] == [1, 2, 3]
    assert [row[1] for row in found[-3:]] == [0, 1, 2]
    assert {row[2] for row in found} == {1.0}


@pytest.mark.parametrize(
    "is_compiled", [pytest.param(True, marks=pytest.mark.skipif(not HAS_NUMBA, reason="numba")), False]
)
def test_entries_are_ordered_and_repeated_ones_added(is_compiled: bool) -> None:
    rng = np.random.default_rng(SEED)
    persons, items = rng.integers(0, 40, 900).astype(np.int32), rng.integers(0, 25, 900).astype(np.int32)
    values = rng.integers(1, 9, 900).astype(np.float64)
    found = ordered_by_person(persons, items, values, (41, 25), is_compiled)
    wanted = np.zeros((41, 25))
    np.add.at(wanted, (persons, items), values)
    assert (found.toarray() == wanted).all(), f"seed {SEED}"
    assert found.has_canonical_format
