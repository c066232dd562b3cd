"""What every algorithm promises, held to each of them on small seeded input."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.errors import ConfigError
from personalake.recommend import Algorithm, Als, Fitted, ItemCosine, Popular

SEED = 20
ALGORITHMS = [ItemCosine(neighbours=6), Als(rank=3, iterations=2, blocks=2), Popular()]
COLUMNS = [("person_id", "string"), ("item_id", "string"), ("score", "double"), ("candidate_rank", "int")]
TEXT, NUMBER = "person_id string, item_id string, weight double", "person_id bigint, item_id bigint, weight double"
BIG = 2**40
ALL = 1000
Pair = tuple[Any, Any]


def seeded_rows(person: Any = "p{:02d}".format, item: Any = "i{:02d}".format) -> list[tuple[Any, Any, float]]:
    rng = np.random.default_rng(SEED)
    pairs = {(int(p), int(i)) for p, i in zip(rng.integers(0, 14, 90), rng.zipf(1.5, 90) % 16, strict=True)}
    return [(person(p), item(i), float(np.round(rng.random() * 3 + 0.2, 2))) for p, i in sorted(pairs)]


def asked(spark: SparkSession, *names: Any, kind: str = "string") -> DataFrame:
    return spark.createDataFrame([(name,) for name in names], f"person_id {kind}")


def read(candidates: DataFrame) -> dict[Pair, tuple[float, int]]:
    return {(r.person_id, r.item_id): (r.score, r.candidate_rank) for r in candidates.collect()}


class Case(NamedTuple):
    """A fitted algorithm, what it was fitted on, and all it has to say to everybody."""

    algorithm: Algorithm
    fitted: Fitted
    rows: list[tuple[Any, Any, float]]
    persons: DataFrame
    whole: dict[Pair, tuple[float, int]]

    @property
    def seen(self) -> set[Pair]:
        return {(person, item) for person, item, _ in self.rows}


@pytest.fixture(scope="module", params=ALGORITHMS, ids=lambda algorithm: algorithm.kind)
def case(request: pytest.FixtureRequest, spark: SparkSession) -> Any:
    rows = seeded_rows()
    fitted = request.param.fit(spark.createDataFrame(rows, TEXT))
    persons = asked(spark, *(f"p{n:02d}" for n in range(14)), "p00", "nobody", None)
    yield Case(request.param, fitted, rows, persons, read(fitted.candidates(persons, limit=ALL)))
    fitted.unpersist()


def test_columns_and_types(case: Case) -> None:
    assert case.fitted.candidates(case.persons).dtypes == COLUMNS


def test_nothing_seen_nobody_unknown_and_finite_scores(case: Case) -> None:
    assert case.whole and not case.whole.keys() & case.seen
    assert {person for person, _ in case.whole} <= {person for person, _ in case.seen}
    assert all(math.isfinite(score) for score, _ in case.whole.values())


def test_ranks_count_from_one_by_falling_score_then_id(case: Case) -> None:
    for person in {person for person, _ in case.whole}:
        rows = [(-score, item, rank) for (who, item), (score, rank) in case.whole.items() if who == person]
        assert [rank for *_, rank in sorted(rows)] == list(range(1, len(rows) + 1))


def test_a_shorter_list_is_the_head_of_a_longer_one(case: Case) -> None:
    head = read(case.fitted.candidates(case.persons, limit=3))
    assert head == {pair: found for pair, found in case.whole.items() if found[1] <= 3}


def test_order_and_partitions_change_nothing(case: Case, spark: SparkSession) -> None:
    mixed = [case.rows[n] for n in np.random.default_rng(1).permutation(len(case.rows))]
    other = case.algorithm.fit(spark.createDataFrame(mixed, TEXT).repartition(5), check=False)
    found = read(other.candidates(case.persons.repartition(3), limit=ALL))
    other.unpersist()
    assert found.keys() == case.whole.keys()
    for pair, (score, rank) in found.items():
        assert score == pytest.approx(case.whole[pair][0], abs=1e-5)
        assert rank == case.whole[pair][1], pair


def test_scores_of_pairs_are_those_of_the_candidates(case: Case, spark: SparkSession) -> None:
    pairs = [*case.whole, ("nobody", "i00"), ("p00", "nothing"), (None, "i00"), ("nobody", "i00")]
    frame = spark.createDataFrame(
        [(*pair, n) for n, pair in enumerate(pairs)], "person_id string, item_id string, n int"
    )
    scored = case.fitted.score(frame)
    assert scored.dtypes == [("person_id", "string"), ("item_id", "string"), ("n", "int"), ("score", "double")]
    found = {row.n: row.score for row in scored.collect()}
    assert len(found) == len(pairs)
    for n, pair in enumerate(pairs):
        wanted = case.whole.get(pair)
        assert found[n] == (None if wanted is None else pytest.approx(wanted[0], abs=1e-8)), pair


def test_what_to_leave_out_can_be_said(case: Case, spark: SparkSession) -> None:
    first = next(pair for pair, (_, rank) in case.whole.items() if rank == 1)
    without = read(case.fitted.candidates(case.persons, limit=ALL, exclude=spark.createDataFrame([first], TEXT[:-15])))
    assert first not in without and without.keys() >= case.whole.keys() - {first}
    assert without.keys() & case.seen, "what was seen is open now"


def test_a_history_speaks_for_a_person_who_came_later(case: Case, spark: SparkSession) -> None:
    known = case.rows[0][0]
    rows = [("later", item, weight) for person, item, weight in case.rows if person == known] + [
        ("lost", "nothing", 1.0)
    ]
    histories = spark.createDataFrame(rows, TEXT)
    found = read(case.fitted.candidates(asked(spark, "later", known), limit=ALL, histories=histories))
    wanted = {item: score for (person, item), (score, _) in case.whole.items() if person == known}
    assert {person for person, _ in found} == {"later"}
    assert {item: score for (_, item), (score, _) in found.items()} == pytest.approx(wanted, abs=1e-3)


def test_saved_and_loaded_it_says_the_same(case: Case, tmp_path: Path) -> None:
    case.fitted.save(tmp_path / "model")
    loaded = type(case.algorithm).load(tmp_path / "model")
    assert loaded.settings == case.algorithm
    assert read(loaded.candidates(case.persons, limit=ALL)) == case.whole
    other = next(algorithm for algorithm in ALGORITHMS if algorithm.kind != case.algorithm.kind)
    with pytest.raises(ConfigError, match=f"holds a model of kind {case.algorithm.kind}"):
        type(other).load(tmp_path / "model")


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda algorithm: algorithm.kind)
def test_ids_beyond_32_bits_keep_their_type(spark: SparkSession, algorithm: Algorithm) -> None:
    rows = seeded_rows(lambda n: -BIG - n, lambda n: BIG * 2**20 + n)
    fitted = algorithm.fit(spark.createDataFrame(rows, NUMBER), check=False)
    candidates = fitted.candidates(asked(spark, -BIG, -BIG - 1, 5, kind="bigint"), limit=4)
    assert candidates.dtypes[:2] == [("person_id", "bigint"), ("item_id", "bigint")]
    found = read(candidates)
    assert {person for person, _ in found} <= {-BIG, -BIG - 1}
    assert {item for _, item in found} <= {item for _, item, _ in rows}
    fitted.unpersist()


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda algorithm: algorithm.kind)
def test_nothing_one_person_and_one_item_give_right_answers(spark: SparkSession, algorithm: Algorithm) -> None:
    inputs = {
        "nothing": [],
        "one person": [("p", "i", 1.0), ("p", "j", 2.0)],
        "one item": [("p", "i", 1.0), ("q", "i", 2.0)],
    }
    for name, rows in inputs.items():
        fitted = algorithm.fit(spark.createDataFrame(rows, TEXT), check=False)
        assert read(fitted.candidates(asked(spark, "p", "q"))) == {}, name
        fitted.unpersist()
