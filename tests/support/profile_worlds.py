"""Many small made-up worlds in one set of tables: persons who merge, late events, prices that change, refunds.

Every id of a world begins with its number, so that all of them go through one job. Everything goes on beyond `AS_OF`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from support.profile_rows import event

AS_OF = date(2024, 7, 1)
MAP_DAYS = (AS_OF - timedelta(days=20), AS_OF, AS_OF + timedelta(days=10))
"""As-of days of the runs of identity."""

_NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)
_PLATFORMS = (("web", "pc"), ("ios", "phone"), ("mobile_web", "phone"), ("tv", "tv"), ("kiosk", "other"))
_VERBS = ("view",) * 5 + ("search",) * 2 + ("cart",) * 2 + ("buy",) * 3
_RARE_VERBS = ("favourite", "bookmark", "refund", "error", "load", "survey", "rate", "click", "impression")
_WORDS = ("red", "shoes", "running", "hat", "x", "4711471", "鞋")
Row = dict[str, Any]


@dataclass(frozen=True)
class World:
    """The tables of some worlds, as rows.

    Args:
        events: rows of EVENTS.
        map_versions: rows of IDENTITY_MAP_VERSIONS.
        item_versions: rows of ITEM_VERSIONS.
        customer_versions: rows of CUSTOMER_VERSIONS.
    """

    events: list[Row]
    map_versions: list[Row]
    item_versions: list[Row]
    customer_versions: list[Row]

    def known_before(self, day: date) -> World:
        """What was known when the day began."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return World(
            [e for e in self.events if e["event_date"] < day],
            [m for m in self.map_versions if m["effective_date"] <= day],
            [i for i in self.item_versions if i["effective_at"] < start],
            [c for c in self.customer_versions if c["effective_at"] < start],
        )


def worlds(seed: int, count: int) -> World:
    """So many worlds of two to four persons each."""
    made = [_world(random.Random(f"{seed}-{number}"), f"w{number:03d}") for number in range(count)]
    return World(
        [e for w in made for e in w.events],
        [m for w in made for m in w.map_versions],
        [i for w in made for i in w.item_versions],
        [c for w in made for c in w.customer_versions],
    )


def with_map(world: World) -> World:
    """The world with its identity runs done anew over its events."""
    runs = [row for day in MAP_DAYS for row in _map(world.events, day)]
    return World(world.events, runs, world.item_versions, world.customer_versions)


def persons_of(world: World, day: date) -> dict[str, str]:
    """Identifier to person, as the run of a day has it."""
    return {m["identifier"]: m["person_id"] for m in world.map_versions if m["effective_date"] == day}


def items_of(world: World) -> dict[str, Row]:
    """Item to its newest version."""
    return {i["item_id"]: i for i in sorted(world.item_versions, key=lambda i: i["effective_at"])}


def _world(rng: random.Random, name: str) -> World:
    events: list[Row] = []
    for person in range(rng.randrange(2, 5)):
        active = [rng.choice((-400, -120, -40, -8, -1, 0, 12)) - rng.randrange(4) for _ in range(rng.choice((1, 2, 9)))]
        for back in active:
            at = _NOON + timedelta(days=back, seconds=rng.randrange(-43200, 43200))
            for _ in range(rng.choice((1, 2, 5))):
                events.append(_event(rng, f"{name}-e{len(events)}", name, person, at))
                at += timedelta(seconds=rng.choice((1, 600, 1800, 1801, 4000)))
    items = [row for number in range(5) for row in _item_versions(rng, f"{name}-i{number}", number)]
    customers = [
        {
            "login_id": f"{name}-p{person}",
            "birth_year": rng.choice((1800, 1960, 1990, 2030, None)),
            "gender": rng.choice(("f", "m", None)),
            "effective_at": _NOON + timedelta(days=back),
            "record_version": "1",
            "source": "crm",
        }
        for person in range(3)
        for back in (-300, 3)
    ]
    return with_map(World(events, [], items, customers))


