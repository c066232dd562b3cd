"""What rules take out: items for everybody before anything is ranked, pairs where the person matters too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.conditions import Leaf, Tree, holds, leaves
from personalake.errors import ConfigError, Fault
from personalake.recommend.checks import PAIR
from personalake.recommend.rules.ruleset import ITEM, PERSON, VOCABULARY, Ruleset

RULE = "rule_code"
_ATTRIBUTES = "attributes"


def closed_items(rules: Ruleset, items: DataFrame) -> DataFrame:
    """The items that nobody is suggested.

    Args:
        rules: the rules.
        items: item_id and what the rules name; a column that is not there is unknown.

    Returns:
        item_id, rule_code (the first rule that removes it).
    """
    trees = [tree for _, tree in rules.item_exclusions]
    told = items.withColumn("item", _struct(items, "item", _named(trees, ITEM)))
    return told.select("item_id", _first(rules.item_exclusions).alias(RULE)).where(F.col(RULE).isNotNull())


def with_removing_rule(
    pairs: DataFrame,
    rules: Ruleset,
    persons: DataFrame,
    items: DataFrame | None,
    closed: DataFrame | None = None,
) -> DataFrame:
    """Say of each pair which rule removes it.

    Args:
        pairs: person_id, item_id, and whatever else.
        rules: the rules.
        persons: each once: person_id and the features the rules name; a column that is not there is unknown.
        items: item_id and what the rules name; None: nothing is known of any.
        closed: what `closed_items` gave; None where that is masked already.

    Returns:
        The same rows plus rule_code; null where none does.

    Cost:
        A join by item, and one by person where a rule speaks of persons; both sides are small where Spark can see it.
    """
    by_item = F.col(RULE).alias("_closed_by")
    out = (
        pairs.withColumn("_closed_by", F.lit(None).cast("string"))
        if closed is None
        else pairs.join(closed.select("item_id", by_item), on="item_id", how="left")
    )
    trees = [tree for _, tree in rules.pair_exclusions]
    if not trees:
        return out.withColumnRenamed("_closed_by", RULE)
    told = _told(out, trees, persons, items)
    return told.withColumn(RULE, F.coalesce("_closed_by", _first(rules.pair_exclusions))).drop(
        "_closed_by", "item", "person"
    )


def with_boost(
    pairs: DataFrame, rules: Ruleset, persons: DataFrame, items: DataFrame | None, as_of: date | None
) -> DataFrame:
    """Multiply the scores of what is promoted on the day; several factors multiply.

    Args:
        pairs: person_id, item_id, score, and whatever else.
        rules, persons, items: as `with_removing_rule`.
        as_of: the day of the lists; None: only rules without dates hold.
    """
    boosts = [rule for rule in rules.boosts if rule.holds_on(as_of)]
    if not boosts:
        return pairs
    told = _told(pairs, [rule.when for rule in boosts], persons, items)
    factor = F.lit(1.0)
    for rule in boosts:
        factor = factor * F.when(holds(rule.when), F.lit(rule.factor)).otherwise(F.lit(1.0))
    return told.withColumn("score", F.col("score") * factor).drop("item", "person")


def bought_pairs(rules: Ruleset, bought: DataFrame, items: DataFrame | None, as_of: date | None) -> DataFrame:
    """What was bought, and whether the rule still keeps it out.

    Args:
        rules: the rules; without one on what was bought, nothing is kept out.
        bought: person_id, item_id, and last_bought_date where the rule counts days.
        items: item_id, category; None: no category is known.
        as_of: the day that days are counted back from.

    Returns:
        person_id, item_id, is_kept_out: a buy on as_of − days or later is.

    Raises:
        ConfigError: the rule counts days, and the day or last_bought_date is not there.
    """
    rule = rules.bought
    if rule is None or (rule.days is None and not rule.days_by_category):
        return bought.select(*PAIR, F.lit(rule is not None).alias("is_kept_out"))
    if as_of is None or "last_bought_date" not in bought.columns:
        found = "counts days, and the day of the lists or the day of the last buy is not given."
        raise ConfigError(Fault(f"rule {rule.code}", found, "Give as_of, and bought with last_bought_date."))

    def since(days: int | None) -> Column:
        return F.lit(True) if days is None else F.col("last_bought_date") >= F.lit(as_of - timedelta(days=days))

    known = described(items, "item", ["category"]) if items is not None else None
    rows = bought if known is None else bought.join(known, on="item_id", how="left")
    kept = since(rule.days)
    for category, days in sorted(rule.days_by_category.items()) if known is not None else ():
        kept = F.when(F.col("item.category") == F.lit(category), since(days)).otherwise(kept)
    return rows.select(*PAIR, kept.alias("is_kept_out"))


def may_hold(tree: Tree) -> Column:
    """Whether the condition may hold of an item for some person: from the item alone, never null."""
    return _bound(tree, True)


def with_items(rows: DataFrame, trees: Sequence[Tree], items: DataFrame | None) -> DataFrame:
    """The rows plus a struct `item` of what the conditions name; null fields where nothing is known of the item."""
    known = rows.select("item_id").limit(0) if items is None else items
    return rows.join(described(known, "item", _named(trees, ITEM)), on="item_id", how="left")


def described(frame: DataFrame, name: str, columns: Sequence[str]) -> DataFrame:
    """The key of a frame of items or persons, and a struct of some of its columns, null where it has none."""
    return frame.select(f"{name}_id", _struct(frame, name, columns).alias(name))


def _told(pairs: DataFrame, trees: Sequence[Tree], persons: DataFrame, items: DataFrame | None) -> DataFrame:
    """The pairs plus the structs `item` and `person` of what the conditions name."""
    told = with_items(pairs, trees, items)
    columns = _named(trees, PERSON)
    if not columns:
        return told.withColumn("person", F.struct(F.lit(None).alias("nothing")))
    return told.join(described(persons, "person", columns), on="person_id", how="left")


def _named(trees: Sequence[Tree], prefix: str) -> list[str]:
    """Columns under the prefix that the conditions name; of a map, its name."""
    features = {leaf.feature for tree in trees for leaf in leaves(tree) if leaf.feature.startswith(prefix)}
    return sorted({feature.removeprefix(prefix).partition(".")[0] for feature in features})


def _struct(frame: DataFrame, name: str, columns: Sequence[str]) -> Column:
    fields = [
        F.col(column) if column in frame.columns else F.lit(None).cast(_type_of(f"{name}.{column}")).alias(column)
        for column in columns
    ]
    return F.struct(*(fields or [F.lit(None).alias("nothing")]))


def _type_of(feature: str) -> str:
    if feature == f"{ITEM}{_ATTRIBUTES}":
        return "map<string,string>"
    return VOCABULARY.types[feature].simpleString()


def _first(exclusions: Sequence[tuple[str, Tree]]) -> Column:
    """The code of the first rule that holds."""
    found = [F.when(holds(tree), F.lit(code)) for code, tree in exclusions]
    return F.coalesce(*found) if found else F.lit(None).cast("string")


def _bound(tree: Tree, is_upper: bool) -> Column:
    """What persons can make of the condition: whether it holds for some (upper bound) or for each of them."""
    if isinstance(tree, Leaf):
        return F.lit(is_upper) if tree.feature.startswith(PERSON) else holds(tree)
    if tree.word == "not":
        return ~_bound(tree.parts[0], not is_upper)
    parts = [_bound(part, is_upper) for part in tree.parts]
    first, *others = parts
    for other in others:
        first = first & other if tree.word == "all" else first | other
    return first
