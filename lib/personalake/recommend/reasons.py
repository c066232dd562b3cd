"""Why something is suggested: codes, and their sentences in English and Chinese from one file of templates."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

import yaml
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

LIKE_AN_ITEM = "REC-001"
LIKE_MINDED = "REC-002"
POPULAR = "REC-003"
FROM_ITEMS = "REC-004"
TASTE = "REC-005"
POPULAR_IN_SEGMENT = "REC-006"
POPULAR_IN_REGION = "REC-007"
POPULAR_ON_PLATFORM = "REC-008"
TRENDING = "REC-009"
TRENDING_WITHIN = "REC-010"
OWN_TASTE = "REC-011"
PINNED = "REC-012"
LIKE_IN_CONTENT = "REC-013"
FROM_CATALOGUE = "REC-014"

LANGUAGES = ("en", "zh")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_FILE = "reasons.yaml"


@dataclass(frozen=True)
class Templates:
    """What the file says: the arguments a sentence may name, with their meaning; code → language → sentence."""

    arguments: Mapping[str, str]
    sentences: Mapping[str, Mapping[str, str]]


@functools.cache
def templates() -> Templates:
    """The templates that come with the package."""
    text = resources.files("personalake.recommend").joinpath(_FILE).read_text(encoding="utf-8")
    return Templates(**yaml.safe_load(text))


def placeholders(text: str) -> tuple[str, ...]:
    """What a sentence names, in order."""
    return tuple(_PLACEHOLDER.findall(text))


def sentence(code: Column, arguments: Column, language: str = "en") -> Column:
    """The sentence of a reason; null where the code is unknown. What an argument says is never read as a template.

    Args:
        code: the reason code.
        arguments: map<string, string>; one that is not there is left empty. In Chinese `x_zh` stands for `x` where it
            is there.
        language: en or zh.
    """
    text = F.lit(None).cast("string")
    for known, both in sorted(templates().sentences.items(), reverse=True):
        text = F.when(code == F.lit(known), _filled(both[language], arguments, language)).otherwise(text)
    return text


def with_sentences(rows: DataFrame) -> DataFrame:
    """Add reason and reason_zh to rows with reason_code and reason_arguments."""
    code, arguments = F.col("reason_code"), F.col("reason_arguments")
    told = {"reason": sentence(code, arguments, "en"), "reason_zh": sentence(code, arguments, "zh")}
    return rows.withColumns(told)


def _filled(text: str, arguments: Column, language: str) -> Column:
    """Words and arguments in turn."""

    def said(name: str) -> Column:
        plain = F.coalesce(F.try_element_at(arguments, F.lit(name)), F.lit(""))
        return plain if language == "en" else F.coalesce(F.try_element_at(arguments, F.lit(f"{name}_zh")), plain)

    parts = _PLACEHOLDER.split(text)
    columns = [said(part) if place % 2 else F.lit(part) for place, part in enumerate(parts)]
    return F.concat(*columns) if len(columns) > 1 else columns[0]
