"""The tags of every person, in one pass whatever the number of rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.conditions import Thresholds, holds, leaves
from personalake.conditions.comparisons import OPERATORS
from personalake.tables.tags import TAGS
from personalake.tags.reasons import reason, said
from personalake.tags.tree import SEGMENT_COLUMNS, VOCABULARY, Rule


def build_tags(
    profiles: DataFrame,
    segments: DataFrame,
    rules: Sequence[Rule],
    thresholds: Thresholds,
    old_tags: DataFrame,
    as_of: date,
) -> DataFrame:
    """One row per person and tag the person has.

    Args:
        profiles: one row per person as of the day; reads the features the rules name.
        segments: the day's SEGMENTS of one method; reads person_id, segment_id, segment_name. May be empty.
        rules: what `load_rules` gave.
        thresholds: what `fit_thresholds` gave for these profiles.
        old_tags: TAGS as published so far, or empty; days from as_of on are not read. A tag that a person had in the
            last run keeps its since_date.
        as_of: the day.

    Returns:
        Columns of TAGS without run_id.

    Cost:
        A join with segments, one pass over the persons that makes an array of tags, and a join with the last run's
        tags by person and tag.
    """
    persons = profiles
    named = {leaf.feature for rule in rules for leaf in leaves(rule.when)} | {rule.value for rule in rules}
    if named & SEGMENT_COLUMNS.keys():
        persons = profiles.join(segments.select("person_id", *SEGMENT_COLUMNS), on="person_id", how="left")
    found = F.array_compact(F.array(*[_tag(rule, thresholds) for rule in rules])) if rules else _no_tags()
    tags = persons.select("person_id", F.explode(found).alias("_tag")).select("person_id", "_tag.*")
    dated = tags.join(_since(old_tags, as_of), on=["person_id", "tag"], how="left")
    since = F.coalesce("_since", F.lit(as_of)).alias("since_date")
    rows = dated.withColumn("as_of_date", F.lit(as_of)).select("*", since)
    return rows.select(*[c.name for c in TAGS.cols])


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
    )
    return F.when(holds(rule.when, thresholds), row)


def _score(rule: Rule) -> Column:
    """The value as a number, negated where the rule asks for little of it; null where it is no number."""
    falls = any(OPERATORS[leaf.operator].falls for leaf in leaves(rule.when) if leaf.feature == rule.value)
    return -_number(rule.value) if falls else _number(rule.value)


def _number(feature: str) -> Column:
    return F.col(feature).cast("double") if VOCABULARY.kind_of(feature) == "number" else F.lit(None).cast("double")


def _no_tags() -> Column:
    return F.array().cast(
        "array<struct<tag:string,label:string,label_zh:string,value:double,value_text:string,score:double,reason:string>>"
    )


def _since(old_tags: DataFrame, as_of: date) -> DataFrame:
    """The tags of the last run before the day: person_id, tag, _since."""
    earlier = old_tags.where(F.col("as_of_date") < F.lit(as_of))
    last = earlier.agg(F.max("as_of_date").alias("_last"))
    before = earlier.join(F.broadcast(last), on=F.col("as_of_date") == F.col("_last"), how="inner")
    return before.select("person_id", "tag", F.col("since_date").alias("_since"))