def _item_versions(rng: random.Random, item: str, number: int) -> Iterable[Row]:
    """An item that changes its price, category and name before and after the day; the last of five comes later."""
    for back in (-500, -30, 2) if number < 4 else (5,):
        yield {
            "item_id": item,
            "effective_at": _NOON + timedelta(days=back, hours=rng.randrange(12)),
            "category": rng.choice(("shoes", "hats", "", None)),
            "brand": rng.choice(("Aurora", "Bergwind", None)),
            "price_band": rng.choice(("low", "middle", "high", None)),
            "price_base_minor": rng.choice((None, 0, 999, 25_050)),
            "title": rng.choice((None, "Red shoes", "red HAT 12345678", "跑鞋 trail")),
            "record_version": "1",
        }


def _event(rng: random.Random, event_id: str, name: str, person: int, at: datetime) -> Row:
    platform, device_class = rng.choice(_PLATFORMS)
    verb = rng.choice(_VERBS) if rng.random() < 0.7 else rng.choice(_RARE_VERBS)
    # Now and then somebody sits at another's device: persons merge.
    device = f"{name}-d{person if rng.random() < 0.95 else 0}-{platform}"
    row: Row = {
        "event_id": event_id,
        "source": platform,
        "platform": platform,
        "device_class": device_class,
        "event_type": verb,
        "device_id": device,
        "login_id": f"{name}-p{person}" if rng.random() < 0.3 else None,
        "item_id": None if verb in ("search", "load", "survey") else f"{name}-i{rng.randrange(5)}",
        "campaign_id": rng.choice((None, None, None, "spring")),
        "message_id": rng.choice((None, None, None, "m1")),
        "utc_offset_minutes": rng.choice((60, 60, 480, -300)),
        "is_bot": rng.random() < 0.03,
        **_measured(rng, verb),
        **(_money(rng, verb, f"{event_id[:6]}{at.date()}") if verb in ("buy", "refund") else {}),
    }
    return {name: value for name, value in event(0, at, **row).items() if name != "person_id"}


def _measured(rng: random.Random, verb: str) -> Row:
    if verb == "search":
        words = " ".join(rng.sample(_WORDS, rng.randrange(1, 4)))
        return {"query": rng.choice((None, words, words)), "value": rng.choice((None, 0.0, 7.0))}
    if verb == "load":
        return {"value": rng.choice((None, 120.0, 3000.0, 3000.5))}
    return {"value": rng.choice((None, 1.0, 4.5))} if verb in ("survey", "rate") else {}


def _money(rng: random.Random, verb: str, order: str) -> Row:
    """Euros, twice that in dollars, and yen that nobody has a rate for; now and then less than nothing."""
    currency, rate = rng.choice((("EUR", 1), ("EUR", 1), ("USD", 2), ("JPY", None)))
    amount = rng.choice((0, 500, 1999, 4001, -300)) * (-1 if verb == "refund" else 1)
    return {
        "currency": currency,
        "amount_minor": amount,
        "amount_base_minor": None if rate is None else amount * rate,
        "discount_minor": rng.choice((None, 0, 100, 333)),
        "quantity": rng.choice((None, 1.0, 2.0)) if verb == "buy" else -1.0,
        "order_id": f"{order}-{rng.randrange(2)}" if rng.random() < 0.7 else None,
    }


def _map(events: Iterable[Row], day: date) -> list[Row]:
    """What a run of identity as of a day says: what was seen together before it is one person, named by its least."""
    person: dict[str, str] = {}
    for e in (e for e in events if e["event_date"] < day):
        both = [i for i in (e["device_id"], e["login_id"]) if i is not None]
        for i in both:
            person.setdefault(i, i)
        joined = {person[i] for i in both}
        person = {i: min(joined) if p in joined else p for i, p in person.items()}
    return [
        {"identifier_kind": kind_of(i), "identifier": i, "effective_date": day, "person_id": p, "linked_at": _NOON}
        for i, p in sorted(person.items())
    ]


def kind_of(identifier: str) -> str:
    """Whether it is a device's or a login's."""
    return "device" if "-d" in identifier else "login"
