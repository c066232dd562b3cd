"""A person's profile by plain loops over the events: what the features mean, said a second time."""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import numpy as np

from support.taste_oracle import add_tastes

PARTS = ("night", "morning", "afternoon", "evening")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLASSES = ("pc", "phone", "tablet", "tv")
WINDOWS = (1, 7, 30, 90, 365)
HALF_LIFE_DAYS = 30.0
SLOW_LOAD_MILLIS = 3000.0
Event = dict[str, Any]


def plain_profiles(
    events: Iterable[Event], items: Mapping[str, Event], as_of: date, new_days: int = 30
) -> dict[str, dict[str, Any]]:
    """Person to features, for everybody with an event before as_of; without visits and demography.

    Args:
        events: rows of EVENTS and person_id.
        items: item to its row as known on the day.
        as_of: the day.
        new_days: a person is new for so many days.
    """
    by_person: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if not event["is_bot"] and event["event_date"] < as_of:
            by_person[event["person_id"]].append(defaultdict(lambda: None, event))
    profiles = {person: _profile(mine, items, as_of, new_days) for person, mine in by_person.items()}
    add_tastes(profiles, by_person, items, as_of, HALF_LIFE_DAYS)
    _add_rfm(profiles)
    return profiles


def _profile(mine: list[Event], items: Mapping[str, Event], as_of: date, new_days: int) -> dict[str, Any]:
    dates = {e["event_date"] for e in mine}
    tenure, recency = (as_of - min(dates)).days, (as_of - max(dates)).days
    platforms = Counter(e["platform"] for e in mine)
    top = min(platforms, key=lambda p: (-platforms[p], p))
    return {
        "recency_days": recency,
        "tenure_days": tenure,
        "first_event_date": min(dates),
        "last_event_date": max(dates),
        "is_new": tenure <= new_days,
        "is_returning": tenure > new_days and recency <= new_days,
        "mean_days_between_active_days": (max(dates) - min(dates)).days / (len(dates) - 1) if len(dates) > 1 else None,
        "platform_count": len(platforms),
        "top_platform": top,
        "top_platform_share": platforms[top] / len(mine),
        "has_login": any(e["login_id"] for e in mine),
        **_windows(mine, as_of),
        **_regularity(mine, as_of),
        **_money(mine, as_of),
        **_habits(mine),
        **_met(mine, as_of),
        **_items(mine, items, as_of),
        **_ways(mine),
    }


def _of(mine: list[Event], *verbs: str) -> list[Event]:
    return [e for e in mine if e["event_type"] in verbs]


def _windows(mine: list[Event], as_of: date) -> dict[str, Any]:
    counts: dict[str, Callable[[list[Event]], int]] = {
        "event_count": len,
        "active_day_count": lambda es: len({e["event_date"] for e in es}),
        "order_count": lambda es: _orders(_of(es, "buy")),
        "money_minor": lambda es: _money_of(_of(es, "buy")),
        **{f"{v}_count": lambda es, v=v: len(_of(es, v)) for v in ("view", "cart", "buy", "search")},
    }
    found = {}
    for name, count in counts.items():
        found[name] = count(mine)
        for days in WINDOWS:
            found[f"{name}_{days}d"] = count([e for e in mine if e["event_date"] >= as_of - timedelta(days=days)])
    return found


def _regularity(mine: list[Event], as_of: date) -> dict[str, Any]:
    days = sorted({e["event_date"] for e in _of(mine, "buy")})
    gaps = [(b - a).days for a, b in pairwise(days)]
    mean = sum(gaps) / len(gaps) if gaps else None
    deviation = statistics.stdev(gaps) if len(gaps) > 1 else None
    expected = days[-1] + timedelta(days=math.floor(mean + 0.5)) if mean is not None else None
    return {
        "first_order_date": days[0] if days else None,
        "last_order_date": days[-1] if days else None,
        "order_recency_days": (as_of - days[-1]).days if days else None,
        "order_day_count": len(days),
        "mean_days_between_orders": mean,
        "stddev_days_between_orders": deviation,
        "order_gap_variation": deviation / mean if deviation is not None and mean else None,
        "expected_order_date": expected,
        "order_overdue_days": (as_of - expected).days if expected else None,
    }


