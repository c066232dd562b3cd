"""The operators of conditions: what they compare, how they are said, and what they make of a column."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column

from personalake.conditions.tree import Plain, Quantile, Vocabulary
from personalake.errors import Fault, near_miss

AMONG = ("all", "positive")


@dataclass(frozen=True)
class Operator:
    """One way to compare.

    Args:
        kinds: of features it takes.
        count: how many operands; 0 is any number from one on.
        words: how it is said, `{0}` and `{1}` being the operands, `{all}` all of them.
        words_zh: the same in Chinese.
        test: the column and the operands → a boolean column, null where the column is.
        falls: whether less is more: the score is the value negated.
    """

    kinds: tuple[str, ...]
    count: int
    words: str
    words_zh: str
    test: Callable[[Column, Sequence[Any]], Column]
    falls: bool = False


_ANY = ("number", "text", "truth", "date")

OPERATORS: dict[str, Operator] = {
    "above": Operator(("number",), 1, "above {0}", "高于 {0}", lambda c, v: c > v[0]),
    "at_least": Operator(("number",), 1, "at least {0}", "不低于 {0}", lambda c, v: c >= v[0]),
    "below": Operator(("number",), 1, "below {0}", "低于 {0}", lambda c, v: c < v[0], falls=True),
    "at_most": Operator(("number",), 1, "at most {0}", "不高于 {0}", lambda c, v: c <= v[0], falls=True),
    "between": Operator(("number",), 2, "from {0} to {1}", "在 {0} 至 {1} 之间", lambda c, v: c.between(v[0], v[1])),
    "is": Operator(("number", "text", "truth"), 1, "", "", lambda c, v: c == v[0]),
    "one_of": Operator(("number", "text"), 0, "one of {all}", "属于 {all}", lambda c, v: c.isin(list(v))),
    "known": Operator(_ANY, 1, "", "", lambda c, v: c.isNotNull() if v[0] else c.isNull()),
}


def operands_of(
    feature: str, operator: str, raw: Any, where: str, faults: list[Fault], vocabulary: Vocabulary
) -> tuple[Plain | Quantile, ...] | None:
    """The operands of a comparison, or None and what is wrong with them.

    Args:
        feature: a feature of the vocabulary.
        operator: a known operator.
        raw: the operand as the YAML has it; a list where there are several.
        where: what faults call it.
        faults: gets what is wrong.
        vocabulary: what can be spoken of.
    """
    kind, known = vocabulary.kind_of(feature) or "", OPERATORS[operator]
    if kind not in known.kinds:
        allowed = sorted(name for name, other in OPERATORS.items() if kind in other.kinds)
        faults.append(
            Fault(where, f"does not fit {feature}, a {kind}.", f"Operators of a {kind}: {', '.join(allowed)}.")
        )
        return None
    given = list(raw) if isinstance(raw, list) and known.count != 1 else [raw]
    if (known.count and len(given) != known.count) or not given:
        faults.append(Fault(where, f"has {len(given)} values.", f"It takes {known.count or 'at least one'}."))
        return None
    wanted = "truth" if operator == "known" else kind
    found = [_operand(feature, wanted, value, where, faults, vocabulary) for value in given]
    operands = tuple(value for value in found if value is not None)
    if len(operands) < len(given):
        return None
    if operator == "between" and all(isinstance(v, int | float) for v in operands) and operands[0] > operands[1]:  # type: ignore[operator]
        faults.append(Fault(where, f"goes from {operands[0]} down to {operands[1]}.", "The smaller comes first."))
    return operands


def _operand(
    feature: str, kind: str, raw: Any, where: str, faults: list[Fault], vocabulary: Vocabulary
) -> Plain | Quantile | None:
    if isinstance(raw, Mapping) and kind == "number" and vocabulary.has_quantiles:
        return _quantile(feature, raw, where, faults)
    is_number = isinstance(raw, int | float) and not isinstance(raw, bool) and math.isfinite(raw)
    fits = {"number": is_number, "text": isinstance(raw, str), "truth": isinstance(raw, bool)}[kind]
    if fits:
        value: Plain = raw
        return value
    number = "A number, or {quantile: 0.8}." if vocabulary.has_quantiles else "A number."
    todo = {"number": number, "text": "A text.", "truth": "true or false."}[kind]
    faults.append(Fault(where, f"is {raw!r}.", todo))
    return None


def _quantile(feature: str, raw: Mapping[Any, Any], where: str, faults: list[Fault]) -> Quantile | None:
    for key in raw:
        if key not in ("quantile", "among"):
            faults.append(Fault(f"{where}.{key}", "is not known.", near_miss(str(key), ("quantile", "among"))))
            return None
    share, among = raw.get("quantile"), raw.get("among", "all")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        faults.append(Fault(f"{where}.quantile", f"is {share!r}.", "A number from 0 to 1."))
        return None
    if among not in AMONG:
        faults.append(Fault(f"{where}.among", f"is {among!r}.", near_miss(str(among), AMONG)))
        return None
    return Quantile(feature, float(share), among)
