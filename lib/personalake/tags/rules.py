"""Tag rules read from YAML and checked whole: every fault at once, before any data is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from personalake.conditions import Vocabulary, leaves, parse_tree, read_rules_file
from personalake.errors import ConfigError, Fault, near_miss
from personalake.tags.tree import VOCABULARY, Rule

NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")

_RULE_KEYS = ("tag", "label", "label_zh", "when", "value")


def load_rules(path: str | Path, vocabulary: Vocabulary = VOCABULARY) -> tuple[Rule, ...]:
    """The rules of a file.

    Args:
        path: a YAML file with one list, `tags`.
        vocabulary: what they can speak of.

    Raises:
        ConfigError: with everything that is wrong in it.
    """
    return parse_rules(read_rules_file(path, "tags.file"), str(Path(path)), vocabulary)


def parse_rules(content: Any, where: str, vocabulary: Vocabulary = VOCABULARY) -> tuple[Rule, ...]:
    """The rules of a parsed file.

    Args:
        content: `{tags: [rule, …]}`; a rule has tag, label, label_zh, when, and value where it shall not be the first
            feature that `when` names.
        where: what faults call the file.
        vocabulary: what they can speak of.

    Raises:
        ConfigError: with everything that is wrong in it.
    """
    given = content.get("tags") if isinstance(content, Mapping) else None
    if not isinstance(given, list) or len(content) != 1:
        raise ConfigError(Fault(where, "has no list `tags` alone.", "It holds one list: tags: [{tag: …, when: …}, …]"))
    faults: list[Fault] = []
    rules: dict[str, Rule] = {}
    for number, raw in enumerate(given, start=1):
        rule = _rule(raw, f"{where}: tag {number}", faults, vocabulary)
        if rule and rule.tag in rules:
            faults.append(Fault(f"{where}: {rule.tag}", "is there twice.", "Names are unique."))
        elif rule:
            rules[rule.tag] = rule
    if faults:
        raise ConfigError(*faults)
    return tuple(rules.values())


def _rule(raw: Any, where: str, faults: list[Fault], vocabulary: Vocabulary) -> Rule | None:
    if not isinstance(raw, Mapping):
        faults.append(Fault(where, "is no mapping.", f"Keys: {', '.join(_RULE_KEYS)}."))
        return None
    before = len(faults)
    tag = raw.get("tag")
    if isinstance(tag, str) and NAME.match(tag):
        where = f"{where} ({tag})"
    else:
        faults.append(Fault(f"{where}.tag", f"is {tag!r}.", "Letters, digits and _ (at most 64), no digit first."))
    for key in raw:
        if key not in _RULE_KEYS:
            faults.append(Fault(f"{where}.{key}", "is not known.", near_miss(str(key), _RULE_KEYS)))
    for key in ("label", "label_zh"):
        if not isinstance(raw.get(key), str) or not raw[key].strip():
            faults.append(Fault(f"{where}.{key}", "is missing.", "Readers need it."))
    tree = parse_tree(raw.get("when"), f"{where}.when", faults, vocabulary)
    value = raw.get("value")
    if value is not None and vocabulary.kind_of(str(value)) is None:
        faults.append(Fault(f"{where}.value", f"names {value!r}.", near_miss(str(value), vocabulary.names)))
    if len(faults) > before or tree is None:
        return None
    return Rule(str(tag), raw["label"], raw["label_zh"], tree, value or next(leaves(tree)).feature)
