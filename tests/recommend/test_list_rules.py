"""Rules on lists: the file that ships, and every fault at once with near misses."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from personalake.conditions import Branch, Leaf
from personalake.errors import ConfigError
from personalake.recommend.rules import DEFAULT_RULES, Ruleset, load_rules, parse_rules
from personalake.recommend.rules.kinds import Boost
from personalake.recommend.rules.load import KINDS

SHIPPED = Path(__file__).resolve().parents[2] / "conf" / "rules.yaml"
WINE = {"feature": "item.category", "is": "wine"}
ADULT = {"feature": "person.age_band", "one_of": ["18-24", "25-34"]}


def faults_of(*rules: Any) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parse_rules({"rules": list(rules)}, "rules.yaml")
    return [str(fault) for fault in error.value.faults]


def test_the_shipped_rules_are_the_defaults() -> None:
    assert load_rules(SHIPPED) == DEFAULT_RULES


def test_the_shipped_file_tells_every_kind() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"#   {kind} " not in text] == []


def test_rules_know_whom_they_speak_of() -> None:
    rules = parse_rules(
        {
            "rules": [
                {"code": "RUL-001", "kind": "allow", "when": WINE, "only": ADULT},
                {"code": "RUL-002", "kind": "exclude", "when": WINE},
                {"code": "RUL-003", "kind": "price_cap", "above": 1},
                {"code": "RUL-004", "kind": "pin", "item": "i", "rank": 1,
                 "audience": {"feature": "person.region", "is": "north"}},
            ]
        },
        "",
    )  # fmt: skip
    wine, adult = Leaf("item.category", "is", ("wine",)), Leaf("person.age_band", "one_of", ("18-24", "25-34"))
    dear = Branch("all", (Leaf("person.top_price_band", "is", ("low",)), Leaf("item.price_band", "one_of", ("high",))))
    assert rules.item_exclusions == (("RUL-002", wine),)
    assert rules.pair_exclusions == (
        ("RUL-001", Branch("all", (wine, Branch("not", (adult,))))),
        ("RUL-003", Branch("any", (dear,))),
    )
    assert rules.person_columns == ("age_band", "region", "top_price_band")


@pytest.mark.parametrize(
    ("day", "holds"),
    [(None, False), (date(2024, 2, 29), False), (date(2024, 3, 1), True), (date(2024, 3, 9), True),
     (date(2024, 3, 10), False)],
)  # fmt: skip
def test_a_promotion_holds_from_its_first_day_to_its_last(day: date | None, holds: bool) -> None:
    given = {"code": "RUL-001", "kind": "boost", "when": WINE, "factor": 2, "from": "2024-03-01", "until": "2024-03-09"}
    (boost,) = parse_rules({"rules": [given]}, "").rules
    assert isinstance(boost, Boost)
    assert boost.holds_on(day) is holds
    assert Ruleset((boost,)).boosts == (boost,)


def rule(kind: str, **fields: Any) -> dict[str, Any]:
    return {"code": "RUL-009", "kind": kind, **fields}


CASES: dict[str, tuple[Any, str]] = {
    "unknown kind": (rule("exclude_baught"), "kind: is 'exclude_baught'. Did you mean exclude_bought?"),
    "no kind": ({"code": "RUL-009"}, "(RUL-009).kind: is missing. Allowed: allow,"),
    "no code": ({"kind": "available_only"}, "rule 1.code: is missing."),
    "a code that is none": ({"code": "rule 1", "kind": "available_only"}, "code: is 'rule 1'. Three capitals,"),
    "unknown key": (rule("exclude_bought", dais=3), "dais: is not known. Did you mean days?"),
    "no days": (rule("exclude_bought", days=0), "days: is 0."),
    "no days of a category": (rule("exclude_bought", days_by_category={"tea": 0}), "days_by_category.tea: is 0."),
    "no condition": (rule("exclude"), "when: is missing. A rule of kind exclude needs it."),
    "unknown column": (
        rule("exclude", when={"feature": "item.categry", "is": "x"}),
        "when.feature: names 'item.categry'. Did you mean item.category?",
    ),
    "unknown feature": (
        rule("allow", when=WINE, only={"feature": "person.age_bnd", "is": "x"}),
        "only.feature: names 'person.age_bnd'. Did you mean person.age_band?",
    ),
    "no prefix": (rule("exclude", when={"feature": "category", "is": "x"}), "Did you mean item.category?"),
    "operator of another kind": (rule("exclude", when={"feature": "item.brand", "above": 3}), "Operators of a text"),
    "a quantile": (
        rule("exclude", when={"feature": "item.price_minor", "above": {"quantile": 0.5}}),
        "above: is {'quantile': 0.5}. A number.",
    ),
    "nothing of an item": (rule("exclude", when=ADULT), "when: names nothing of an item."),
    "an item in an audience": (rule("pin", item="i", rank=1, audience=WINE), "audience: names something of an item."),
    "no factor": (rule("boost", when=WINE, factor=0), "factor: is 0. Input should be greater than 0."),
    "endless factor": (rule("boost", when=WINE, factor=float("inf")), "factor: is inf."),
    "days that are none": (rule("boost", when=WINE, factor=2, until="soon"), "until: is 'soon'."),
    "days downwards": (
        {**rule("boost", when=WINE, factor=2, until="2024-01-01"), "from": "2024-01-02"},
        "cannot be. from 2024-01-02 comes after until 2024-01-01.",
    ),
    "no rank": (rule("pin", item="i", rank=0), "rank: is 0."),
    "a cap of something else": (rule("cap", by="titel", limit=1), "by: is 'titel'."),
    "no mapping": ("available_only", "rule 1: is no mapping."),
}


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_told(name: str) -> None:
    given, text = CASES[name]
    (fault,) = faults_of(given)
    assert text in fault, fault


def test_all_faults_come_at_once() -> None:
    pin = {"kind": "pin", "item": "i", "rank": 1}
    given = [given for given, _ in CASES.values()]
    given += [{"code": "RUL-100", **pin}, {"code": "RUL-100", **pin}]
    given += [{"code": f"RUL-20{n}", "kind": "exclude_bought"} for n in range(2)]
    found = faults_of(*given)
    assert len(found) == len(CASES) + 4
    assert found[-4:] == [
        "rules.yaml: RUL-009: is there twice. Codes are unique.",
        "rules.yaml: RUL-100: is there twice. Codes are unique.",
        "rules.yaml: has several rules of kind exclude_bought. Say other days in days_by_category of one rule.",
        "rules.yaml: pins i more than once. One rule per item: join the audiences by `any`.",
    ]


@pytest.mark.parametrize("content", [None, [], {"rules": {}}, {"rules": [], "more": 1}])
def test_a_file_that_is_no_list_of_rules(content: Any) -> None:
    with pytest.raises(ConfigError, match="has no list `rules` alone"):
        parse_rules(content, "rules.yaml")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: .* Name it in rules.file"):
        load_rules(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("rules: [")
    with pytest.raises(ConfigError, match="is no YAML"):
        load_rules(tmp_path / "bad.yaml")
