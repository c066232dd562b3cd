"""Rules: the file that ships, and every fault at once with near misses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from personalake.conditions import Branch, Leaf, Quantile, leaves
from personalake.errors import ConfigError
from personalake.tables.features.chinese import title_zh
from personalake.tables.profile_features import FEATURE_BY_NAME
from personalake.tags import load_rules, parse_rules
from personalake.tags.tree import vocabulary_of

SHIPPED = Path(__file__).resolve().parents[2] / "conf" / "tags.yaml"


def rule(tag: str = "t", **fields: Any) -> dict[str, Any]:
    return {"tag": tag, "label": "T", "label_zh": "签", "when": {"feature": "order_count", "above": 0}, **fields}


def faults_of(*rules: Any) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse_rules({"tags": list(rules)}, "tags.yaml")
    return [str(fault) for fault in error.value.faults]


def test_the_shipped_rules_are_right() -> None:
    rules = {r.tag: r for r in load_rules(SHIPPED)}
    assert len(rules) >= 25
    assert {"new", "returning", "high_frequency", "low_frequency", "high_income", "low_income"} <= rules.keys()
    assert len({r.label for r in rules.values()}) == len({r.label_zh for r in rules.values()}) == len(rules)
    assert rules["brand_fan"].value == "top_brand"
    assert rules["high_value"].when == Leaf("money_minor", "at_least", (Quantile("money_minor", 0.8, "positive"),))
    assert isinstance(rules["lapsing"].when, Branch)


def test_every_feature_of_the_shipped_rules_is_called_something_in_both_languages() -> None:
    named = {leaf.feature for rule in load_rules(SHIPPED) for leaf in leaves(rule.when)}
    assert len(named) >= 30
    assert sorted(name for name in named if title_zh(name) == name) == []
    assert sorted(name for name in named & FEATURE_BY_NAME.keys() if not FEATURE_BY_NAME[name].meaning) == []


CASES: dict[str, tuple[Any, str]] = {
    "unknown feature": (
        rule(when={"feature": "order_cont", "above": 0}),
        "names 'order_cont'. Did you mean order_count?",
    ),
    "unknown operator": (
        rule(when={"feature": "order_count", "at_leest": 0}),
        "is no operator. Did you mean at_least?",
    ),
    "unknown branch": (rule(when={"al": []}), "has al. Did you mean all?"),
    "unknown key": (rule(lable="x"), "lable: is not known. Did you mean label?"),
    "operator of another kind": (
        rule(when={"feature": "gender", "above": 1}),
        "Operators of a text: is, known, one_of.",
    ),
    "text for a number": (rule(when={"feature": "order_count", "above": "3"}), "is '3'. A number, or {quantile: 0.8}."),
    "truth for a number": (rule(when={"feature": "order_count", "above": True}), "is True. A number"),
    "number for a truth": (rule(when={"feature": "is_new", "is": 1}), "true or false."),
    "no number": (rule(when={"feature": "order_count", "above": float("nan")}), "is nan."),
    "quantile above 1": (
        rule(when={"feature": "order_count", "above": {"quantile": 80}}),
        "is 80. A number from 0 to 1.",
    ),
    "quantile among nobody": (
        rule(when={"feature": "order_count", "above": {"quantile": 0.8, "among": "positiv"}}),
        "mean positive?",
    ),
    "quantile of a text": (rule(when={"feature": "gender", "is": {"quantile": 0.8}}), "A text."),
    "between downwards": (rule(when={"feature": "order_count", "between": [3, 1]}), "goes from 3 down to 1."),
    "between of one": (rule(when={"feature": "order_count", "between": [3]}), "has 1 values. It takes 2."),
    "two operators": (rule(when={"feature": "order_count", "above": 0, "below": 3}), "has 2 operators."),
    "no operator": (rule(when={"feature": "order_count"}), "has 0 operators."),
    "no condition": (rule(when=None), "is no condition."),
    "empty all": (rule(when={"all": []}), "is no list of conditions."),
    "no label": (rule(label=" "), "label: is missing."),
    "a name that is none": (rule("night owl"), "tag: is 'night owl'."),
    "a map without a key": (rule(when={"feature": "segment.", "is": "x"}), "names 'segment.'."),
    "a prediction is a number": (rule(when={"feature": "prediction.buys", "is": "x"}), "A number"),
    "a value that is none": (rule(value="top_brnd"), "Did you mean top_brand?"),
    "no mapping": ("new", "is no mapping."),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_told(name: str) -> None:
    given, text = CASES[name]
    (fault,) = faults_of(given)
    assert text in fault, fault


def test_all_faults_come_at_once() -> None:
    found = faults_of(*[given for given, _ in CASES.values()], rule("twice"), rule("twice"))
    assert len(found) == len(CASES) + 1
    assert "tags.yaml: twice: is there twice. Names are unique." in found


def test_conditions_too_deep_are_refused() -> None:
    tree: dict[str, Any] = {"feature": "order_count", "above": 0}
    for _ in range(12):
        tree = {"not": tree}
    assert "lies too deep" in faults_of(rule(when=tree))[0]


@pytest.mark.parametrize("content", [None, [], {"tags": {}}, {"tags": [], "more": 1}])
def test_a_file_of_another_shape_is_refused(content: Any, tmp_path: Path) -> None:
    file = tmp_path / "tags.yaml"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match="has no list `tags` alone"):
        load_rules(file)


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read.*tags\.file"):
        load_rules(tmp_path / "none.yaml")
    (tmp_path / "broken.yaml").write_text("tags: [")
    with pytest.raises(ConfigError, match="is no YAML"):
        load_rules(tmp_path / "broken.yaml")


def test_a_segment_or_prediction_that_is_not_made_is_told() -> None:
    known = vocabulary_of(["kmeans", "rfm_grid"], ["buys_30d"])
    wrong = [{"feature": "segment.rfm_gird", "is": "x"}, {"feature": "prediction.buys_30", "above": 0}]
    right = [{"feature": "segment.rfm_grid", "is": "x"}, {"feature": "predicted.buys_30d", "is": "x"}]
    with pytest.raises(ConfigError) as error:
        parse_rules({"tags": [rule(when={"any": wrong})]}, "tags.yaml", known)
    told = [str(fault) for fault in error.value.faults]
    assert told[0].endswith("names 'segment.rfm_gird'. Did you mean segment.rfm_grid?")
    assert told[1].endswith("names 'prediction.buys_30'. Did you mean prediction.buys_30d?")
    assert len(parse_rules({"tags": [rule(when={"any": right})]}, "tags.yaml", known)) == 1
