"""Why something is suggested: codes, their sentences in English and Chinese, and how a sentence is filled in."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

LIKE_AN_ITEM = "REC-001"
LIKE_MINDED = "REC-002"
POPULAR = "REC-003"
FROM_ITEMS = "REC-004"

TEMPLATES: dict[str, tuple[str, str]] = {
    LIKE_AN_ITEM: ("Because you showed interest in {item_title}", "因为您关注过「{item_title}」"),
    LIKE_MINDED: ("People with tastes like yours chose it", "与您兴趣相近的人选择了它"),
    POPULAR: ("Many people chose it", "很多人都选择了它"),
    FROM_ITEMS: ("Items of this kind suggested to you: {item_count}", "为您推荐的内容中有 {item_count} 项属于此类"),
}
# What a sentence may speak of; the free text comes last, so that braces in it are left as they are.
ARGUMENTS = ("item_count", "item_title")


def sentence(code: Column, arguments: Column, language: str = "en") -> Column:
    """The sentence of a reason; null where the code is unknown.

    Args:
        code: the reason code.
        arguments: map<string, string> by the names in ARGUMENTS.
        language: en or zh.
    """
    place = {"en": 0, "zh": 1}[language]
    known = F.create_map(*(F.lit(text) for key, both in TEMPLATES.items() for text in (key, both[place])))
    text = F.try_element_at(known, code)
    for name in ARGUMENTS:
        given = F.coalesce(F.try_element_at(arguments, F.lit(name)), F.lit(""))
        text = F.replace(text, F.lit(f"{{{name}}}"), given)
    return text
