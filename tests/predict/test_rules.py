"""A tree as MLlib tells it becomes sentences; each leaf has one range a feature."""

from __future__ import annotations

import numpy as np
import pytest

from personalake.predict.encoding import MISSING, NUMBER, VALUE, Dimension, Encoding
from personalake.predict.measure import auc_deviation
from personalake.predict.rules import Range, leaves, sentence, sentence_zh
from personalake.predict.settings import Predict

SEED = 3
TREE = """DecisionTreeRegressionModel: uid=x, depth=4, numNodes=11, numFeatures=5
  If (feature 0 <= 3.5)
   If (feature 1 <= 0.5)
    Predict: 0.125
   Else (feature 1 > 0.5)
    If (feature 0 <= 1.5)
     Predict: 0.25
    Else (feature 0 > 1.5)
     Predict: 1.0E-4
  Else (feature 0 > 3.5)
   If (feature 2 <= 0.5)
    If (feature 3 <= 0.5)
     Predict: 0.5
    Else (feature 3 > 0.5)
     Predict: 0.625
   Else (feature 2 > 0.5)
    If (feature 4 <= 1234.5)
     Predict: 0.75
    Else (feature 4 > 1234.5)
     Predict: 0.9
"""
ENCODING = Encoding(
    (
        Dimension("order_count_30d", NUMBER),
        Dimension("is_new", NUMBER),
        Dimension("age_band", MISSING),
        Dimension("top_category", VALUE, text="shoes"),
        Dimension("money_minor", NUMBER),
    )
)


def test_leaves_come_from_left_to_right_with_one_range_a_feature():
    found = leaves(TREE)
    assert [(leaf.number, leaf.probability) for leaf in found] == [
        (0, 0.125), (1, 0.25), (2, 0.0001), (3, 0.5), (4, 0.625), (5, 0.75), (6, 0.9),
    ]  # fmt: skip
    assert [leaf.ranges for leaf in found] == [
        {0: Range(high=3.5), 1: Range(high=0.5)},
        {0: Range(high=1.5), 1: Range(low=0.5)},
        {0: Range(low=1.5, high=3.5), 1: Range(low=0.5)},
        {0: Range(low=3.5), 2: Range(high=0.5), 3: Range(high=0.5)},
        {0: Range(low=3.5), 2: Range(high=0.5), 3: Range(low=0.5)},
        {0: Range(low=3.5), 2: Range(low=0.5), 4: Range(high=1234.5)},
        {0: Range(low=3.5), 2: Range(low=0.5), 4: Range(low=1234.5)},
    ]


def test_every_kind_of_question_has_its_sentence():
    found = leaves(TREE)
    assert [sentence(leaf, ENCODING) for leaf in found] == [
        "Orders (30d): at most 3; First event within new_days before the as-of day: no",
        "Orders (30d): at most 1; First event within new_days before the as-of day: yes",
        "Orders (30d): more than 1 and at most 3; First event within new_days before the as-of day: yes",
        "Orders (30d): more than 3; Band of age as the source gives it, else from the year of birth: known;"
        " Category with the most events: not shoes",
        "Orders (30d): more than 3; Band of age as the source gives it, else from the year of birth: known;"
        " Category with the most events: shoes",
        "Orders (30d): more than 3; Band of age as the source gives it, else from the year of birth: not known;"
        " Money of everything bought, refunds not taken off: at most 12.34",
        "Orders (30d): more than 3; Band of age as the source gives it, else from the year of birth: not known;"
        " Money of everything bought, refunds not taken off: more than 12.34",
    ]
    assert [sentence_zh(found[n], ENCODING) for n in (0, 2, 4, 5)] == [
        "近 30 天订单数 不超过 3；新客 为否",
        "近 30 天订单数 大于 1且不超过 3；新客 为是",
        "近 30 天订单数 大于 3；年龄段 已知；最常接触品类 为“shoes”",
        "近 30 天订单数 大于 3；年龄段 未知；消费金额 不超过 12.34",
    ]


def test_a_tree_of_one_leaf_is_everybody():
    (leaf,) = leaves("DecisionTreeRegressionModel: uid=x, depth=0, numNodes=1, numFeatures=5\n  Predict: 0.3\n")
    assert (leaf.probability, sentence(leaf, ENCODING), sentence_zh(leaf, ENCODING)) == (0.3, "everybody", "所有人")


def test_the_spread_of_an_area_is_that_of_exponential_scores():
    """Hanley and McNeil's formula is exact where scores are exponential: against 4,000 drawn samples."""
    rng = np.random.default_rng(SEED)
    yes, no = rng.exponential(4.0, (4000, 51, 1)), rng.exponential(1.0, (4000, 1, 58))
    areas = (yes > no).mean(axis=(1, 2))
    assert areas.mean() == pytest.approx(0.8, abs=0.005)
    assert auc_deviation(0.8, 51, 58) == pytest.approx(areas.std(), rel=0.05), f"seed {SEED}"
    assert auc_deviation(1.0, 3, 3) == 0.0


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"targets": {"x": {"kind": "attribute", "feature": "gendr"}}}, "gendr is no demographic attribute. Did you"),
        ({"targets": {"2 much": {"kind": "buys"}}}, "a target is named by letters, digits and _, a letter first: 2 m"),
        ({"targets": {"x": {"kind": "buys", "days": 0}}}, "greater than or equal to 1"),
        ({"targets": {"x": {"kind": "sells"}}}, "does not match any of the expected tags"),
        ({"exclude_features": ["rfm_cel"]}, "rfm_cel is no feature. Did you mean rfm_cell?"),
        ({"models": []}, "at least 1 item"),
    ],
)
def test_wrong_settings_are_told(given, told):
    with pytest.raises(ValueError) as refusal:
        Predict.model_validate(given)
    assert told in str(refusal.value)
