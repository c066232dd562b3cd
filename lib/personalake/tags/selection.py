"""Whom an operator means: a tag's name, or a tree of conditions over features, segments, predictions and tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml

from personalake.conditions import Leaf, Tree, Vocabulary, parse_tree
from personalake.errors import ConfigError, Fault, near_miss
from personalake.tags.rules import NAME


def parse_selection(text: str, tags: Sequence[str], vocabulary: Vocabulary, where: str = "SELECTION") -> Tree:
    """The tree that a text means.

    Args:
        text: the name of a tag, or a tree as YAML or JSON: that of a rule's `when`, and `{tag: NAME}` as a condition.
        tags: names of the tags there are.
        vocabulary: what conditions can speak of beside tags.
        where: what faults call it.

    Raises:
        ConfigError: with everything that is wrong in it.
    """
    if NAME.match(text.strip()):
        if text.strip() not in tags:
            raise ConfigError(Fault(where, f"{text.strip()} is no tag.", near_miss(text.strip(), tags)))
        return Leaf(f"tag.{text.strip()}", "is", (True,))
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(Fault(where, "is neither a tag nor YAML.", "For example: {tag: new}")) from None
    known = replace(
        vocabulary,
        typed_maps={**vocabulary.typed_maps, "tag": "truth"},
        keys={**vocabulary.keys, "tag": tuple(tags)},
    )
    faults: list[Fault] = []
    tree = parse_tree(_spelt_out(raw), where, faults, known)
    if faults or tree is None:
        raise ConfigError(*faults)
    return tree


def _spelt_out(raw: Any) -> Any:
    """The same with `{tag: NAME}` as the comparison it stands for."""
    if isinstance(raw, list):
        return [_spelt_out(part) for part in raw]
    if not isinstance(raw, Mapping):
        return raw
    if set(raw) == {"tag"}:
        return {"feature": f"tag.{raw['tag']}", "is": True}
    return {key: _spelt_out(value) for key, value in raw.items()}
