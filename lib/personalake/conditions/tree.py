"""The parts of a condition: a small tree over named features, checked, not yet compiled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

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
        typed_maps: names of further maps to the kind of what they hold: number, text or truth.
        keys: map to the keys it may have, where they are known; another is no feature.
    """

    types: Mapping[str, DataType]
    maps: tuple[str, ...] = ()
    has_quantiles: bool = True
    typed_maps: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def kind_of(self, feature: str) -> str | None:
        """number, text, truth or date: which operators a feature knows; None where there is no such feature."""
        for name in (*self.maps, *self.typed_maps):
            key = feature.removeprefix(f"{name}.")
            if key and key != feature:
                is_known = name not in self.keys or key in self.keys[name]
                return self.typed_maps.get(name, "text") if is_known else None
        if feature not in self.types:
            return None
        kinds = {BooleanType: "truth", StringType: "text", DateType: "date"}
        return kinds.get(type(self.types[feature]), "number")

    @property
    def names(self) -> list[str]:
        """Every name there is, as far as names are known."""
        return [*self.types, *(f"{name}.{key}" for name, keys in self.keys.items() for key in keys)]


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
