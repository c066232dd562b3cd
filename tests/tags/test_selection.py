"""What an operator may ask an audience of, and how it is told what is wrong."""

from __future__ import annotations

import pytest

from personalake.conditions import Branch, Leaf
from personalake.errors import ConfigError
from personalake.tags.selection import parse_selection
from personalake.tags.tree import vocabulary_of

TAGS = ["new", "night_owl"]
KNOWN = vocabulary_of(["kmeans"])
FAULTS = {
    "night_owll": "SELECTION: night_owll is no tag. Did you mean night_owl?",
    "{tag: nwe}": "SELECTION.feature: names 'tag.nwe'. Did you mean tag.new?",
    "{all: [{feature: order_cuont, above: 1}]}": "names 'order_cuont'. Did you mean order_count?",
    "{feature: order_count, above: many}": "is 'many'. A number",
    "[": "SELECTION: is neither a tag nor YAML.",
    "order_count > 1": "SELECTION: is no condition.",
}


def test_a_tag_or_a_tree() -> None:
    owl = Leaf("tag.night_owl", "is", (True,))
    assert parse_selection(" night_owl ", TAGS, KNOWN) == owl
    assert parse_selection('{"tag": "night_owl"}', TAGS, KNOWN) == owl
    tree = parse_selection("{all: [{not: {tag: night_owl}}, {feature: segment.kmeans, is: x}]}", TAGS, KNOWN)
    assert tree == Branch("all", (Branch("not", (owl,)), Leaf("segment.kmeans", "is", ("x",))))


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_told(text: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_selection(text, TAGS, KNOWN)
    assert FAULTS[text] in str(error.value)
