"""Who did what in the days ahead: the answers that models learn from. Nothing else is taken from those days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from personalake.predict.settings import Ahead, Attribute, Buys, Churns

LABEL = "label"


class Facts(NamedTuple):
    """What was seen, of all days.

    Args:
        person_days: columns of PERSON_DAYS.
        person_item_days: columns of PERSON_ITEM_DAYS.
        items: item_id, category.
        responses: person_id, event_date, event_type, campaign_id: events that a campaign or message led to.
    """

    person_days: DataFrame
    person_item_days: DataFrame
    items: DataFrame
    responses: DataFrame


def with_label(profiles: DataFrame, target: Ahead, facts: Facts, day: date) -> DataFrame:
    """The persons whom the question is about, and its answer for each.

    Args:
        profiles: one row per person as of the day.
        target: the question.
        facts: what was seen; only days from `day` to `day` + target.days - 1 are read.
        day: the as-of day of the profiles: what came before it may be a feature, what came from it on is the label.

    Returns:
        The rows of `only_asked`, with label (1.0 or 0.0).

    Cost:
        A shuffle of the days ahead by person and a join.
    """
    ahead = F.col("event_date").between(F.lit(day), F.lit(day + timedelta(days=target.days - 1)))
    did = _did(target, facts, ahead).select("person_id").distinct().withColumn("_did", F.lit(1.0))
    joined = only_asked(profiles, target).join(did, on="person_id", how="left")
    answer = F.coalesce("_did", F.lit(0.0))
    return joined.withColumn(LABEL, 1 - answer if isinstance(target, Churns) else answer).drop("_did")


def only_asked(profiles: DataFrame, target: Ahead) -> DataFrame:
    """The persons whom the question is about: of churn, those who came lately."""
    return profiles.where(F.col("recency_days") <= target.active_days) if isinstance(target, Churns) else profiles


def with_class(profiles: DataFrame, target: Attribute, value: str) -> DataFrame:
    """The persons who say the attribute, with label: 1.0 where it has the value."""
    known = profiles.where(F.col(target.feature).isNotNull())
    return known.withColumn(LABEL, (F.col(target.feature) == value).cast("double"))


def _did(target: Ahead, facts: Facts, ahead: Column) -> DataFrame:
    if isinstance(target, Churns):
        return facts.person_days.where(ahead)
    if isinstance(target, Buys):
        bought = ahead & (F.col("event_type") == "buy")
        if not target.category:
            return facts.person_days.where(bought)
        wanted = facts.items.where(F.col("category") == target.category).select("item_id")
        return facts.person_item_days.where(bought).join(wanted, on="item_id", how="left_semi")
    responses = facts.responses.where(ahead & F.col("event_type").isin(*target.event_types))
    return responses.where(F.col("campaign_id") == target.campaign) if target.campaign else responses
