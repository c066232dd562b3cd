"""Why a person has a tag: the facts and the thresholds of its rule in words."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from personalake.conditions import Leaf, Plain, Quantile, Thresholds, Tree, holds
from personalake.conditions.comparisons import OPERATORS
from personalake.conditions.compiled import value_of
from personalake.tags.tree import VOCABULARY


def reason(tree: Tree, thresholds: Thresholds) -> Column:
    """Why the tree holds: the facts and the thresholds in words; of `any`, only the parts that do.

    Args:
        tree: a checked tree.
        thresholds: what `fit_thresholds` gave for it.
    """
    if isinstance(tree, Leaf):
        return _leaf_reason(tree, thresholds)
    if tree.word == "not":
        return F.concat(F.lit("not so: "), _leaf_or_all(tree.parts[0], thresholds))
    if tree.word == "all":
        return F.concat_ws("; ", *[reason(part, thresholds) for part in tree.parts])
    return F.concat_ws("; ", *[F.when(holds(p, thresholds), reason(p, thresholds)) for p in tree.parts])


def _leaf_or_all(tree: Tree, thresholds: Thresholds) -> Column:
    """The facts of a tree that does not hold: all of them."""
    if isinstance(tree, Leaf):
        return _leaf_reason(tree, thresholds)
    word = " or " if tree.word == "any" else " and "
    return F.concat_ws(word, *[_leaf_or_all(part, thresholds) for part in tree.parts])


def _leaf_reason(leaf: Leaf, thresholds: Thresholds) -> Column:
    values = [value_of(operand, thresholds) for operand in leaf.operands]
    texts = [_said(operand, value) for operand, value in zip(leaf.operands, values, strict=True)]
    words = OPERATORS[leaf.operator].words.format(*texts, all=", ".join(texts))
    fact = F.concat(F.lit(f"{leaf.feature} is "), F.coalesce(said(leaf.feature), F.lit("unknown")))
    return F.concat(fact, F.lit(f", {words}")) if words else fact


def said(feature: str) -> Column:
    """A feature's value as text; shares and other fractions with at most four decimals."""
    value = F.col(feature)
    rounded = F.round(value, 4) if VOCABULARY.kind_of(feature) == "number" else value
    return rounded.cast("string")


def _said(operand: Plain | Quantile, value: Plain | None) -> str:
    text = (
        f"{value:.10g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)
    )
    if not isinstance(operand, Quantile):
        return text
    whom = "persons" if operand.among == "all" else "persons above 0"
    return f"{text} (quantile {operand.share:.10g} of {whom})"
