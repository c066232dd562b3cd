"""What lists are made from beside the models: whom they are for, of what, and what must not be in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.recommend.checks import PAIR
from personalake.recommend.rules import DEFAULT_RULES, Ruleset
from personalake.recommend.rules.exclusions import RULE, bought_pairs, closed_items
from personalake.tables.profile_features import DEMOGRAPHY

TOLD = tuple(feature.name for feature in DEMOGRAPHY)
"""What persons said of themselves; the rest of a profile comes from what they did."""


@dataclass(frozen=True)
class Request:
    """Whom lists are made for, of what, and under which rules.

    Args:
        persons: person_id of everyone eligible, each once; each gets a list. Further columns are what rules and popular
            lists can go by (region, segment_id, top_platform, age_band, …); one that is not there is unknown.
        items: the catalogue: item_id, and what is known of items (is_available, category, brand, price_band, …).
        bought: person_id, item_id, and last_bought_date where a rule counts days. None: nothing.
        opted_out: person_id of those who want no personalisation: they get the popular list, and rules know of them
            no more than what they said of themselves.
        rules: what may stand in a list.
        as_of: the day of the lists, for rules that count days or hold for some.
        interactions: what the algorithms were fitted on, with first_at and last_at, for a learned blend.
    """

    persons: DataFrame
    items: DataFrame | None = None
    bought: DataFrame | None = None
    opted_out: DataFrame | None = None
    rules: Ruleset = field(default=DEFAULT_RULES)
    as_of: date | None = None
    interactions: DataFrame | None = None

    @property
    def ids(self) -> DataFrame:
        """person_id of everyone."""
        return self.persons.select("person_id")

    @property
    def personal(self) -> DataFrame:
        """person_id of those whose lists may be their own."""
        return self._without_opted_out(self.ids)

    @property
    def known_persons(self) -> DataFrame:
        """Everyone, with what rules may know of them."""
        columns = [name for name in self.persons.columns if name == "person_id" or name in TOLD]
        others = [name for name in self.persons.columns if name not in columns]
        if self.opted_out is None or not others:
            return self.persons
        flags = self.opted_out.select("person_id").distinct().withColumn("_out", F.lit(True))
        marked = self.persons.join(flags, on="person_id", how="left")
        kept = [F.when(F.col("_out").isNull(), F.col(name)).alias(name) for name in others]
        return marked.select(*columns, *kept)

    def closed(self, like: DataFrame) -> DataFrame:
        """item_id, rule_code of what nobody is suggested; `like` lends the type of ids where nothing is known."""
        if self.items is None:
            return like.select("item_id", F.lit(None).cast("string").alias(RULE)).limit(0)
        return closed_items(self.rules, self.items)

    def mask(self, seen: DataFrame, exclude_seen: bool) -> DataFrame:
        """The pairs never to suggest: what the rule on buys keeps out, and what was seen, but for what it lets return.

        Args:
            seen: person_id, item_id of all that met.
            exclude_seen: whether they are masked too.

        Returns:
            person_id, item_id; pairs may repeat.

        Cost:
            None, but a shuffle by pair where the rule on buys counts days.
        """
        pairs = seen.select(*PAIR) if exclude_seen else seen.select(*PAIR).limit(0)
        if self.bought is None:
            return pairs
        bought = self.bought_or_not()
        returned = bought.where(~F.col("is_kept_out")).select(*PAIR)
        counts_days = self.rules.bought is not None and (self.rules.bought.days or self.rules.bought.days_by_category)
        if exclude_seen and counts_days:
            pairs = pairs.join(returned, on=list(PAIR), how="left_anti")
        return pairs.unionByName(bought.where("is_kept_out").select(*PAIR))

    def bought_or_not(self) -> DataFrame:
        """person_id, item_id, is_kept_out of what was bought."""
        if self.bought is None:
            raise ValueError("nothing is known of what was bought")
        return bought_pairs(self.rules, self.bought, self.items, self.as_of)

    def _without_opted_out(self, persons: DataFrame) -> DataFrame:
        return persons if self.opted_out is None else persons.join(self.opted_out, on="person_id", how="left_anti")
