"""Conditions read from parsed YAML and checked whole: every fault at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from personalake.conditions.comparisons import OPERATORS, operands_of
from personalake.conditions.tree import Branch, Leaf, Tree, Vocabulary
from personalake.errors import Fault, near_miss

BRANCHES = ("all", "any", "not")

_DEEPEST = 10


def parse_tree(raw: Any, where: str, faults: list[Fault], vocabulary: Vocabulary, depth: int = 0) -> Tree | None:
    """A tree of conditions as YAML has it, or None and what is wrong with it.

    Args:
        raw: `{feature: …, operator: …}`, or `{all | any: [condition, …]}`, or `{not: condition}`.
        where: what faults call it.
        faults: gets everything that is wrong.
        vocabulary: what conditions can speak of.
        depth: how deep this tree lies in another one.
    """
    if not isinstance(raw, Mapping) or not raw:
        faults.append(Fault(where, "is no condition.", "{feature: …, operator: …} or {all | any | not: …}"))
        return None
    if depth > _DEEPEST:
        faults.append(Fault(where, "lies too deep.", f"At most {_DEEPEST} levels."))
        return None
    if "feature" in raw:
        return _leaf(raw, where, faults, vocabulary)
    word = str(next(iter(raw)))
    if len(raw) != 1 or word not in BRANCHES:
        keys = ", ".join(str(key) for key in raw)
        faults.append(Fault(where, f"has {keys}.", near_miss(word, (*BRANCHES, "feature"))))
        return None
    return _branch(word, raw[word], f"{where}.{word}", faults, vocabulary, depth)


def _branch(word: str, raw: Any, where: str, faults: list[Fault], vocabulary: Vocabulary, depth: int) -> Branch | None:
    given: Sequence[Any] = [raw] if word == "not" else raw
    if not isinstance(given, list) or not given:
        faults.append(Fault(where, "is no list of conditions.", "At least one is needed."))
        return None
    parts = [parse_tree(part, f"{where}[{n}]", faults, vocabulary, depth + 1) for n, part in enumerate(given, start=1)]
    return Branch(word, tuple(part for part in parts if part is not None))


def _leaf(raw: Mapping[Any, Any], where: str, faults: list[Fault], vocabulary: Vocabulary) -> Leaf | None:
    feature = raw["feature"]
    known = isinstance(feature, str) and vocabulary.kind_of(feature) is not None
    if not known:
        faults.append(Fault(f"{where}.feature", f"names {feature!r}.", near_miss(str(feature), vocabulary.names)))
    operators = [key for key in raw if key != "feature"]
    unknown = [str(key) for key in operators if key not in OPERATORS]
    for key in unknown:
        faults.append(Fault(f"{where}.{key}", "is no operator.", near_miss(key, OPERATORS)))
    if len(operators) != 1 and not unknown:
        faults.append(Fault(where, f"has {len(operators)} operators.", "One condition has one; join more with `all`."))
    if not known or unknown or len(operators) != 1:
        return None
    operator = str(operators[0])
    operands = operands_of(str(feature), operator, raw[operator], f"{where}.{operator}", faults, vocabulary)
    return None if operands is None else Leaf(str(feature), operator, operands)
