"""ALS by conjugate gradients: the loss of MLlib, the same bits however it is dealt, a clear no where it is too big."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.errors import ConfigError, DataError
from personalake.recommend import Als, FittedAls
from personalake.recommend.als_arrow import collected_items
from personalake.recommend.als_loss import als_loss
from personalake.recommend.als_one_job import fit_in_one_job
from personalake.recommend.als_rounds import HalfStep, fit_by_rounds
from personalake.recommend.als_slices import Problem, cuts_of
from personalake.recommend.als_solve import Form, principal_axes
from personalake.recommend.node_arrays import put_on_nodes
from personalake.recommend.product.matrix import matrix_of

TASTES = 4
# A ridge strong enough that any start comes to the same end.
FORMS = {
    "implicit": {"implicit": True, "regularisation": 1.0, "alpha": 2.0},
    "explicit": {"implicit": False, "regularisation": 0.5},
}
LAST = 7


def seeded_pairs(seed: int = 3, persons: int = 120, items: int = 50) -> pd.DataFrame:
    """Persons of four tastes, and how much each liked what they met."""
    rng = np.random.default_rng(seed)
    tastes, kinds = rng.integers(0, TASTES, persons), rng.integers(0, TASTES, items)
    person, item = np.nonzero(rng.random((persons, items)) < np.where(tastes[:, None] == kinds[None, :], 0.5, 0.15))
    weight = np.where(tastes[person] == kinds[item], 4.0, 1.0) + rng.random(len(person))
    ids = {"person_id": [f"p{n}" for n in person], "item_id": [f"i{n}" for n in item]}
    return pd.DataFrame(ids).assign(weight=weight.round(3))


def by_id(factors: DataFrame) -> dict[Any, np.ndarray]:
    return {row[0]: np.array(row["factors"]) for row in factors.collect()}


def losses_of(fitted: FittedAls) -> dict[int, float]:
    return {row["step"]: row["loss"] for row in fitted.losses.collect()}


def dense_loss(pairs: pd.DataFrame, fitted: FittedAls) -> float:
    """The definition, over every cell, in plain numpy."""
    persons, items = by_id(fitted.person_factors), by_id(fitted.item_factors)
    form, total = fitted.settings, 0.0
    known = {(row.person_id, row.item_id): row.weight for row in pairs.itertuples()}
    for person, x in persons.items():
        for item, y in items.items():
            weight, score = known.get((person, item)), float(x @ y)
            if form.implicit:
                confidence = 1.0 + form.alpha * (weight or 0.0)
                total += confidence * ((weight is not None) - score) ** 2
            elif weight is not None:
                total += (weight - score) ** 2
            if weight is not None:
                total += form.regularisation * float(x @ x + y @ y)
    return total


@pytest.fixture(scope="module", params=FORMS)
def case(request: pytest.FixtureRequest, spark: SparkSession) -> Iterator[tuple[pd.DataFrame, dict[str, FittedAls]]]:
    pairs = seeded_pairs()
    frame = spark.createDataFrame(pairs).coalesce(1).persist()
    settings = {"rank": TASTES, "iterations": LAST, "blocks": 1, **FORMS[request.param]}
    fits = {engine: Als(engine=engine, **settings).fit(frame, check=False) for engine in ("mllib", "cg")}
    yield pairs, fits
    for fitted in fits.values():
        fitted.unpersist()
    frame.unpersist()


def test_both_engines_come_to_the_same_loss(case: tuple[pd.DataFrame, dict[str, FittedAls]]) -> None:
    losses = {engine: losses_of(fitted) for engine, fitted in case[1].items()}
    assert list(losses["mllib"]) == [LAST]
    assert losses["cg"][LAST] == pytest.approx(losses["mllib"][LAST], rel=1e-3)


def test_the_loss_told_is_that_of_the_definition_and_falls(case: tuple[pd.DataFrame, dict[str, FittedAls]]) -> None:
    pairs, fits = case
    for engine, fitted in fits.items():
        assert losses_of(fitted)[LAST] == pytest.approx(dense_loss(pairs, fitted), rel=1e-5), engine
    course = [loss for _, loss in sorted(losses_of(fits["cg"]).items())]
    assert len(course) == LAST
    assert course == sorted(course, reverse=True)


def test_folding_in_the_training_histories_gives_the_fitted_persons(
    spark: SparkSession, case: tuple[pd.DataFrame, dict[str, FittedAls]]
) -> None:
    pairs, fits = case
    for engine, fitted in fits.items():
        wanted, found = by_id(fitted.person_factors), by_id(fitted.folded(spark.createDataFrame(pairs)))
        assert wanted.keys() == found.keys()
        limit = 1e-6 if engine == "cg" else 1e-4
        for person, factors in wanted.items():
            np.testing.assert_allclose(found[person], factors, rtol=limit, atol=limit, err_msg=f"{engine} {person}")


def test_the_loss_of_any_factors_can_be_asked_for(
    spark: SparkSession, case: tuple[pd.DataFrame, dict[str, FittedAls]]
) -> None:
    fitted = case[1]["cg"]
    items = collected_items(fitted.item_factors, 10)
    found = als_loss(fitted.interactions, fitted.person_factors, fitted.item_factors, items, Form.of(fitted.settings))
    assert found == pytest.approx(losses_of(fitted)[LAST], rel=1e-6)


def test_order_and_partitions_do_not_change_a_bit(spark: SparkSession) -> None:
    pairs = seeded_pairs(5, 80, 40)
    indexed = pairs.assign(person_index=7, item_index=7)
    frames = [
        spark.createDataFrame(pairs).repartition(1),
        spark.createDataFrame(indexed.sample(frac=1, random_state=1)).repartition(5),
    ]
    fits = [Als(rank=5, iterations=2, engine="cg").fit(frame, check=False) for frame in frames]
    for name in ("person_factors", "item_factors"):
        first, second = (by_id(getattr(fitted, name)) for fitted in fits)
        assert first.keys() == second.keys()
        assert all((first[key] == second[key]).all() for key in first), name
    assert losses_of(fits[0]) == losses_of(fits[1])


@pytest.mark.parametrize("steps", [2, None], ids=["a few steps", "to the end"])
def test_any_number_of_tasks_gives_the_same_bits(spark: SparkSession, steps: int | None) -> None:
    rng = np.random.default_rng(8)
    lengths = rng.integers(1, 6, 300)
    columns = np.concatenate([rng.choice(50, size, replace=False) for size in lengths]).astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    weights = rng.random(len(columns)).astype(np.float32)
    matrix = put_on_nodes(spark, {"item_starts": starts, "item_columns": columns, "item_weights": weights})
    kind = np.float32 if steps else np.float64
    factors = rng.standard_normal((50, 7)).astype(kind)
    spectrum, axes = principal_axes(factors, implicit=True)
    arrays = {"factors": factors @ axes, "spectrum": spectrum, "axes": axes}
    source = put_on_nodes(spark, {name: array.astype(kind) for name, array in arrays.items()})
    before = put_on_nodes(spark, {"factors": rng.standard_normal((300, 7)).astype(np.float32)})
    found = []
    for tasks in (1, 2, 5):
        cuts = cuts_of(lengths, 7, tasks)
        step = HalfStep("item", matrix, source, before, cuts, Form(0.1, 2.0, implicit=True), steps)
        _, *parts = zip(*step.slices(range(len(cuts) - 1)), strict=True)
        found.append([b"".join(part) for part in parts])
    for laid in (matrix, source, before):
        laid.release()
    assert len(found[0][0]) == 300 * 7 * 4
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("form", FORMS)
def test_one_job_gives_the_same_bits_as_a_job_per_half_step(spark: SparkSession, form: str) -> None:
    # More persons than a part of a Gram matrix has rows, so that several tasks make parts; a rank that fills no block.
    rng = np.random.default_rng(4)
    persons, items = np.arange(9000), rng.integers(0, 70, 18_000)
    pairs = np.unique(np.stack([np.concatenate([persons, persons]), items]), axis=1)
    weights = (rng.random(pairs.shape[1]) + 0.5).astype(np.float32)
    matrix = matrix_of(*(pa.chunked_array([pa.array(side)]) for side in pairs), weights)
    settings = Als(rank=7, iterations=3, engine="cg", **FORMS[form])
    problem = Problem.of(matrix, settings)
    one, other = (fit(spark, problem, settings) for fit in (fit_in_one_job, fit_by_rounds))
    assert one[0].shape == (9000, 7) and one[1].shape == (len(matrix.ids), 7)
    assert (one[0] == other[0]).all() and (one[1] == other[1]).all()
    assert one[2] == other[2] and len(one[2]) == 3


def test_work_is_cut_into_parts_of_about_equal_size() -> None:
    lengths = np.array([5000, *[3] * 4000])
    cuts = cuts_of(lengths, 16, 4)
    assert cuts[0] == 0 and cuts[-1] == len(lengths) and (cuts[1:-1] % 64 == 0).all()
    work = np.add.reduceat(lengths + 3, cuts[:-1])
    assert work.max() < 1.3 * work.min()
    assert cuts_of(np.array([2]), 16, 8).tolist() == [0, 1]


@pytest.mark.parametrize("implicit", [True, False])
def test_one_person_one_item_and_heavy_weights_have_finite_answers(spark: SparkSession, implicit: bool) -> None:
    inputs = {
        "one person": [("p", "i", 1.0), ("p", "j", 2.0)],
        "one item": [("p", "i", 1.0), ("q", "i", 2.0)],
        "one pair": [("p", "i", 1.0)],
        "heavy": [("p", "i", 4e7), ("p", "j", 1e-9), ("q", "i", 1.0), ("q", "k", 1e7)],
    }
    for name, rows in inputs.items():
        frame = spark.createDataFrame(rows, "person_id string, item_id string, weight double")
        fitted = Als(rank=3, iterations=2, engine="cg", implicit=implicit, alpha=2.0).fit(frame, check=False)
        for factors in (fitted.person_factors, fitted.item_factors):
            assert all(np.isfinite(row).all() for row in by_id(factors).values()), name
        assert all(np.isfinite(loss) for loss in losses_of(fitted).values()), name


def test_nothing_to_fit_on_is_an_empty_model(spark: SparkSession) -> None:
    frame = spark.createDataFrame([], "person_id bigint, item_id string, weight double")
    fitted = Als(rank=3, engine="cg").fit(frame)
    assert fitted.person_factors.dtypes == [("person_id", "bigint"), ("factors", "array<float>")]
    assert (fitted.person_factors.count(), fitted.item_factors.count(), fitted.losses.count()) == (0, 0, 0)


def test_what_does_not_fit_is_refused_before_any_work(spark: SparkSession) -> None:
    frame = spark.createDataFrame(seeded_pairs())
    with pytest.raises(ConfigError, match=r"allows 1 MiB, and matrix and factors take \d+ MiB.*set engine: mllib"):
        Als(rank=2048, engine="cg", cg_memory_mb=1).fit(frame, check=False)
    heavy = spark.createDataFrame([("p", "i", 1e9)], "person_id string, item_id string, weight double")
    with pytest.raises(DataError, match=r"goes up to 1e\+09; engine cg takes alpha × weight up to 1e\+08"):
        Als(engine="cg").fit(heavy, check=False)
    endless = heavy.selectExpr("person_id", "item_id", "weight * 1e300 AS weight")
    with pytest.raises(DataError, match="MLlib takes ratings up to"):
        Als().fit(endless, check=False)
