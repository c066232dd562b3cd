"""The tags of every person, in one pass whatever the number of rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.conditions import Thresholds, holds, leaves
from personalake.conditions.comparisons import OPERATORS
from personalake.tables.tags import TAGS
from personalake.tags.facts import features_of, with_predictions, with_segments
from personalake.tags.overrides import without_overridden
from personalake.tags.reasons import CHINESE, reason, said
from personalake.tags.tree import VOCABULARY, Rule

_RULES_PER_PART = 16
_STRUCTS = (
    "array<struct<tag:string,label:string,label_zh:string,value:double,value_text:string,score:double,"
    "reason:string,reason_zh:string>>"
)


def build_tags(
    profiles: DataFrame,
    segments: DataFrame,
    rules: Sequence[Rule],
    thresholds: Thresholds,
    old_tags: DataFrame,
    as_of: date,
    predictions: DataFrame | None = None,
    overrides: tuple[DataFrame, DataFrame] | None = None,
) -> DataFrame:
    """One row per person and tag the person has.

    Args:
        profiles: one row per person as of the day; reads the features the rules name.
        segments: the day's SEGMENTS; reads person_id, method, segment_id, segment_name, is_main. May be empty.
        rules: what `load_rules` gave.
        thresholds: what `fit_thresholds` gave for these profiles.
        old_tags: TAGS as published so far, or empty; days from as_of on are not read. A tag that a person had in the
            last run keeps its since_date.
        as_of: the day.
        predictions: the day's predictions; reads person_id, model, target, probability, value_text. None: no rule
            that speaks of one holds.
        overrides: TAG_OVERRIDES and IDENTITY_MAP_VERSIONS, by which words follow persons that were merged or split;
            words from later days do not count. None: nobody said anything.

    Returns:
        Columns of TAGS without run_id.

    Cost:
        Joins by person with what the rules speak of and with the last run's tags, then one pass over the persons that
        makes an array of tags: nothing is shuffled per tag but what persons said of theirs.
    """
    named = features_of(rule.when for rule in rules) | {rule.value for rule in rules}
    persons = with_predictions(with_segments(profiles, segments, named), predictions, named)
    persons = persons.join(_since(old_tags, as_of), on="person_id", how="left")
    tags = persons.select("person_id", "_since", F.explode(_found(rules, thresholds)).alias("_tag"))
    since = F.coalesce(F.try_element_at("_since", F.col("_tag.tag")), F.lit(as_of))
    rows = tags.select("person_id", F.lit(as_of).alias("as_of_date"), "_tag.*", since.alias("since_date"))
    if overrides is not None:
        rows = without_overridden(rows, *overrides, as_of)
    return rows.select(*[c.name for c in TAGS.cols])


def _found(rules: Sequence[Rule], thresholds: Thresholds) -> Column:
    """The tags of a person: an array of structs."""
    if not rules:
        return F.array().cast(_STRUCTS)
    # In parts: one array of hundreds of rules is a method too long for the JVM to compile, and runs interpreted.
    parts = [rules[n : n + _RULES_PER_PART] for n in range(0, len(rules), _RULES_PER_PART)]
    found = [F.array_compact(F.array(*[_tag(rule, thresholds) for rule in part])) for part in parts]
    return F.flatten(F.array(*found)) if len(found) > 1 else found[0]


def _tag(rule: Rule, thresholds: Thresholds) -> Column:
    """The person's tag as a struct, or null."""
    row = F.struct(
        F.lit(rule.tag).alias("tag"),
        F.lit(rule.label).alias("label"),
        F.lit(rule.label_zh).alias("label_zh"),
        _number(rule.value).alias("value"),
        said(rule.value).alias("value_text"),
        _score(rule).alias("score"),
        reason(rule.when, thresholds).alias("reason"),
        reason(rule.when, thresholds, CHINESE).alias("reason_zh"),
    )
    return F.when(holds(rule.when, thresholds), row)


def _score(rule: Rule) -> Column:
    """The value as a number, negated where the rule asks for little of it; null where it is no number."""
    falls = any(OPERATORS[leaf.operator].falls for leaf in leaves(rule.when) if leaf.feature == rule.value)
    return -_number(rule.value) if falls else _number(rule.value)


def _number(feature: str) -> Column:
    return F.col(feature).cast("double") if VOCABULARY.kind_of(feature) == "number" else F.lit(None).cast("double")


def _since(old_tags: DataFrame, as_of: date) -> DataFrame:
    """The tags of the last run before the day: person_id, _since (tag → since_date)."""
    earlier = old_tags.where(F.col("as_of_date") < F.lit(as_of))
    last = earlier.agg(F.max("as_of_date").alias("_last"))
    before = earlier.join(F.broadcast(last), on=F.col("as_of_date") == F.col("_last"), how="inner")
    dates = F.map_from_entries(F.collect_list(F.struct("tag", "since_date")))
    return before.groupBy("person_id").agg(dates.alias("_since"))
