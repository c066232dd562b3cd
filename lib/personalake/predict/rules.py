"""A decision tree as sentences: what leads to each leaf, in English and Chinese."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.predict.classifier import LEAF, Classifier
from personalake.predict.encoding import MISSING, NUMBER, Dimension, Encoding
from personalake.tables.features.spec import Feature
from personalake.tables.predictions import PREDICTION_RULES
from personalake.tables.profile_features import FEATURE_BY_NAME
from personalake.tables.spec import BOOLEAN, DOUBLE

_LINE = re.compile(
    r"^ *(?:(?P<word>If|Else) \(feature (?P<place>\d+) (?P<sign><=|>) (?P<bound>\S+)\)|Predict: (?P<leaf>\S+))$"
)
_NEAR_WHOLE = 1e-9


@dataclass(frozen=True)
class Range:
    """Above `low` and at most `high`; None: no bound."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Leaf:
    """One leaf, in the order in which MLlib numbers leaves: from left to right.

    Args:
        number: from 0.
        probability: of yes.
        ranges: dimension to the range that leads here; no more than one range each.
    """

    number: int
    probability: float
    ranges: dict[int, Range]


def build_rules(classifier: Classifier, scored: DataFrame, as_of: date, target: str, version: str) -> DataFrame:
    """The tree in words: rows of PREDICTION_RULES, without run_id.

    Args:
        classifier: a trained decision tree.
        scored: what it says of persons: leaf; put down.
        as_of: the day.
        target: name of the target.
        version: what the model was made from.

    Cost:
        One count of the persons by leaf.
    """
    found = sorted(leaves(classifier.model.toDebugString), key=lambda leaf: (-leaf.probability, leaf.number))
    told = [
        (float(leaf.number), rank, sentence(leaf, classifier.encoding), sentence_zh(leaf, classifier.encoding),
         round(leaf.probability, 9))
        for rank, leaf in enumerate(found, 1)
    ]  # fmt: skip
    schema = f"{LEAF} double, rule_rank int, rule string, rule_zh string, probability double"
    counts = scored.groupBy(LEAF).agg(F.count(F.lit(1)).alias("person_count"))
    rows = scored.sparkSession.createDataFrame(told, schema).join(counts, on=LEAF, how="left")
    named = {
        "as_of_date": F.lit(as_of),
        "model": F.lit(classifier.kind),
        "target": F.lit(target),
        "person_count": F.coalesce("person_count", F.lit(0)),
        "model_version": F.lit(version),
    }
    return rows.withColumns(named).select(*[c.name for c in PREDICTION_RULES.cols])


def leaves(tree: str) -> list[Leaf]:
    """The leaves of a tree as MLlib's `toDebugString` tells it.

    Args:
        tree: one regression tree whose features are all numbers.
    """
    found: list[Leaf] = []
    path: list[tuple[int, str, float]] = []
    for line in tree.splitlines()[1:]:
        part = _LINE.match(line)
        if part is None:
            continue
        if part["leaf"] is not None:
            found.append(Leaf(len(found), float(part["leaf"]), _ranges(path)))
            # A leaf on the left ends the If; one on the right ends every Else above it too.
            while path and path[-1][1] == ">":
                path.pop()
            if path:
                path.pop()
        else:
            path.append((int(part["place"]), part["sign"], float(part["bound"])))
    return found


def _ranges(path: Sequence[tuple[int, str, float]]) -> dict[int, Range]:
    """The tightest range of each dimension, in the order in which the tree first asks."""
    ranges: dict[int, Range] = {}
    for place, sign, bound in path:
        now = ranges.get(place, Range())
        if sign == "<=":
            ranges[place] = replace(now, high=bound if now.high is None else min(now.high, bound))
        else:
            ranges[place] = replace(now, low=bound if now.low is None else max(now.low, bound))
    return ranges


def sentence(leaf: Leaf, encoding: Encoding) -> str:
    """What leads to the leaf, in English."""
    parts = [_part(encoding.dimensions[place], bounds) for place, bounds in leaf.ranges.items()]
    return "; ".join(parts) or "everybody"


def sentence_zh(leaf: Leaf, encoding: Encoding) -> str:
    """What leads to the leaf, in Chinese; features by their titles."""
    parts = [_part_zh(encoding.dimensions[place], bounds) for place, bounds in leaf.ranges.items()]
    return "；".join(parts) or "所有人"


def _part(dimension: Dimension, bounds: Range) -> str:
    feature = FEATURE_BY_NAME[dimension.feature]
    name = feature.meaning if feature.window == "life" else f"{feature.meaning} ({feature.window})"
    is_yes = bounds.low is not None
    if dimension.kind == MISSING:
        return f"{name}: {'not known' if is_yes else 'known'}"
    if dimension.kind != NUMBER:
        return f"{name}: {dimension.text}" if is_yes else f"{name}: not {dimension.text}"
    if feature.type == BOOLEAN:
        return f"{name}: {'yes' if is_yes else 'no'}"
    return f"{name}: {' and '.join(_bounds(feature, bounds, 'more than', 'at most'))}"


def _part_zh(dimension: Dimension, bounds: Range) -> str:
    feature = FEATURE_BY_NAME[dimension.feature]
    name, is_yes = feature.title_zh, bounds.low is not None
    if dimension.kind == MISSING:
        return f"{name} {'未知' if is_yes else '已知'}"
    if dimension.kind != NUMBER:
        return f"{name} {'为' if is_yes else '不为'}“{dimension.text}”"
    if feature.type == BOOLEAN:
        return f"{name} 为{'是' if is_yes else '否'}"
    return f"{name} {'且'.join(_bounds(feature, bounds, '大于', '不超过'))}"


def _bounds(feature: Feature, bounds: Range, more: str, most: str) -> Iterator[str]:
    if bounds.low is not None:
        yield f"{more} {_value(feature, bounds.low)}"
    if bounds.high is not None:
        yield f"{most} {_value(feature, bounds.high)}"


def _value(feature: Feature, bound: float) -> str:
    """A bound in the feature's unit. Of whole numbers, a threshold half-way is the whole number below it."""
    if feature.type == DOUBLE:
        return f"{bound:.4g}"
    whole = math.floor(bound + _NEAR_WHOLE)
    return f"{whole / 100:,.2f}" if feature.is_money else f"{whole:,}"
