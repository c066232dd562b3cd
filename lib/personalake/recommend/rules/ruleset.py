"""Rules as they are applied: which speak of items alone, which of items and persons, and what they need to know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyspark.sql.types import DataType

from personalake.conditions import Branch, Leaf, Tree, Vocabulary, leaves
from personalake.recommend.rules.kinds import (
    PRICE_BANDS,
    Allow,
    AnyRule,
    AvailableOnly,
    Boost,
    Cap,
    Exclude,
    ExcludeBought,
    Pin,
    PriceCap,
)
from personalake.tables.ingest import ITEMS
from personalake.tables.profile_features import FEATURES
from personalake.tables.spec import BIGINT, BOOLEAN, DOUBLE, INT, STRING

ITEM, PERSON = "item.", "person."
_SEGMENT: dict[str, DataType] = {"segment_id": STRING, "segment_name": STRING}
_ITEM: dict[str, DataType] = {c.name: c.type for c in ITEMS.cols if c.type in (STRING, BIGINT, INT, DOUBLE, BOOLEAN)}
_PERSON: dict[str, DataType] = {**{f.name: f.type for f in FEATURES}, **_SEGMENT}

VOCABULARY = Vocabulary(
    types={**{ITEM + n: t for n, t in _ITEM.items()}, **{PERSON + n: t for n, t in _PERSON.items()}},
    maps=(f"{ITEM}attributes",),
    has_quantiles=False,
)
"""A rule speaks of `item.…`, a column of items or a key of its attributes, and of `person.…`, a profile's feature."""


@dataclass(frozen=True)
class Ruleset:
    """The rules in the order of the file; where several remove an item, the first is said to have."""

    rules: tuple[AnyRule, ...] = ()

    @property
    def bought(self) -> ExcludeBought | None:
        """The rule on what was bought; a file has one at most."""
        return next((rule for rule in self.rules if isinstance(rule, ExcludeBought)), None)

    @property
    def boosts(self) -> tuple[Boost, ...]:
        """The rules that change scores."""
        return tuple(rule for rule in self.rules if isinstance(rule, Boost))

    @property
    def pins(self) -> tuple[Pin, ...]:
        """The rules that place items."""
        return tuple(rule for rule in self.rules if isinstance(rule, Pin))

    @property
    def caps(self) -> tuple[Cap, ...]:
        """The rules that bound how much of one kind a list holds."""
        return tuple(rule for rule in self.rules if isinstance(rule, Cap))

    @property
    def keeping_out(self) -> Ruleset:
        """The rules that say what may stand in a list, without those that say where."""
        return Ruleset(tuple(rule for rule in self.rules if not isinstance(rule, Boost | Pin | Cap)))

    @property
    def item_exclusions(self) -> tuple[tuple[str, Tree], ...]:
        """Code and condition of what nobody is suggested."""
        return tuple((code, tree) for code, tree in self._exclusions() if not speaks_of_persons(tree))

    @property
    def pair_exclusions(self) -> tuple[tuple[str, Tree], ...]:
        """Code and condition of what some persons are not suggested."""
        return tuple((code, tree) for code, tree in self._exclusions() if speaks_of_persons(tree))

    @property
    def person_columns(self) -> tuple[str, ...]:
        """The profile's features that the rules name, sorted."""
        return tuple(sorted({n.removeprefix(PERSON) for n in self._features() if n.startswith(PERSON)}))

    def _features(self) -> Iterator[str]:
        for _, tree in self._exclusions():
            yield from (leaf.feature for leaf in leaves(tree))
        audiences = [rule.audience for rule in self.pins if rule.audience is not None]
        for tree in (*(rule.when for rule in self.boosts), *audiences):
            yield from (leaf.feature for leaf in leaves(tree))

    def _exclusions(self) -> Iterator[tuple[str, Tree]]:
        for rule in self.rules:
            if isinstance(rule, AvailableOnly):
                yield rule.code, Leaf(f"{ITEM}is_available", "is", (False,))
            elif isinstance(rule, Exclude):
                yield rule.code, rule.when
            elif isinstance(rule, Allow):
                forbidden = Branch("not", (rule.only,))
                yield rule.code, forbidden if rule.when is None else Branch("all", (rule.when, forbidden))
            elif isinstance(rule, PriceCap):
                yield rule.code, _too_dear(rule.above)


DEFAULT_RULES = Ruleset((ExcludeBought(code="RUL-001"), AvailableOnly(code="RUL-002")))
"""What holds where no file says otherwise."""


def speaks_of_persons(tree: Tree) -> bool:
    """Whether a condition names anything of a person."""
    return any(leaf.feature.startswith(PERSON) for leaf in leaves(tree))


def _too_dear(above: int) -> Tree:
    """The item's band lies more than `above` bands over the person's."""
    parts = tuple(
        Branch(
            "all",
            (Leaf(f"{PERSON}top_price_band", "is", (band,)), Leaf(f"{ITEM}price_band", "one_of", dearer)),
        )
        for place, band in enumerate(PRICE_BANDS)
        if (dearer := PRICE_BANDS[place + above + 1 :])
    )
    return Branch("any", parts)
