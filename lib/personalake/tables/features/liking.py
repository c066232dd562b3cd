"""Features of what a person likes and who the person is, as far as they said it."""

from __future__ import annotations

from pyspark.sql.types import ArrayType, StructField, StructType

from personalake.tables.features.spec import Feature, Made, Total, over_windows, share
from personalake.tables.spec import BIGINT, BOOLEAN, DOUBLE, INT, STRING

ITEM_KINDS: tuple[str, ...] = ("category", "brand", "price_band")
"""What of an item a person can have one taste for."""

TASTE_KINDS: tuple[str, ...] = (*ITEM_KINDS, "content_word", "search_word")
"""Kinds of taste; content words come from the titles of items, search words from searches."""

TASTE_LIST = ArrayType(
    StructType(
        [
            StructField("name", STRING),
            StructField("taste_share", DOUBLE),
            StructField("lift_score", DOUBLE),
            StructField("event_count", BIGINT),
        ]
    )
)

_PLURALS = {"category": "categories", "brand": "brands", "price_band": "price bands"}
_WORDS = {**{kind: kind.replace("_", " ") for kind in TASTE_KINDS}, "content_word": "word of titles"}


def _builder(kind: str) -> str:
    return "words" if kind == "search_word" else "tastes"


def _top(kind: str) -> tuple[Feature, ...]:
    words = _WORDS[kind]
    made = Made("tastes", "most events; of several, the name that sorts first")
    return (
        Feature(f"top_{kind}", STRING, f"{words.capitalize()} with the most events", how=made),
        Feature(
            f"top_{kind}_share", DOUBLE, f"Share of events with a {words} that fall in top_{kind}", "0-1", how=made
        ),
    )


def _favoured(kind: str) -> tuple[Feature, ...]:
    words = _WORDS[kind]
    made = Made(_builder(kind), "decayed share of the person's events in that of everybody's; ties: first name")
    person = kind == "search_word"
    named = f"{words.capitalize()} that the person takes to more than others do; from taste_event_count events on"
    return (
        Feature(f"favoured_{kind}", STRING, named, how=made, person=person),
        Feature(f"favoured_{kind}_score", DOUBLE, f"Lift of favoured_{kind}: 1 is like everybody", how=made),
        Feature(f"favoured_{kind}_count", BIGINT, f"Events behind favoured_{kind}", "events", how=made),
    )


def _variety(kind: str) -> tuple[Feature, ...]:
    made = Made("tastes", "1 less the sum of squared shares of events (Simpson 1949)")
    return (
        Feature(
            f"{kind}_count", BIGINT, f"{_PLURALS[kind].capitalize()} the person dealt with", _PLURALS[kind],
            how=Made("tastes", "distinct names"),
        ),
        Feature(f"{kind}_variety_score", DOUBLE, f"Chance that two events are of different {_PLURALS[kind]}", how=made),
    )  # fmt: skip


TASTES = (
    *over_windows(
        Feature(
            "item_count", BIGINT, "Items the person dealt with; over days: those last met then", "items",
            how=Total("1", "item"),
        ),
        30,
    ),
    *(feature for kind in ITEM_KINDS for feature in (*_variety(kind), *_top(kind))),
    *(feature for kind in TASTE_KINDS for feature in _favoured(kind)),
)  # fmt: skip

NOVELTY = (
    Feature(
        "_new_item_count_30d", BIGINT, "Items first met in the days",
        how=Total("if(first_date >= date_sub(as_of_date, 30), 1, 0)", "item"),
    ),
    Feature(
        "new_item_share_30d", DOUBLE, "Of item_count_30d, items the person had never met before", "0-1", "30d",
        how=share("_new_item_count_30d", "item_count_30d"),
    ),
    Feature("_single_item_count", BIGINT, "Items met one day", how=Total("if(first_date = event_date, 1, 0)", "item")),
    Feature(
        "revisited_item_share", DOUBLE, "Of item_count, items met again on a later day", "0-1",
        how=share("(item_count - _single_item_count)", "item_count"),
    ),
)  # fmt: skip

_RECORD = Made("demography", "of the person's logins the one that changed last among those that say it")

DEMOGRAPHY = (
    Feature("_signed_in_count", BIGINT, "Events while signed in", how=Total("signed_in")),
    Feature("has_login", BOOLEAN, "Whether the person ever signed in", how="_signed_in_count > 0"),
    Feature(
        "age_band", STRING, "Band of age as the source gives it, else from the year of birth", person=True, how=_RECORD
    ),
    Feature("gender", STRING, "Gender as the source gives it", person=True, how=_RECORD),
    Feature("occupation", STRING, "Occupation", person=True, how=_RECORD),
    Feature("education", STRING, "Education", person=True, how=_RECORD),
    Feature("income_band", STRING, "Band of income", person=True, how=_RECORD),
    Feature("region", STRING, "Region of the customer", person=True, how=_RECORD),
    Feature("demography_source", STRING, "Names of the sources that said the attributes", how=_RECORD),
    Feature("age_band_origin", STRING, "stated, or birth_year where the band was made from it", how=_RECORD),
)

_FIFTH = Made("rfm", "exact fifths among buyers, as pandas.qcut has them")

RFM = (
    Feature("rfm_recency_rank", INT, "Fifth by order_recency_days among buyers; 5 bought last", "1-5", how=_FIFTH),
    Feature("rfm_frequency_rank", INT, "Fifth by order_count among buyers; 5 buys most often", "1-5", how=_FIFTH),
    Feature("rfm_money_rank", INT, "Fifth by money_minor among buyers; 5 spends most", "1-5", how=_FIFTH),
    Feature("rfm_cell", STRING, "The three ranks in a row: 543", how=_FIFTH),
)

_LIFETIME = Made("lifetime", "the lifetime models, fitted on all buyers as of the day")
LIFETIME = (
    Feature("alive_probability", DOUBLE, "Probability that a buyer still is one (BG/NBD)", "0-1", how=_LIFETIME),
    Feature(
        "expected_orders", DOUBLE, "Days with an order expected in the next lifetime.horizon_days", "days",
        how=_LIFETIME,
    ),
    Feature(
        "expected_order_minor", BIGINT, "Money of a day with an order, expected (Gamma-Gamma)", "cents, base currency",
        how=_LIFETIME,
    ),
    Feature(
        "expected_value_minor", BIGINT, "expected_orders × expected_order_minor", "cents, base currency",
        how=_LIFETIME,
    ),
)  # fmt: skip

LISTS = tuple(
    Feature(
        f"{kind}_tastes",
        TASTE_LIST,
        f"Foremost names of kind {_WORDS[kind]}: decayed share, lift on everybody's share, events; by share, then name",
        person=kind == "search_word",
        how=Made(_builder(kind), "decayed events by name, the taste_limit greatest"),
    )
    for kind in TASTE_KINDS
)
"""Features of more than one value: no condition, threshold or segment can speak of them."""
