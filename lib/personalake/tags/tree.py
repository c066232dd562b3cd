"""A tag rule, and what it can speak of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pyspark.sql.types import DataType, StringType

from personalake.conditions import Tree, Vocabulary
from personalake.tables.profile_features import FEATURE_BY_NAME

SEGMENT_COLUMNS: dict[str, DataType] = {"segment_id": StringType(), "segment_name": StringType()}
"""What a rule can say of a person's segment by the main method."""

FEATURE_TYPES: dict[str, DataType] = {**{f.name: f.type for f in FEATURE_BY_NAME.values()}, **SEGMENT_COLUMNS}
"""Every plain name a rule can speak of, and its type."""

MAPS = {"segment": "text", "prediction": "number", "predicted": "text"}
"""`segment.METHOD`: name of the segment by a method. `prediction.TARGET`: probability. `predicted.TARGET`: a word."""

VOCABULARY = Vocabulary(FEATURE_TYPES, typed_maps=MAPS)


def vocabulary_of(methods: Sequence[str], targets: Sequence[str] | None = None) -> Vocabulary:
    """What rules can speak of where it is known which segments and predictions there are.

    Args:
        methods: names of the methods whose segments are made.
        targets: names of what is predicted; None: not known.
    """
    keys = {"segment": tuple(methods)}
    if targets is not None:
        keys |= {"prediction": tuple(targets), "predicted": tuple(targets)}
    return replace(VOCABULARY, keys=keys)


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
