"""A tag rule, and what it can speak of."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql.types import DataType, StringType

from personalake.conditions import Tree, Vocabulary
from personalake.tables.profile_features import FEATURE_BY_NAME

SEGMENT_COLUMNS: dict[str, DataType] = {"segment_id": StringType(), "segment_name": StringType()}
"""What a rule can say of a person's segment."""

FEATURE_TYPES: dict[str, DataType] = {**{f.name: f.type for f in FEATURE_BY_NAME.values()}, **SEGMENT_COLUMNS}
"""Every name a rule can speak of, and its type."""


VOCABULARY = Vocabulary(FEATURE_TYPES)


@dataclass(frozen=True)
class Rule:
    """A tag and when a person has it.

    Args:
        tag: its name.
        label: what readers call it, in English.
        label_zh: the same in Chinese.
        when: the tree.
        value: the feature whose value is shown and scored.
    """

    tag: str
    label: str
    label_zh: str
    when: Tree
    value: str
