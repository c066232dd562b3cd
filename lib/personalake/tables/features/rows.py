"""The rows that features are counted on, made from the daily roll-ups: their columns, each said once in SQL."""

from __future__ import annotations

from personalake.tables.features.spec import Rows

DEVICE_CLASSES: tuple[str, ...] = ("pc", "phone", "tablet", "tv", "other")
"""Classes of devices; the place in this order is their code."""

DAYPARTS: tuple[str, ...] = ("night", "morning", "afternoon", "evening")
WEEKDAYS: tuple[str, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _of(number: str, *verbs: str) -> str:
    """A sum over the roll-up's rows of some verbs; 0 where there is none."""
    listed = ", ".join(f"'{verb}'" for verb in verbs)
    return f"coalesce(sum(CASE WHEN event_type IN ({listed}) THEN {number} END), 0)"


_COUNTED = {
    "views": ("view",),
    "carts": ("cart",),
    "buys": ("buy",),
    "searches": ("search",),
    "favourites": ("favourite", "bookmark"),
    "refunds": ("refund",),
    "clicks": ("click",),
    "impressions": ("impression",),
    "errors": ("error",),
    "loads": ("load",),
}
_MEASURED = {"load": "loads", "survey": "surveys", "rate": "ratings"}

# The discount in the base currency, at the rate of the day's own lines; as it stands where nothing was paid.
_DISCOUNT = "cast(round(discount_minor * coalesce(try_divide(amount_base_minor, amount_minor), 1)) AS bigint)"

_DAY = Rows(
    meaning="a person's day, from person_days",
    columns={
        "events": "sum(event_count)",
        **{name: _of("event_count", *verbs) for name, verbs in _COUNTED.items()},
        "orders": "sum(order_count)",
        "money": _of("amount_base_minor", "buy"),
        "refunded": _of("-amount_base_minor", "refund"),
        "discount": _of(_DISCOUNT, "buy"),
        "discounted": _of("discounted_count", "buy"),
        "unrated": "sum(unrated_count)",
        "pieces": _of("quantity", "buy"),
        "returned_pieces": _of("abs(quantity)", "refund"),
        "empty_searches": _of("zero_value_count", "search"),
        "answered_searches": _of("value_count", "search"),
        "slow_loads": _of("slow_count", "load"),
        **{f"measured_{name}": _of("value_count", verb) for verb, name in _MEASURED.items()},
        **{f"sum_of_{name}": _of("value_sum", verb) for verb, name in _MEASURED.items()},
        "campaign_events": "sum(campaign_event_count)",
        "campaign_buys": _of("campaign_event_count", "buy"),
        "signed_in": "sum(login_event_count)",
        **{f"{name}_events": f"sum({name}_event_count)" for name in (*DAYPARTS, *DEVICE_CLASSES[:-1])},
        "events_before": "sum(day_before_event_count)",
        "events_after": "sum(day_after_event_count)",
    },
)

_VISIT = Rows(
    meaning="a visit, from sessions, as far as it had come; event_date is the day it began",
    columns={
        "visit_millis": "unix_millis(ended_at) - unix_millis(started_at)",
        "visit_events": "event_count",
        "bounces": "if(is_bounce, 1, 0)",
        "hour": "started_hour",
    },
)


def _first_met(condition: str) -> str:
    """When and on which class of device, in one number: the earliest is the smallest."""
    code = " ".join(f"WHEN '{name}' THEN {n}" for n, name in enumerate(DEVICE_CLASSES))
    moment = f"unix_millis(first_at) * 8 + CASE first_device_class {code} ELSE {DEVICE_CLASSES.index('other')} END"
    return f"min(CASE WHEN {condition} THEN {moment} END)"


_ITEM = Rows(
    meaning="a person and an item, from person_item_days, with the item's price as known on the as-of day; "
    "event_date is the day they last met",
    columns={
        "events": "sum(event_count)",
        "views": _of("event_count", "view"),
        "carts": _of("event_count", "cart"),
        "buys": _of("event_count", "buy"),
        "first_buy_date": "min(CASE WHEN event_type = 'buy' THEN event_date END)",
        "last_buy_date": "max(CASE WHEN event_type = 'buy' THEN event_date END)",
        "first_met": _first_met("true"),
        "first_bought": _first_met("event_type = 'buy'"),
        "first_date": "min(event_date)",
    },
    dates=("event_date", "price_base_minor"),
)

ROWS: dict[str, Rows] = {"day": _DAY, "visit": _VISIT, "item": _ITEM}


def on_weekday(number: int) -> str:
    """Events of a day on a weekday where the person was: its neighbours' late and early hours may be of that weekday.

    Args:
        number: of the weekday, from Monday = 0.
    """
    here = f"if(weekday(event_date) = {number}, events - events_before - events_after, 0)"
    before = f"if(weekday(event_date) = {(number + 1) % 7}, events_before, 0)"
    after = f"if(weekday(event_date) = {(number - 1) % 7}, events_after, 0)"
    return f"{here} + {before} + {after}"


def first_class(column: str) -> str:
    """The code of the device class in a number of `first_met`."""
    return f"{column} % 8"