def _money(mine: list[Event], as_of: date) -> dict[str, Any]:
    buys, refunds = _of(mine, "buy"), _of(mine, "refund")
    money, refund, discount, orders = _money_of(buys), -_money_of(refunds), _discount(buys), _orders(buys)
    bought, returned = (sum(abs(1.0 if e["quantity"] is None else e["quantity"]) for e in es) for es in (buys, refunds))
    recent = [e for e in refunds if e["event_date"] >= as_of - timedelta(days=90)]
    decayed = defaultdict(float)
    for e in buys:
        decayed[e["event_date"]] += (e["amount_base_minor"] or 0) * 0.5 ** (_age(e, as_of) / HALF_LIFE_DAYS)
    return {
        "refund_minor": refund,
        "refund_minor_90d": -_money_of(recent),
        "refund_count": len(refunds),
        "net_money_minor": money - refund,
        "refund_share": _part(refund, money),
        "returned_quantity": returned,
        "return_share": _part(returned, bought),
        "discount_share": _part(discount, discount + money),
        "discounted_buy_count": sum((e["discount_minor"] or 0) > 0 for e in buys),
        "discounted_buy_share": _part(sum((e["discount_minor"] or 0) > 0 for e in buys), len(buys)),
        "mean_order_minor": _half_up(money / orders) if orders else None,
        "bought_quantity": bought,
        "quantity_per_order": bought / orders if orders else None,
        "lines_per_order": len(buys) / orders if orders else None,
        "currency_count": len({e["currency"] for e in buys} - {None}),
        "unrated_count": sum(e["amount_minor"] is not None and e["amount_base_minor"] is None for e in mine),
        "decayed_event_value": sum(0.5 ** (_age(e, as_of) / HALF_LIFE_DAYS) for e in mine),
        "decayed_money_minor": _half_up(sum(decayed.values())),
    }


