"""The parts of a tag rule: a small tree over features, checked, not yet compiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyspark.sql.types import BooleanType, DataType, DateType, StringType

from personalake.tables.profile_features import FEATURE_BY_NAME

Plain = bool | int | float | str
"""What a rule can compare with."""

SEGMENT_COLUMNS: dict[str, DataType] = {"segment_id": StringType(), "segment_name": StringType()}
"""What a rule can say of a person's segment."""

FEATURE_TYPES: dict[str, DataType] = {**{f.name: f.type for f in FEATURE_BY_NAME.values()}, **SEGMENT_COLUMNS}
"""Every name a rule can speak of, and its type."""


def kind_of(feature: str) -> str:
    """number, text, truth or date: which operators a feature knows."""
    kinds = {BooleanType: "truth", StringType: "text", DateType: "date"}
    return kinds.get(type(FEATURE_TYPES[feature]), "number")


@dataclass(frozen=True, order=True)
class Quantile:
    """A threshold that the persons themselves set.

    Args:
        feature: whose quantile.
        share: 0 to 1: so many have no more.
        among: `all` who have a value, or those whose value is `positive`.
    """

    feature: str
    share: float
    among: str = "all"


@dataclass(frozen=True)
class Leaf:
    """One comparison: a feature, an operator, and one operand or several."""

    feature: str
    operator: str
    operands: tuple[Plain | Quantile, ...]


@dataclass(frozen=True)
class Branch:
    """All, any or none of some trees."""

    word: str
    parts: tuple[Leaf | Branch, ...]


Tree = Leaf | Branch


@dataclass(frozen=True)
class Rule:
    """A tag and when a person has it.

    Args:
        tag: its name.
        label: what readers call it, in English.
        label_zh: the same in Chinese.
        when: the tree.
        value: the feature whose value is shown and scored.
    """

    tag: str
    label: str
    label_zh: str
    when: Tree
    value: str


def leaves(tree: Tree) -> Iterator[Leaf]:
    """The comparisons of a tree, from left to right."""
    if isinstance(tree, Leaf):
        yield tree
    else:
        for part in tree.parts:
            yield from leaves(part)


def quantiles(tree: Tree) -> Iterator[Quantile]:
    """The thresholds of a tree that the persons set."""
    for leaf in leaves(tree):
        for operand in leaf.operands:
            if isinstance(operand, Quantile):
                yield operand
