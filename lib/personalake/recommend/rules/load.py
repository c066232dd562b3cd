"""Rules read from YAML and checked whole: every fault at once, before Spark starts."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from personalake.conditions import Leaf, Tree, leaves, parse_tree, read_rules_file
from personalake.errors import ConfigError, Fault, near_miss
from personalake.recommend.rules.kinds import CONDITIONS, AnyRule, ExcludeBought, Pin, Rule
from personalake.recommend.rules.ruleset import ITEM, PERSON, VOCABULARY, Ruleset

KINDS: dict[str, type[Rule]] = {
    kind.model_fields["kind"].default: kind for kind in typing.get_args(typing.get_args(AnyRule)[0])
}
_PLACEHOLDER = Leaf(f"{ITEM}item_id", "known", (True,))


def load_rules(path: str | Path) -> Ruleset:
    """The rules of a file.

    Args:
        path: a YAML file with one list, `rules`.

    Raises:
        ConfigError: with everything that is wrong in it.
    """
    return parse_rules(read_rules_file(path, "rules.file"), str(Path(path)))


def parse_rules(content: Any, where: str) -> Ruleset:
    """The rules of a parsed file.

    Args:
        content: `{rules: [rule, …]}`; a rule has a code, a kind, and what its kind takes.
        where: what faults call the file.

    Raises:
        ConfigError: with everything that is wrong in it.
    """
    given = content.get("rules") if isinstance(content, Mapping) else None
    if not isinstance(given, list) or len(content) != 1:
        todo = "It holds one list: rules: [{code: …, kind: …}, …]"
        raise ConfigError(Fault(where, "has no list `rules` alone.", todo))
    faults: list[Fault] = []
    rules = [_rule(raw, f"{where}: rule {number}", faults) for number, raw in enumerate(given, start=1)]
    known = tuple(rule for rule in rules if rule is not None)
    codes = [str(raw["code"]) for raw in given if isinstance(raw, Mapping) and "code" in raw]
    faults += _double(codes, known, where)
    if faults:
        raise ConfigError(*faults)
    return Ruleset(known)


def _rule(raw: Any, where: str, faults: list[Fault]) -> AnyRule | None:
    if not isinstance(raw, Mapping):
        faults.append(Fault(where, "is no mapping.", "Keys: code, kind, and what the kind takes."))
        return None
    where = f"{where} ({raw['code']})" if isinstance(raw.get("code"), str) else where
    kind = KINDS.get(str(raw.get("kind")))
    if kind is None:
        found = f"is {raw['kind']!r}." if "kind" in raw else "is missing."
        faults.append(Fault(f"{where}.kind", found, near_miss(str(raw.get("kind")), KINDS)))
        return None
    before = len(faults)
    fields = {str(key): value for key, value in raw.items()}
    for name in CONDITIONS:
        if name in kind.model_fields and fields.get(name) is not None:
            fields[name] = _condition(fields[name], f"{where}.{name}", name, faults)
    try:
        rule: Any = kind.model_validate(fields)
    except ValidationError as error:
        faults += [_fault(dict(item), where, kind) for item in error.errors()]
        return None
    return rule if len(faults) == before else None


def _condition(raw: Any, where: str, name: str, faults: list[Fault]) -> Tree:
    """The tree, or a stand-in once its faults are told."""
    before = len(faults)
    tree = parse_tree(raw, where, faults, VOCABULARY)
    if tree is None or len(faults) > before:
        return _PLACEHOLDER
    features = [leaf.feature for leaf in leaves(tree)]
    if name == "when" and not any(feature.startswith(ITEM) for feature in features):
        faults.append(Fault(where, "names nothing of an item.", "Say which items it is about: item.category, …"))
    if name == "audience" and any(not feature.startswith(PERSON) for feature in features):
        faults.append(Fault(where, "names something of an item.", "An audience is told by person.… alone."))
    return tree


def _fault(item: dict[str, Any], where: str, kind: type[Rule]) -> Fault:
    place = ".".join(str(part) for part in item["loc"])
    at = f"{where}.{place}" if place else where
    names = [field.alias or name for name, field in kind.model_fields.items()]
    if item["type"] == "extra_forbidden":
        return Fault(at, "is not known.", near_miss(place, names))
    if item["type"] == "missing":
        return Fault(at, "is missing.", f"A rule of kind {kind.model_fields['kind'].default} needs it.")
    if place == "code":
        return Fault(at, f"is {item['input']!r}.", "Three capitals, a dash and three digits: RUL-001.")
    text = str(item["msg"]).removeprefix("Value error, ")
    return Fault(at, f"is {item['input']!r}." if place else "cannot be.", f"{text}.")


def _double(codes: list[str], rules: tuple[AnyRule, ...], where: str) -> list[Fault]:
    twice = sorted({code for code in codes if codes.count(code) > 1})
    faults = [Fault(f"{where}: {code}", "is there twice.", "Codes are unique.") for code in twice]
    if sum(isinstance(rule, ExcludeBought) for rule in rules) > 1:
        todo = "Say other days in days_by_category of one rule."
        faults.append(Fault(where, "has several rules of kind exclude_bought.", todo))
    items = [rule.item for rule in rules if isinstance(rule, Pin)]
    return faults + [
        Fault(where, f"pins {item} more than once.", "One rule per item: join the audiences by `any`.")
        for item in sorted({item for item in items if items.count(item) > 1})
    ]