def _habits(mine: list[Event]) -> dict[str, Any]:
    local = [e["event_at"] + timedelta(minutes=60 if e["utc_offset_minutes"] is None else e["utc_offset_minutes"])
             for e in mine]  # fmt: skip
    parts = Counter(PARTS[at.hour // 6] for at in local)
    weekdays = Counter(WEEKDAYS[at.weekday()] for at in local)
    classes = Counter(e["device_class"] for e in mine)
    return {
        **{f"{part}_share": parts[part] / len(mine) for part in PARTS},
        **{f"{day}_share": weekdays[day] / len(mine) for day in WEEKDAYS},
        **{f"{name}_share": classes[name] / len(mine) for name in CLASSES},
        "weekend_share": (weekdays["saturday"] + weekdays["sunday"]) / len(mine),
        "top_daypart": min(PARTS, key=lambda p: (-parts[p], PARTS.index(p))),
        "top_weekday": min(WEEKDAYS, key=lambda d: (-weekdays[d], WEEKDAYS.index(d))),
    }


_MEASURED = ("load", "search", "survey", "rate")


def _met(mine: list[Event], as_of: date) -> dict[str, Any]:
    came = [e for e in mine if e["campaign_id"] or e["message_id"]]
    values = {v: [e["value"] for e in _of(mine, v) if e["value"] is not None] for v in _MEASURED}
    slow, empty = sum(v > SLOW_LOAD_MILLIS for v in values["load"]), sum(e["value"] == 0 for e in _of(mine, "search"))
    recent = [e for e in mine if e["event_date"] >= as_of - timedelta(days=30)]
    shown, clicks, buys = len(_of(mine, "impression")), len(_of(mine, "click")), _of(mine, "buy")
    return {
        "favourite_count": len(_of(mine, "favourite", "bookmark")),
        "favourite_count_30d": len(_of(recent, "favourite", "bookmark")),
        "campaign_event_count": len(came),
        "campaign_event_count_30d": sum(e in recent for e in came),
        "campaign_day_count": len({e["event_date"] for e in came}),
        "campaign_event_share": len(came) / len(mine),
        "campaign_buy_count": len(_of(came, "buy")),
        "campaign_buy_share": _part(len(_of(came, "buy")), len(buys)),
        "click_count": clicks,
        "click_share": _part(clicks, shown),
        "error_count": len(_of(mine, "error")),
        "error_count_30d": len(_of(recent, "error")),
        "error_share": len(_of(mine, "error")) / len(mine),
        "load_count": len(values["load"]),
        "slow_load_count": slow,
        "slow_load_share": _part(slow, len(values["load"])),
        "zero_result_search_count": empty,
        "answered_search_count": len(values["search"]),
        "zero_result_search_share": _part(empty, len(values["search"])),
        "survey_count": len(values["survey"]),
        "rating_count": len(values["rate"]),
        "mean_load_value": _mean(values["load"]),
        "mean_satisfaction_value": _mean(values["survey"]),
        "mean_rating_value": _mean(values["rate"]),
    }


def _items(mine: list[Event], items: Mapping[str, Event], as_of: date) -> dict[str, Any]:
    by_item: dict[str, list[Event]] = defaultdict(list)
    for e in mine:
        if e["item_id"] is not None:
            by_item[e["item_id"]].append(e)
    sets = {v: {e["item_id"] for e in _of(mine, v)} - {None} for v in ("view", "cart", "buy")}
    viewed, carted, bought = sets["view"], sets["cart"], sets["buy"]
    paths = [(_first_class(by_item[i]), _first_class(_of(by_item[i], "buy"))) for i in bought]
    days = {i: {e["event_date"] for e in es} for i, es in by_item.items()}
    since = as_of - timedelta(days=30)
    recent = [i for i in days if max(days[i]) >= since]
    return {
        "item_count": len(by_item),
        "item_count_30d": len(recent),
        "new_item_share_30d": _part(sum(min(days[i]) >= since for i in recent), len(recent)),
        "revisited_item_share": _part(sum(len(d) > 1 for d in days.values()), len(days)),
        "viewed_item_count": len(viewed),
        "bought_item_count": len(bought),
        "view_to_cart_share": _part(len(viewed & (carted | bought)), len(viewed)),
        "view_to_buy_share": _part(len(viewed & bought), len(viewed)),
        "cart_to_buy_share": _part(len(carted & bought), len(carted)),
        "rebought_item_share": _part(
            sum(len({e["event_date"] for e in _of(by_item[i], "buy")}) > 1 for i in bought), len(bought)
        ),
        "cross_device_buy_share": _part(sum(a != b for a, b in paths), len(paths)),
        "phone_to_pc_buy_share": _part(sum((a, b) == ("phone", "pc") for a, b in paths), len(paths)),
        "mean_viewed_price_minor": _mean_price(_of(mine, "view"), items),
        "mean_bought_price_minor": _mean_price(_of(mine, "buy"), items),
    }


def _ways(mine: list[Event]) -> dict[str, Any]:
    """Orders of a day and platform whose way began elsewhere."""
    # An order is made where its first line of the day is.
    made: dict[tuple[Any, ...], Event] = {}
    for e in sorted(_of(mine, "buy"), key=lambda e: (e["event_at"], e["platform"], e["currency"] or "")):
        made.setdefault(_order(e), e)
    counts = Counter((e["event_date"], e["platform"]) for e in made.values())
    ways = Counter[str]()
    for (day, platform), count in counts.items():
        last = max((other for other, _ in counts if other < day), default=date.min)
        since = max(last + timedelta(days=1), day - timedelta(days=6))
        began = min((e["event_at"], e["platform"]) for e in mine if since <= e["event_date"] <= day)[1]
        if began != platform:
            ways[f"{began} → {platform}"] += count
    return {
        "cross_platform_order_count": sum(ways.values()),
        "cross_platform_order_share": _part(sum(ways.values()), sum(counts.values())),
        "top_platform_path": min(ways, key=lambda w: (-ways[w], w), default=None),
    }


def _first_class(events: list[Event]) -> str:
    return str(min(events, key=lambda e: (e["event_at"], (*CLASSES, "other").index(e["device_class"])))["device_class"])


def _mean_price(events: list[Event], items: Mapping[str, Event]) -> int | None:
    prices = [items[e["item_id"]].get("price_base_minor") for e in events if e["item_id"] in items]
    known = [price for price in prices if price is not None]
    return _half_up(sum(known) / len(known)) if known else None


def _part(part: float, whole: float) -> float | None:
    return max(0.0, min(part, whole)) / whole if whole > 0 else None


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _half_up(value: float) -> int:
    """Half away from 0."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


def _age(event: Event, as_of: date) -> int:
    return (as_of - event["event_date"]).days - 1


def _money_of(events: list[Event]) -> int:
    return sum(e["amount_base_minor"] or 0 for e in events)


def _orders(buys: list[Event]) -> int:
    return len({_order(e) for e in buys})


def _order(buy: Event) -> tuple[Any, ...]:
    """What makes two lines of a day one order: its id; without one, the platform and currency."""
    named = buy["order_id"]
    return buy["event_date"], *((buy["platform"], buy["currency"] or "") if named is None else (named,))


def _discount(buys: list[Event]) -> int:
    """In the base currency, by day, platform and currency."""
    groups: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for e in buys:
        groups[(e["event_date"], e["platform"], e["currency"])].append(e)
    total = 0
    for lines in groups.values():
        amount, base = sum(e["amount_minor"] or 0 for e in lines), _money_of(lines)
        total += _half_up(sum(e["discount_minor"] or 0 for e in lines) * (base / amount if amount else 1.0))
    return total


def _add_rfm(profiles: dict[str, dict[str, Any]]) -> None:
    buyers = [p for p in profiles.values() if p["order_count"]]
    ranks = {}
    for name, column in (("recency", "order_recency_days"), ("frequency", "order_count"), ("money", "money_minor")):
        values = np.array([p[column] for p in buyers], dtype=float)
        edges = np.quantile(values, [0.2, 0.4, 0.6, 0.8]) if len(values) else []
        ranks[name] = np.searchsorted(edges, values, side="left") + 1
    for profile in profiles.values():
        profile["rfm_cell"] = None
    for n, buyer in enumerate(buyers):
        buyer["rfm_recency_rank"] = 6 - int(ranks["recency"][n])
        buyer["rfm_cell"] = f"{buyer['rfm_recency_rank']}{ranks['frequency'][n]}{ranks['money'][n]}"
