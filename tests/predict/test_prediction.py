"""Labels after the day, features before it; models that find what is there, by scikit-learn's and numpy's measure."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import roc_auc_score

from personalake.predict.answers import likeliest_class, yes_or_no
from personalake.predict.classifier import Classifier, fit_classifier
from personalake.predict.encoding import MISSING, NUMBER, VALUE, Dimension, Encoding, fit_encoding
from personalake.predict.labels import Facts, only_asked, with_class, with_label
from personalake.predict.measure import measured
from personalake.predict.rules import build_rules, leaves
from personalake.predict.settings import Attribute, Buys, Churns, Predict, Responds
from personalake.predict.tenths import with_decile
from personalake.tables.ingest import ITEMS
from personalake.tables.predictions import PREDICTION_RULES, PREDICTIONS
from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS, PROFILES
from personalake.tables.spec import schema_faults
from support.profile_rows import event_frame, table_frame

DAY = date(2024, 5, 1)
SEED = 23
SETTINGS = Predict(least_positives=20, least_leaf_persons=10, trees=8, depth=3)
KINDS = ("decision_tree", "gbt", "linear_svm")


def persons(spark: SparkSession, size: int = 900) -> DataFrame:
    """Persons with label: who came lately, has orders and likes shoes says yes more often; money is noise."""
    rng = random.Random(SEED)
    rows = []
    for n in range(size):
        recency, orders = rng.randrange(60), rng.choice((0, 0, 0, 1, 2, 5))
        category = rng.choice(("shoes", "hats", "hats", None))
        pull = 1.2 - 0.06 * recency + 0.5 * orders + 1.5 * (category == "shoes") - 1.5
        label = float(rng.random() < 1 / (1 + np.exp(-pull)))
        money = rng.randrange(10_000) if rng.random() < 0.7 else None
        gender = rng.choice(("f", "f", "m")) if rng.random() < 0.6 else None
        rows.append((f"p{n:04d}", recency, orders, category, money, gender, orders > 0, label))
    told = spark.createDataFrame(
        rows, "person_id string, recency_days int, order_count bigint, top_category string, money_minor bigint,"
        " gender string, has_login boolean, label double",
    )  # fmt: skip
    rest = [F.lit(None).cast(c.type).alias(c.name) for c in PROFILES.cols if c.name not in told.columns]
    return told.select("*", *rest)


@pytest.fixture(scope="module")
def examples(spark: SparkSession) -> DataFrame:
    return persons(spark).localCheckpoint()


@pytest.fixture(scope="module")
def encoding(examples: DataFrame) -> Encoding:
    return fit_encoding(examples, ("has_login",), categories=2, least=10)


def held_out(examples: DataFrame) -> tuple[DataFrame, DataFrame]:
    is_out = F.pmod(F.xxhash64("person_id"), F.lit(3)) == 0
    return examples.where(~is_out), examples.where(is_out)


def test_features_become_numbers(spark: SparkSession, examples: DataFrame, encoding: Encoding) -> None:
    """Alike and excluded features are left out; a missing value is filled by the mean, and marked."""
    told = examples.toPandas()
    means = {name: float(f"{told[name].mean():.6g}") for name in ("recency_days", "order_count", "money_minor")}
    assert set(encoding.dimensions) == {
        *(Dimension(name, NUMBER, fill=mean) for name, mean in means.items()),
        Dimension("money_minor", MISSING),
        Dimension("top_category", VALUE, text="hats"),
        Dimension("top_category", VALUE, text="shoes"),
        Dimension("gender", VALUE, text="f"),
        Dimension("gender", VALUE, text="m"),
    }
    assert {d.feature for d in encoding.without(["gender", "recency_days"]).dimensions} == {
        "order_count", "money_minor", "top_category",
    }  # fmt: skip
    row = examples.where("money_minor IS NULL AND top_category = 'shoes' AND order_count = 5")
    found = row.select(encoding.column().alias("plain"), encoding.column(is_log=True).alias("log")).head()
    by_name = dict(zip([(d.feature, d.kind, d.text) for d in encoding.dimensions], found.plain, strict=True))
    logs = dict(zip([(d.feature, d.kind, d.text) for d in encoding.dimensions], found.log, strict=True))
    assert by_name["money_minor", NUMBER, ""] == means["money_minor"] and by_name["money_minor", MISSING, ""] == 1
    assert (by_name["top_category", VALUE, "shoes"], by_name["top_category", VALUE, "hats"]) == (1, 0)
    assert logs["order_count", NUMBER, ""] == pytest.approx(np.log(6)) and logs["money_minor", MISSING, ""] == 1


@pytest.fixture(scope="module", params=KINDS)
def learned(request: pytest.FixtureRequest, examples: DataFrame, encoding: Encoding) -> tuple[Classifier, DataFrame]:
    """A model of each kind, and what it says of those held out."""
    train, test = held_out(examples)
    classifier = fit_classifier(train, encoding, request.param, SETTINGS, seed=7)
    return classifier, classifier.with_probability(test).localCheckpoint()


def test_quality_is_scikit_learns_and_numpys(learned: tuple[Classifier, DataFrame]) -> None:
    classifier, scored = learned
    told = scored.toPandas()
    assert told.probability.between(0, 1).all() and classifier.reason == ""
    metrics = {
        (name, k, step): (value, low, high, count)
        for _, _, _, name, k, step, _, value, low, high, count in measured(
            scored.select("person_id", "probability", "label"), DAY, classifier.kind, "x"
        )
    }
    auc, low, high, count = metrics["auc", 0, 0]
    assert auc == pytest.approx(roc_auc_score(told.label, told.probability), abs=1e-9)
    assert auc > 0.7 and low < auc < high and count == len(told), f"seed {SEED}"
    best_first = told.sort_values("probability", ascending=False, kind="stable")
    for k in range(1, 11):
        precision, *_, seen = metrics["precision", k, 0]
        assert seen == sum(metrics["actual_share", 0, step][3] for step in range(1, k + 1))
        assert abs(seen - len(told) * k / 10) <= 1
        assert metrics["lift", k, 0][0] == pytest.approx(precision / told.label.mean())
        # Among equal probabilities anybody may come first: the truth lies between their worst and best.
        edge = best_first.probability.iloc[seen - 1]
        sure, tied = told[told.probability > edge], told[told.probability == edge]
        left = seen - len(sure)
        least = sure.label.sum() + max(0, left - (tied.label == 0).sum())
        most = sure.label.sum() + min(left, tied.label.sum())
        assert least <= round(precision * seen) <= most
    assert metrics["precision", 10, 0][0] == pytest.approx(told.label.mean())
    expected = sum(metrics["expected_share", 0, s][0] * metrics["expected_share", 0, s][3] for s in range(1, 11))
    assert expected / len(told) == pytest.approx(told.probability.mean(), abs=1e-6)
    assert abs(told.probability.mean() - told.label.mean()) < 0.1, "calibrated in the large"


def test_any_partitioning_learns_the_same(
    learned: tuple[Classifier, DataFrame], examples: DataFrame, encoding: Encoding
) -> None:
    classifier, scored = learned
    train, test = held_out(examples.repartition(5, "money_minor"))
    again = fit_classifier(train, encoding, classifier.kind, SETTINGS, seed=7).with_probability(test)
    assert sorted(again.select("person_id", "probability").collect()) == sorted(
        scored.select("person_id", "probability").collect()
    )


def test_a_tree_in_words_sends_persons_where_the_tree_does(examples: DataFrame, encoding: Encoding) -> None:
    tree = fit_classifier(examples, encoding, "decision_tree", SETTINGS, seed=7)
    scored = tree.with_probability(examples).localCheckpoint()
    rules = build_rules(tree, scored, DAY, "buys", "v1")
    assert [f for f in schema_faults(rules.schema, PREDICTION_RULES) if "run_id" not in f.where] == []
    rows = sorted(rules.collect(), key=lambda row: row.rule_rank)
    told, found = scored.toPandas(), leaves(tree.model.toDebugString)
    points = np.array(
        examples.select("person_id", encoding.column()).orderBy("person_id").toPandas().iloc[:, 1].tolist()
    )
    told = told.sort_values("person_id").reset_index(drop=True)
    assert sum(row.person_count for row in rows) == len(told) and len(rows) == len(found) > 3
    assert [row.probability for row in rows] == sorted((row.probability for row in rows), reverse=True)
    for leaf in found:
        here = np.ones(len(told), dtype=bool)
        for place, bounds in leaf.ranges.items():
            here &= (points[:, place] > (-np.inf if bounds.low is None else bounds.low)) & (
                points[:, place] <= (np.inf if bounds.high is None else bounds.high)
            )
        assert (told.leaf[here] == leaf.number).all() and here.sum() == (told.leaf == leaf.number).sum()
        assert told.label[here].mean() == pytest.approx(leaf.probability), "a leaf keeps its share"
    assert {(row.person_count, row.probability) for row in rows} == {
        (int((told.leaf == leaf.number).sum()), round(leaf.probability, 9)) for leaf in found
    }


def test_few_answers_leave_a_target_out(examples: DataFrame, encoding: Encoding) -> None:
    few = examples.withColumn("label", (F.col("person_id") < "p0005").cast("double"))
    found = fit_classifier(few, encoding, "gbt", SETTINGS, seed=7)
    assert found.reason == "5 of 900 persons say yes, and 20 of each answer are needed to learn from"
    with pytest.raises(ValueError, match="the model was not trained: 5 of 900 persons say yes"):
        found.with_probability(examples)
    nobody = fit_classifier(examples.limit(0), encoding, "gbt", SETTINGS, seed=7)
    assert nobody.reason == "0 of 0 persons say yes, and 20 of each answer are needed to learn from"


def test_persons_all_alike_teach_nothing(spark: SparkSession) -> None:
    alike = table_frame(spark, PROFILES, [{"person_id": f"p{n}", "order_count": 1, "gender": "f"} for n in range(9)])
    nothing = fit_encoding(alike, (), categories=2, least=1)
    assert nothing == Encoding(())
    found = fit_classifier(alike.withColumn("label", F.lit(1.0)), nothing, "gbt", SETTINGS, seed=7)
    assert found.reason == "no feature tells one person from another"


def test_tenths_are_equal_and_the_likeliest_come_first(spark: SparkSession) -> None:
    rng = random.Random(SEED)
    rows = [(f"p{n:03d}", rng.choice((0.1, 0.1, 0.10004, 0.9, round(rng.random(), 3)))) for n in range(203)]
    told = with_decile(spark.createDataFrame(rows, "person_id string, probability double")).toPandas()
    sizes = told.decile.value_counts().sort_index()
    assert list(sizes.index) == list(range(1, 11)) and set(sizes) == {20, 21}
    lows, highs = told.groupby("decile").probability.min(), told.groupby("decile").probability.max()
    assert all(lows[n] >= highs[n + 1] for n in range(1, 10)), f"seed {SEED}"
    one = with_decile(spark.createDataFrame([("p", 0.5)], "person_id string, probability double")).collect()
    assert [row.decile for row in one] == [1]


def test_answers_are_rows_of_the_table(spark: SparkSession) -> None:
    scored = spark.createDataFrame([("a", 0.5), ("b", 0.49)], "person_id string, probability double")
    rows = yes_or_no(scored, DAY, "gbt", "buys", "v1")
    assert [f for f in schema_faults(rows.schema, PREDICTIONS) if "run_id" not in f.where] == []
    assert sorted((r.person_id, r.value, r.probability, r.decile) for r in rows.collect()) == [
        ("a", 1.0, 0.5, 1), ("b", 0.0, 0.49, 6),
    ]  # fmt: skip
    two = likeliest_class({"f": scored}, ("f", "m"), DAY, "gbt", "gender", "v1")
    assert sorted((r.person_id, r.value_text, r.probability) for r in two.collect()) == [
        ("a", "f", 0.5), ("b", "m", 0.51),
    ]  # fmt: skip
    others = spark.createDataFrame([("a", 0.2), ("b", 0.49)], "person_id string, probability double")
    none = spark.createDataFrame([("a", 0.1), ("b", 0.0)], "person_id string, probability double")
    three = likeliest_class({"x": none, "y": scored, "z": others}, ("x", "y", "z"), DAY, "gbt", "age", "v1")
    assert sorted((r.person_id, r.value_text, r.probability) for r in three.collect()) == [
        ("a", "y", 0.625), ("b", "y", 0.5),
    ]  # fmt: skip


def day_row(person: str, days: int, verb: str = "view", item: str | None = None) -> dict[str, Any]:
    row = {"person_id": person, "event_date": DAY + timedelta(days=days), "event_type": verb}
    return row | ({"item_id": item} if item else {})


def test_labels_come_from_the_days_ahead_alone(spark: SparkSession) -> None:
    """The day before and the day after the window change nothing; its first and last day count."""
    days = [
        day_row("before", -1, "buy"), day_row("first", 0, "buy"), day_row("last", 6, "buy"), day_row("after", 7, "buy"),
        day_row("looks", 3), day_row("stranger", 3, "buy"),
    ]  # fmt: skip
    items = [day_row("first", 0, "buy", "shoe"), day_row("last", 6, "buy", "hat"), day_row("looks", 3, "view", "shoe")]
    known = ("before", "first", "last", "after", "looks", "away")
    profiles = table_frame(
        spark, PROFILES, [{"person_id": p, "recency_days": 40 if p == "away" else 5, "gender": "f" if p < "b" else
                           ("m" if p < "c" else None)} for p in known]
    )  # fmt: skip
    at = datetime(2024, 5, 2)
    clicks = [
        {"event_id": name, "event_at": at, "event_date": DAY + timedelta(days=ahead), "event_type": verb,
         "campaign_id": campaign, "is_bot": False, "person_id": name}
        for name, ahead, verb, campaign in (
            ("first", 0, "click", "spring"), ("last", 1, "open", "summer"), ("looks", 1, "view", "spring"),
            ("after", 9, "click", "spring"),
        )
    ]  # fmt: skip
    facts = Facts(
        table_frame(spark, PERSON_DAYS, days),
        table_frame(spark, PERSON_ITEM_DAYS, items),
        table_frame(spark, ITEMS, [{"item_id": "shoe", "category": "shoes"}, {"item_id": "hat", "category": "hats"}]),
        event_frame(spark, clicks),
    )

    def yes(target: Any) -> tuple[list[str], int]:
        rows = with_label(profiles, target, facts, DAY).collect()
        return sorted(row.person_id for row in rows if row.label == 1), len(rows)

    assert yes(Buys(days=7)) == (["first", "last"], 6)
    assert yes(Buys(days=7, category="shoes")) == (["first"], 6)
    assert yes(Churns(days=7, active_days=30)) == (["after", "before"], 5)
    assert yes(Churns(days=7, active_days=60)) == (["after", "away", "before"], 6)
    assert yes(Responds(days=7)) == (["first", "last"], 6)
    assert yes(Responds(days=7, campaign="spring")) == (["first"], 6)
    assert only_asked(profiles, Churns(active_days=30)).count() == 5
    said = with_class(profiles, Attribute(feature="gender"), "f").collect()
    assert sorted((row.person_id, row.label) for row in said) == [("after", 1.0), ("away", 1.0), ("before", 0.0)]
