"""The parts of a condition: a small tree over named features, checked, not yet compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyspark.sql.types import BooleanType, DataType, DateType, StringType

Plain = bool | int | float | str
"""What a condition can compare with."""


@dataclass(frozen=True)
class Vocabulary:
    """What conditions can speak of.

    Args:
        types: every name and its type.
        maps: names of maps from text to text: each of their keys is a text, spelt `map.key`.
        has_quantiles: whether a number can be compared with a quantile of all rows.
    """

    types: Mapping[str, DataType]
    maps: tuple[str, ...] = ()
    has_quantiles: bool = True

    def kind_of(self, feature: str) -> str | None:
        """number, text, truth or date: which operators a feature knows; None where there is no such feature."""
        if any(feature.startswith(f"{name}.") and len(feature) > len(name) + 1 for name in self.maps):
            return "text"
        if feature not in self.types:
            return None
        kinds = {BooleanType: "truth", StringType: "text", DateType: "date"}
        return kinds.get(type(self.types[feature]), "number")


@dataclass(frozen=True, order=True)
class Quantile:
    """A threshold that the rows themselves set.

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


def leaves(tree: Tree) -> Iterator[Leaf]:
    """The comparisons of a tree, from left to right."""
    if isinstance(tree, Leaf):
        yield tree
    else:
        for part in tree.parts:
            yield from leaves(part)


def quantiles(tree: Tree) -> Iterator[Quantile]:
    """The thresholds of a tree that the rows set."""
    for leaf in leaves(tree):
        for operand in leaf.operands:
            if isinstance(operand, Quantile):
                yield operand
