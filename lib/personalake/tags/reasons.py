"""Why a person has a tag: the facts and the thresholds of its rule in words, English and Chinese."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from personalake.conditions import Leaf, Plain, Quantile, Thresholds, Tree, holds
from personalake.conditions.comparisons import OPERATORS
from personalake.conditions.compiled import value_of
from personalake.tables.features.chinese import title_zh
from personalake.tables.profile_features import FEATURE_BY_NAME
from personalake.tags.tree import VOCABULARY


@dataclass(frozen=True)
class Language:
    """The small words between facts.

    Args:
        words: field of an operator that says it.
        name: what a feature is called.
        is_for_people: money in units and yes or no as words; else values as the columns have them.
    """

    words: str
    name: Callable[[str], str]
    is_for_people: bool
    equals: str
    unknown: str
    comma: str
    also: str
    not_so: str
    either: str
    both: str
    quantile: str
    everybody: str
    positive: str


ENGLISH = Language(
    *("words", str, False, " is ", "unknown", ", ", "; ", "not so: ", " or ", " and "),
    *("{0} (quantile {1} of {2})", "persons", "persons above 0"),
)
CHINESE = Language(
    *("words_zh", title_zh, True, " 为 ", "未知", "，", "；", "并非：", " 或 ", " 且 "),
    *("{0}（{2}的 {1} 分位数）", "所有人", "大于 0 的人"),
)


def reason(tree: Tree, thresholds: Thresholds, language: Language = ENGLISH) -> Column:
    """Why the tree holds: the facts and the thresholds in words; of `any`, only the parts that do.

    Args:
        tree: a checked tree.
        thresholds: what `fit_thresholds` gave for it.
        language: of the words.
    """
    if isinstance(tree, Leaf):
        return _leaf_reason(tree, thresholds, language)
    if tree.word == "not":
        return F.concat(F.lit(language.not_so), _leaf_or_all(tree.parts[0], thresholds, language))
    if tree.word == "all":
        return F.concat_ws(language.also, *[reason(part, thresholds, language) for part in tree.parts])
    told = [F.when(holds(part, thresholds), reason(part, thresholds, language)) for part in tree.parts]
    return F.concat_ws(language.also, *told)


def _leaf_or_all(tree: Tree, thresholds: Thresholds, language: Language) -> Column:
    """The facts of a tree that does not hold: all of them."""
    if isinstance(tree, Leaf):
        return _leaf_reason(tree, thresholds, language)
    word = language.either if tree.word == "any" else language.both
    return F.concat_ws(word, *[_leaf_or_all(part, thresholds, language) for part in tree.parts])


def _leaf_reason(leaf: Leaf, thresholds: Thresholds, language: Language) -> Column:
    values = [value_of(operand, thresholds) for operand in leaf.operands]
    in_units = language.is_for_people and is_money(leaf.feature)
    texts = [_said(operand, value, language, in_units) for operand, value in zip(leaf.operands, values, strict=True)]
    words = str(getattr(OPERATORS[leaf.operator], language.words)).format(*texts, all=", ".join(texts))
    told = _for_people(leaf.feature) if language.is_for_people else said(leaf.feature)
    value = F.coalesce(told, F.lit(language.unknown))
    return F.concat(
        F.lit(f"{language.name(leaf.feature)}{language.equals}"), value, F.lit(language.comma + words if words else "")
    )


def said(feature: str) -> Column:
    """A feature's value as text; shares and other fractions with at most four decimals."""
    value = F.col(feature)
    rounded = F.round(value, 4) if VOCABULARY.kind_of(feature) == "number" else value
    return rounded.cast("string")


def is_money(feature: str) -> bool:
    """Whether it is money in cents; what is no feature of profiles is none."""
    return feature in FEATURE_BY_NAME and FEATURE_BY_NAME[feature].is_money


def _for_people(feature: str) -> Column:
    """The value as Chinese readers take it: money in units as prices are written, yes or no in words."""
    if is_money(feature):
        return F.format_number(F.col(feature) / 100, 2)
    if VOCABULARY.kind_of(feature) == "truth":
        return F.when(F.col(feature), "是").when(~F.col(feature), "否")
    return said(feature)


def _said(operand: Plain | Quantile, value: Plain | None, language: Language, in_units: bool) -> str:
    if in_units and isinstance(value, int | float):
        text = f"{value / 100:,.2f}"
    else:
        is_float, is_truth = isinstance(value, float), isinstance(value, bool)
        text = f"{value:.10g}" if is_float else str(value).lower() if is_truth else str(value)
    if not isinstance(operand, Quantile):
        return text
    whom = language.everybody if operand.among == "all" else language.positive
    return language.quantile.format(text, f"{operand.share:.10g}", whom)
