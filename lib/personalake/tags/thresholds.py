"""The thresholds that the persons themselves set, all in one aggregate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.conditions import Quantile, Thresholds, Tree, quantiles
from personalake.tags.tree import Rule


def fit_thresholds(profiles: DataFrame, rules: Iterable[Rule]) -> Thresholds:
    """The exact quantiles that the rules ask for: see `fit_quantiles`."""
    return fit_quantiles(profiles, [rule.when for rule in rules])


def fit_quantiles(persons: DataFrame, trees: Iterable[Tree]) -> Thresholds:
    """The exact quantiles (linear, as numpy's) that some conditions ask for.

    Args:
        persons: one row per person as of one day; reads the features that quantiles are asked of.
        trees: the conditions.

    Returns:
        Every quantile of the conditions and its value, rounded to 9 decimals, so that equal inputs give equal tags.

    Cost:
        One aggregate that holds the distinct values of each feature; one row comes back.
    """
    wanted: dict[tuple[str, str], set[float]] = defaultdict(set)
    for tree in trees:
        for quantile in quantiles(tree):
            wanted[(quantile.feature, quantile.among)].add(quantile.share)
    if not wanted:
        return {}
    groups = [(feature, among, sorted(shares)) for (feature, among), shares in sorted(wanted.items())]
    columns = []
    for n, (feature, among, shares) in enumerate(groups):
        value = F.col(feature) if among == "all" else F.when(F.col(feature) > 0, F.col(feature))
        columns.append(F.percentile(value, shares).alias(f"q{n}"))
    found = persons.agg(*columns).head(1)[0]
    return {
        Quantile(feature, share, among): None if found[n] is None else round(found[n][i], 9)
        for n, (feature, among, shares) in enumerate(groups)
        for i, share in enumerate(shares)
    }
