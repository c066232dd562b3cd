"""Conditions in conf: small trees of comparisons, checked before Spark starts, compiled to columns, never to SQL."""

from __future__ import annotations

from personalake.conditions.compiled import Thresholds, holds
from personalake.conditions.parse import parse_tree
from personalake.conditions.reading import hash_of_rules, read_rules_file
from personalake.conditions.tree import Branch, Leaf, Plain, Quantile, Tree, Vocabulary, leaves, quantiles

__all__ = [
    "Branch",
    "Leaf",
    "Plain",
    "Quantile",
    "Thresholds",
    "Tree",
    "Vocabulary",
    "hash_of_rules",
    "holds",
    "leaves",
    "parse_tree",
    "quantiles",
    "read_rules_file",
]
