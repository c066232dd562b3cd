"""Tags against plain Python, with reasons, scores and dates."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from personalake.conditions import Quantile
from personalake.tables.identity import IDENTITY_MAP_VERSIONS
from personalake.tables.profiles import PROFILES
from personalake.tables.segments import SEGMENTS
from personalake.tables.spec import schema_faults
from personalake.tables.tags import CONTRADICTED, HIDDEN, RESTORED, TAG_OVERRIDES, TAGS
from personalake.tags import build_tags, fit_thresholds, load_rules, parse_rules
from support.profile_rows import table_frame

SHIPPED = Path(__file__).resolve().parents[2] / "conf" / "tags.yaml"
WEEKS = (date(2024, 5, 6), date(2024, 5, 13), date(2024, 5, 20))
SEED = 41


def rules_of(**trees: Any) -> Any:
    rules = [{"tag": t, "label": t, "label_zh": t, **(w if "when" in w else {"when": w})} for t, w in trees.items()]
    return parse_rules({"tags": rules}, "test")


def profiles_of(spark: SparkSession, rows: list[dict[str, Any]], as_of: date = WEEKS[0]) -> DataFrame:
    return table_frame(spark, PROFILES, [{"as_of_date": as_of, **row} for row in rows])


def tags_of(profiles: DataFrame, rules: Any, spark: SparkSession, as_of: date = WEEKS[0], **frames: Any) -> DataFrame:
    segments = frames.get("segments", table_frame(spark, SEGMENTS, []))
    old_tags = frames.get("old_tags", table_frame(spark, TAGS, []))
    more = {name: frames[name] for name in ("predictions", "overrides") if name in frames}
    return build_tags(profiles, segments, rules, fit_thresholds(profiles, rules), old_tags, as_of, **more)


PERSONS = [
    {
        "person_id": "a",
        "order_count": 5,
        "night_share": 0.123456,
        "gender": "f",
        "is_new": True,
        "recency_days": 3,
        "money_minor": 123_456,
    },
    {"person_id": "b", "order_count": 0, "night_share": None, "gender": None, "is_new": False, "recency_days": 60},
]
# name: (rule, {person: (value, score, reason)})
CASES: dict[str, tuple[dict[str, Any], dict[str, tuple[Any, ...]]]] = {
    "above": ({"feature": "order_count", "above": 0}, {"a": ("5", 5.0, "order_count is 5, above 0")}),
    "at_most": ({"feature": "recency_days", "at_most": 3}, {"a": ("3", -3.0, "recency_days is 3, at most 3")}),
    "between": (
        {"feature": "recency_days", "between": [31, 90]},
        {"b": ("60", 60.0, "recency_days is 60, from 31 to 90")},
    ),
    "share": (
        {"feature": "night_share", "at_least": 0.1},
        {"a": ("0.1235", 0.123456, "night_share is 0.1235, at least 0.1")},
    ),
    "unknown_is_not_below": ({"feature": "night_share", "below": 0.1}, {}),
    "truth": ({"feature": "is_new", "is": True}, {"a": ("true", None, "is_new is true")}),
    "text": ({"feature": "gender", "one_of": ["f", "x"]}, {"a": ("f", None, "gender is f, one of f, x")}),
    "unknown": ({"feature": "gender", "known": False}, {"b": (None, None, "gender is unknown")}),
    "negated": ({"not": {"feature": "gender", "is": "f"}}, {"b": (None, None, "not so: gender is unknown")}),
    "either": (
        {"any": [{"feature": "order_count", "above": 3}, {"feature": "recency_days", "above": 30}]},
        {"a": ("5", 5.0, "order_count is 5, above 3"), "b": ("0", 0.0, "recency_days is 60, above 30")},
    ),
    "both": (
        {"all": [{"feature": "order_count", "above": 3}, {"feature": "is_new", "is": True}]},
        {"a": ("5", 5.0, "order_count is 5, above 3; is_new is true")},
    ),
    "quantile": (
        {"feature": "order_count", "at_least": {"quantile": 0.5}},
        {"a": ("5", 5.0, "order_count is 5, at least 2.5 (quantile 0.5 of persons)")},
    ),
    "money": (
        {"feature": "money_minor", "between": [100_000, 200_000]},
        {"a": ("123456", 123_456.0, "money_minor is 123456, from 100000 to 200000")},
    ),
    "other_value": (
        {"value": "recency_days", "when": {"feature": "is_new", "is": True}},
        {"a": ("3", 3.0, "is_new is true")},
    ),
    "segment": (
        {"feature": "segment_name", "is": "Night owls"},
        {"b": ("Night owls", None, "segment_name is Night owls")},
    ),
    "segment_of_a_method": (
        {"feature": "segment.rfm_grid", "one_of": ["Champions", "Loyal buyers"]},
        {"b": ("Champions", None, "segment.rfm_grid is Champions, one of Champions, Loyal buyers")},
    ),
    "prediction": (
        {"feature": "prediction.buys_30d", "at_least": 0.5},
        {"a": ("0.75", 0.75, "prediction.buys_30d is 0.75, at least 0.5")},
    ),
    "prediction_of_nobody": ({"feature": "prediction.churns", "at_least": 0.0}, {}),
    "predicted": (
        {"all": [{"feature": "predicted.gender", "is": "f"}, {"feature": "prediction.gender", "above": 0.6}]},
        {"b": ("f", None, "predicted.gender is f; prediction.gender is 0.9, above 0.6")},
    ),
}
PREDICTIONS = [
    ("a", "gbt", "buys_30d", 0.1, None), ("a", "decision_tree", "buys_30d", 0.75, None),
    ("b", "decision_tree", "buys_30d", 0.25, None), ("b", "decision_tree", "gender", 0.9, "f"),
]  # fmt: skip


def test_named_cases(spark: SparkSession) -> None:
    rules = rules_of(**{name: tree for name, (tree, _) in CASES.items()})
    whole = {"person_id": "b", "as_of_date": WEEKS[0]}
    segments = [
        {**whole, "method": "kmeans", "segment_id": "1", "segment_name": "Night owls", "is_main": True},
        {**whole, "method": "rfm_grid", "segment_id": "champions", "segment_name": "Champions", "is_main": False},
    ]
    schema = "person_id string, model string, target string, probability double, value_text string"
    frames = {
        "segments": table_frame(spark, SEGMENTS, segments),
        "predictions": spark.createDataFrame(PREDICTIONS, schema),
    }
    tags = tags_of(profiles_of(spark, PERSONS), rules, spark, **frames)
    assert [f for f in schema_faults(tags.schema, TAGS) if "run_id" not in f.where] == []
    rows = tags.collect()
    assert {(r.tag, r.person_id): (r.value_text, r.score, r.reason) for r in rows} == {
        (name, person): told for name, (_, who) in CASES.items() for person, told in who.items()
    }
    assert {r.since_date for r in rows} == {r.as_of_date for r in rows} == {WEEKS[0]}
    in_chinese = {r.tag: r.reason_zh for r in rows}
    assert in_chinese["between"] == "距最近行为天数 为 60，在 31 至 90 之间"
    assert in_chinese["quantile"] == "订单数 为 5，不低于 2.5（所有人的 0.5 分位数）"
    assert in_chinese["money"] == "消费金额 为 1,234.56，在 1,000.00 至 2,000.00 之间"
    assert in_chinese["truth"] == "新客 为 是"
    assert in_chinese["predicted"] == "gender 的预测值 为 f；gender 的预测概率 为 0.9，高于 0.6"
    assert in_chinese["negated"] == "并非：性别 为 未知"
    assert all(r.reason_zh and " is " not in r.reason_zh for r in rows)
    nobody = rules_of(guess={"feature": "prediction.buys_30d", "at_least": 0.0})
    assert tags_of(profiles_of(spark, PERSONS), nobody, spark).collect() == [], "without predictions no rule on one"
    assert tags_of(profiles_of(spark, PERSONS), (), spark).collect() == []


def test_since_lasts_while_the_tag_does(spark: SparkSession) -> None:
    """Three weeks: a has the tag in all, b in the first and the last, c in the last."""
    rules = rules_of(buyer={"feature": "order_count", "above": 0})
    old = table_frame(spark, TAGS, [])
    for week, buyers in zip(WEEKS, ("ab", "a", "abc"), strict=True):
        rows = [{"person_id": p, "order_count": int(p in buyers)} for p in "abc"]
        tags = tags_of(profiles_of(spark, rows, week), rules, spark, week, old_tags=old)
        old = old.unionByName(tags).localCheckpoint()
    last = {r.person_id: r.since_date for r in old.where(old.as_of_date == WEEKS[2]).collect()}
    assert last == {"a": WEEKS[0], "b": WEEKS[2], "c": WEEKS[2]}


# person, tag, day from which on, word
WORDS = [
    ("a", "buyer", WEEKS[0], HIDDEN), ("b", "buyer", WEEKS[1], CONTRADICTED), ("c", "buyer", WEEKS[0], HIDDEN),
    ("c", "buyer", WEEKS[1], RESTORED), ("d", "other", WEEKS[0], HIDDEN), ("e", "buyer", WEEKS[2], HIDDEN),
]  # fmt: skip


def test_what_a_person_hid_or_contradicted_is_no_tag(spark: SparkSession) -> None:
    rules = rules_of(buyer={"feature": "order_count", "above": 0})
    profiles = profiles_of(spark, [{"person_id": p, "order_count": 1} for p in "abcde"], WEEKS[1])
    said = [dict(zip(("person_id", "tag", "as_of_date", "state"), word, strict=True)) for word in WORDS]
    words = table_frame(spark, TAG_OVERRIDES, said), table_frame(spark, IDENTITY_MAP_VERSIONS, [])
    tags = tags_of(profiles, rules, spark, WEEKS[1], overrides=words)
    assert {r.person_id for r in tags.collect()} == {"c", "d", "e"}, "the last word counts, and none of later days"


def test_quantiles_equal_numpy_and_a_hundred_tags_are_one_pass(spark: SparkSession) -> None:
    rng = random.Random(SEED)
    rows = [{"person_id": str(n), "money_minor": rng.choice((None, 0, rng.randrange(9999)))} for n in range(80)]
    shares = [round(n / 100, 4) for n in range(100)]
    rules = rules_of(
        **{
            f"q{n}": {"feature": "money_minor", "at_least": {"quantile": s, "among": "positive"}}
            for n, s in enumerate(shares)
        }
    )
    profiles = profiles_of(spark, rows)
    thresholds = fit_thresholds(profiles, rules)
    values = [r["money_minor"] for r in rows if r["money_minor"]]
    for share in shares:
        expected = np.quantile(values, share)
        assert thresholds[Quantile("money_minor", share, "positive")] == pytest.approx(expected, abs=1e-6), (
            f"seed {SEED}"
        )
    tags = build_tags(
        profiles, table_frame(spark, SEGMENTS, []), rules, thresholds, table_frame(spark, TAGS, []), WEEKS[0]
    )
    edges = [np.quantile(values, share) - 1e-9 for share in shares]
    expected_rows = {
        (str(n), f"q{i}")
        for n, r in enumerate(rows)
        for i, edge in enumerate(edges)
        if (r["money_minor"] or -1) >= edge
    }
    assert {(r.person_id, r.tag) for r in tags.collect()} == expected_rows, f"seed {SEED}"
    plan = tags._jdf.queryExecution().optimizedPlan().toString()
    assert plan.count("Generate explode") == 1
    assert "Union" not in plan


def test_the_shipped_rules_run_on_persons_of_whom_nothing_is_known(spark: SparkSession) -> None:
    profiles = profiles_of(spark, [{"person_id": "x"}])
    assert tags_of(profiles, load_rules(SHIPPED), spark).collect() == []
