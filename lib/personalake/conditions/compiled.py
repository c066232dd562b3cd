"""Conditions compiled to columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from personalake.conditions.comparisons import OPERATORS
from personalake.conditions.tree import Leaf, Plain, Quantile, Tree

Thresholds = Mapping[Quantile, float | None]
"""What each quantile is; None where nobody has a value."""


def holds(tree: Tree, thresholds: Thresholds | None = None) -> Column:
    """Whether the tree holds; never null: what is not known does not hold.

    Args:
        tree: a checked tree.
        thresholds: the quantiles the tree names; one that is not there is nobody's.
    """
    if isinstance(tree, Leaf):
        values = [value_of(operand, thresholds) for operand in tree.operands]
        if any(value is None for value in values):
            return F.lit(False)
        return F.coalesce(OPERATORS[tree.operator].test(F.col(tree.feature), values), F.lit(False))
    parts = [holds(part, thresholds) for part in tree.parts]
    if tree.word == "not":
        return ~parts[0]
    return reduce(lambda a, b: a & b if tree.word == "all" else a | b, parts)


def value_of(operand: Plain | Quantile, thresholds: Thresholds | None = None) -> Plain | None:
    """What an operand compares with; None where it is a quantile of nobody."""
    return (thresholds or {}).get(operand) if isinstance(operand, Quantile) else operand
