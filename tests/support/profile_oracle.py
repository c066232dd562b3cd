"""A person's profile by plain loops over the events: what the features mean, said a second time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import numpy as np

PARTS = ("night", "morning", "afternoon", "evening")
Event = dict[str, Any]


def plain_profiles(
    events: Iterable[Event], items: dict[str, Event], as_of: date, new_days: int = 30
) -> dict[str, dict[str, Any]]:
    """Person to features, for everybody with an event before as_of; without visits and demography."""
    by_person: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if not event["is_bot"] and event["event_date"] < as_of:
            by_person[event["person_id"]].append({**dict.fromkeys(("item_id", "login_id", "value")), **event})
    profiles = {person: _profile(mine, items, as_of, new_days) for person, mine in by_person.items()}
    _add_rfm(profiles)
    return profiles


def _profile(mine: list[Event], items: dict[str, Event], as_of: date, new_days: int) -> dict[str, Any]:
    def of(verb: str, days: int | None = None) -> list[Event]:
        first = date.min if days is None else as_of - timedelta(days=days)
        return [e for e in mine if e["event_type"] == verb and e["event_date"] >= first]

    dates = {e["event_date"] for e in mine}
    order_dates = sorted({e["event_date"] for e in of("buy")})
    money = sum(e["amount_base_minor"] for e in of("buy"))
    refund = -sum(e["amount_base_minor"] for e in of("refund"))
    discount = _discount(of("buy"))
    orders = _orders(of("buy"))
    tenure, recency = (as_of - min(dates)).days, (as_of - max(dates)).days
    parts = Counter(PARTS[_hour(e) // 6] for e in mine)
    platforms = Counter(e["platform"] for e in mine)
    top = min(platforms, key=lambda p: (-platforms[p], p))
    bought = sum(e["quantity"] if e["quantity"] is not None else 1.0 for e in of("buy"))
    span = (order_dates[-1] - order_dates[0]).days if order_dates else 0
    return {
        "recency_days": recency,
        "tenure_days": tenure,
        "first_event_date": min(dates),
        "last_event_date": max(dates),
        "first_order_date": order_dates[0] if order_dates else None,
        "order_recency_days": (as_of - order_dates[-1]).days if order_dates else None,
        "is_new": tenure <= new_days,
        "is_returning": tenure > new_days and recency <= new_days,
        "mean_days_between_orders": span / (len(order_dates) - 1) if len(order_dates) > 1 else None,
        "event_count": len(mine),
        "event_count_30d": sum(e["event_date"] >= as_of - timedelta(days=30) for e in mine),
        "active_day_count": len(dates),
        "active_day_count_7d": sum(d >= as_of - timedelta(days=7) for d in dates),
        "active_day_count_90d": sum(d >= as_of - timedelta(days=90) for d in dates),
        "order_count": orders,
        "order_count_30d": _orders(of("buy", 30)),
        "money_minor": money,
        "money_minor_90d": sum(e["amount_base_minor"] for e in of("buy", 90)),
        "refund_minor": refund,
        "net_money_minor": money - refund,
        "refund_share": min(1.0, refund / money) if money else None,
        "discount_share": min(1.0, discount / (discount + money)) if discount + money else None,
        "mean_order_minor": int(money / orders + 0.5) if orders else None,
        "bought_quantity": bought,
        "view_count": len(of("view")),
        "buy_count_30d": len(of("buy", 30)),
        "favourite_count": len(of("favourite")) + len(of("bookmark")),
        "error_count_30d": len(of("error", 30)),
        "zero_result_search_count": sum(e["value"] == 0 for e in of("search")),
        "mean_load_value": _mean([e["value"] for e in of("load")]),
        "mean_satisfaction_value": _mean([e["value"] for e in of("survey")]),
        "mean_rating_value": _mean([e["value"] for e in of("rate")]),
        "platform_count": len(platforms),
        "top_platform": top,
        "top_platform_share": platforms[top] / len(mine),
        "phone_share": sum(e["device_class"] == "phone" for e in mine) / len(mine),
        "tv_share": sum(e["device_class"] == "tv" for e in mine) / len(mine),
        "night_share": parts["night"] / len(mine),
        "weekend_share": sum(e["event_date"].weekday() >= 5 for e in mine) / len(mine),
        "top_daypart": min(PARTS, key=lambda p: (-parts[p], PARTS.index(p))),
        "has_login": any(e["login_id"] for e in mine),
        **_tastes(mine, items),
    }


def _tastes(mine: list[Event], items: dict[str, Event]) -> dict[str, Any]:
    sets = {
        verb: {e["item_id"] for e in mine if e["event_type"] == verb and e["item_id"]}
        for verb in ("view", "cart", "buy")
    }
    views = [items[e["item_id"]]["price_minor"] for e in mine if e["event_type"] == "view" and e["item_id"] in items]
    prices = [price for price in views if price is not None]
    tastes: dict[str, Any] = {
        "item_count": len({e["item_id"] for e in mine if e["item_id"]}),
        "view_to_cart_share": _share(sets["view"] & (sets["cart"] | sets["buy"]), sets["view"]),
        "cart_to_buy_share": _share(sets["cart"] & sets["buy"], sets["cart"]),
        "mean_viewed_price_minor": int(sum(prices) / len(prices) + 0.5) if prices else None,
    }
    for kind in ("category", "brand", "price_band"):
        counts = Counter(items[e["item_id"]][kind] for e in mine if e["item_id"] in items)
        counts.pop(None, None)
        top = min(counts, key=lambda name: (-counts[name], name)) if counts else None
        tastes[f"top_{kind}"] = top
        tastes[f"top_{kind}_share"] = counts[top] / sum(counts.values()) if top else None
        if kind == "category":
            tastes["category_count"] = len(counts)
    return tastes


def _share(part: set[Any], whole: set[Any]) -> float | None:
    return len(part) / len(whole) if whole else None


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _hour(event: Event) -> int:
    offset = event["utc_offset_minutes"] if event.get("utc_offset_minutes") is not None else 60
    return (event["event_at"] + timedelta(minutes=offset)).hour


def _orders(buys: list[Event]) -> int:
    """Named orders by day, platform and currency, as the roll-up counts them; the unnamed of a day are one."""
    return len({(e["event_date"], e["platform"], e["currency"], e["order_id"]) for e in buys})


def _discount(buys: list[Event]) -> int:
    """In the base currency, by day, platform and currency."""
    groups: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for e in buys:
        groups[(e["event_date"], e["platform"], e["currency"])].append(e)
    total = 0
    for lines in groups.values():
        amount, base = sum(e["amount_minor"] for e in lines), sum(e["amount_base_minor"] for e in lines)
        total += round(sum(e["discount_minor"] or 0 for e in lines) * (base / amount if amount else 1.0))
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
