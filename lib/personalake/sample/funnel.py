"""The funnel of a block: what its looks lead to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from personalake.sample.catalogue import Catalogue
from personalake.sample.events import (
    BUY,
    CART,
    CLICK,
    ERROR,
    FAVOURITE,
    IMPRESSION,
    LOAD,
    OPEN,
    RATE,
    REFUND,
    SEARCH,
    SURVEY,
    VIEW,
    Events,
    all_events,
    only_distinct,
    some_events,
)
from personalake.sample.looks import Looks, make_looks
from personalake.sample.people import ANDROID, IOS, MINI, WEB, People
from personalake.sample.plan import DAY_SECONDS, Plan
from personalake.sample.visits import Visits, device_number, make_visits
from personalake.sample.vocabulary import CATEGORIES, ERRORS, NO_RESULT_QUERIES, SEGMENTS

QUERIES = tuple(word for category in CATEGORIES for word in (*category.words[:3], category.chinese)) + NO_RESULT_QUERIES
_LOAD_MILLIS = np.array([650, 480, 560, 700, 1500, 620])


def make_events(
    plan: Plan, catalogue: Catalogue, people: People, rng: np.random.Generator
) -> tuple[Visits, Events, np.ndarray]:
    """Visits, events and each event's device number, of one block.

    Args:
        plan: the arguments.
        catalogue: the items.
        people: the block.
        rng: its stream.
    """
    visits = make_visits(plan, people, rng)
    looks = make_looks(plan, catalogue, people, visits, rng)
    parts = [*_around(people, visits, looks, rng), *_searches(catalogue, looks, rng)]
    cart = rng.random(len(looks.visit)) < _chance(people, visits.person[looks.visit], "cart") * (
        1 + 0.35 * np.clip(looks.liking, -1.5, 2.5)
    )
    ends = np.zeros(visits.count, dtype=np.int64)
    np.maximum.at(ends, looks.visit, looks.at)
    has_cart = np.zeros(visits.count, dtype=bool)
    has_cart[looks.visit[cart]] = True
    bought = has_cart & (rng.random(visits.count) < _chance(people, visits.person, "buy"))
    buyers_sign_in = bought & people.signs_in[visits.person] & (rng.random(visits.count) < 0.9)
    visits = replace(visits, signed=visits.signed | buyers_sign_in)
    carted = Looks(*(column[cart] for column in (looks.visit, looks.item, looks.at, looks.liking, looks.position)))
    parts.append(_priced(CART, catalogue, carted.visit, carted.item, carted.at + 6))
    visits, resumed = _resume(people, visits, carted, bought, rng)
    lines = np.concatenate([np.flatnonzero(bought[carted.visit]), resumed[0]])
    visit = np.concatenate([carted.visit[bought[carted.visit]], resumed[1]])
    at = np.concatenate([ends[carted.visit[bought[carted.visit]]] + 9, visits.at[resumed[1]] + 40])
    orders = _orders(catalogue, people, visits, visit, carted.item[lines], at, rng)
    parts += [orders, some_events(VIEW, resumed[1], visits.at[resumed[1]] + 3, item=carted.item[resumed[0]])]
    visits, later = _afterwards(visits, orders, carted.liking[lines], rng)
    events = all_events([*parts, *later])
    events = events.rows(events.at < plan.days * DAY_SECONDS)
    events = only_distinct(events, visits.device[events.visit])
    return visits, events, visits.device[events.visit]


def _chance(people: People, person: np.ndarray, what: str) -> np.ndarray:
    chances: np.ndarray = np.array([getattr(segment, what) for segment in SEGMENTS])[people.segment[person]]
    return chances


def _around(people: People, visits: Visits, looks: Looks, rng: np.random.Generator) -> list[Events]:
    """Views, and what goes along with them: impressions, clicks, favourites, page loads, errors, app openings."""
    count = len(looks.visit)
    place = looks.position
    shown = rng.random(count) < 0.22
    clicked = shown & (rng.random(count) < 0.5)
    liked = rng.random(count) < 0.035 * (1 + np.clip(looks.liking, -0.8, 2.0))
    failed = rng.random(count) < 0.012
    loaded = rng.random(count) < 0.15
    platform = visits.platform
    millis = np.round(_LOAD_MILLIS[platform[looks.visit]] * rng.lognormal(0.0, 0.55, count)).astype(np.int64)
    start = np.round(_LOAD_MILLIS[platform] * rng.lognormal(0.2, 0.5, visits.count)).astype(np.int64)
    opened = np.isin(platform, (IOS, ANDROID, MINI)) & (rng.random(visits.count) < 0.25)
    entry = np.flatnonzero((platform == WEB) | (rng.random(visits.count) < 0.4))
    faults = rng.integers(0, len(ERRORS), count)
    columns = {"item": looks.item}

    def at(kind: int, chosen: np.ndarray, seconds: int, **more: np.ndarray) -> Events:
        picked = {name: column[chosen] for name, column in more.items()}
        return some_events(kind, looks.visit[chosen], looks.at[chosen] + seconds, **picked)

    everything = np.ones(count, dtype=bool)
    return [
        at(VIEW, everything, 3, **columns),
        at(IMPRESSION, shown, 1, position=place, **columns),
        at(CLICK, clicked, 2, position=place, **columns),
        at(FAVOURITE, liked, 5, **columns),
        at(LOAD, loaded, 3, value=millis, **columns),
        at(ERROR, failed, 4, value=faults),
        some_events(LOAD, entry, visits.at[entry], value=start[entry]),
        some_events(OPEN, np.flatnonzero(opened), visits.at[opened]),
    ]


def _searches(catalogue: Catalogue, looks: Looks, rng: np.random.Generator) -> list[Events]:
    """One look in eight follows a search for its category; one search in twelve finds nothing."""
    searched = np.flatnonzero(rng.random(len(looks.visit)) < 0.12)
    nothing = rng.random(len(searched)) < 0.08
    word = catalogue.category[looks.item[searched]] * 4 + rng.integers(0, 4, len(searched))
    lost = len(CATEGORIES) * 4 + rng.integers(0, len(NO_RESULT_QUERIES), len(searched))
    hits = np.where(nothing, 0, rng.integers(3, 180, len(searched)))
    return [
        some_events(SEARCH, looks.visit[searched], looks.at[searched], query=np.where(nothing, lost, word), hits=hits)
    ]


def _priced(kind: int, catalogue: Catalogue, visit: np.ndarray, item: np.ndarray, at: np.ndarray) -> Events:
    one = np.ones(len(visit), dtype=np.int64)
    price = catalogue.price_on(item, at // DAY_SECONDS)
    return some_events(kind, visit, at, item=item, amount=price, quantity=one)


def _resume(
    people: People, visits: Visits, carted: Looks, bought: np.ndarray, rng: np.random.Generator
) -> tuple[Visits, tuple[np.ndarray, np.ndarray]]:
    """Carts left on a phone that are bought on the PC hours later, signed in by those who ever sign in.

    Returns:
        The visits with the later ones added, and (number of the cart line, number of its later visit).
    """
    left = np.unique(carted.visit[~bought[carted.visit]])
    person = visits.person[left]
    phone = np.isin(visits.platform[left], (IOS, ANDROID, MINI)) & (people.owns[person, WEB] > 0)
    left = left[phone & (rng.random(len(left)) < 0.3)]
    person, web = visits.person[left], np.full(len(left), WEB)
    at = visits.at[left] + rng.integers(2 * 3600, 26 * 3600, len(left))
    device = device_number(people, person, web, at // DAY_SECONDS)
    signed = people.signs_in[person]
    later = Visits(person, at, web, signed, device, np.full(len(left), -1))
    number = np.full(visits.count, -1)
    number[left] = visits.count + np.arange(len(left))
    lines = np.flatnonzero(number[carted.visit] >= 0)
    return visits.joined(later), (lines, number[carted.visit[lines]])


def _orders(
    catalogue: Catalogue,
    people: People,
    visits: Visits,
    visit: np.ndarray,
    item: np.ndarray,
    at: np.ndarray,
    rng: np.random.Generator,
) -> Events:
    """Lines of orders: an order is all that a visit buys; its discount is one rate for all its lines."""
    reduced = rng.random(visits.count) < _chance(people, visits.person, "discount")
    rate = np.where(reduced, rng.choice((0.05, 0.1, 0.2, 0.3), visits.count), 0.0)
    quantity = 1 + (rng.random(len(visit)) < 0.15) + (rng.random(len(visit)) < 0.05)
    gross = catalogue.price_on(item, at // DAY_SECONDS) * quantity
    discount = np.round(gross * rate[visit]).astype(np.int64)
    return some_events(
        BUY, visit, at, item=item, amount=gross - discount, discount=discount, quantity=quantity, order=visit
    )


def _afterwards(
    visits: Visits, orders: Events, liking: np.ndarray, rng: np.random.Generator
) -> tuple[Visits, list[Events]]:
    """What follows an order: a survey at once, ratings and refunds days later in visits of their own."""
    count = orders.count
    stars = np.clip(np.round(3.4 + 0.7 * liking + rng.normal(0.0, 0.9, count)), 1, 5).astype(np.int64)
    first = np.unique(orders.order, return_index=True)[1]
    asked = first[rng.random(len(first)) < 0.18]
    survey = some_events(SURVEY, orders.visit[asked], orders.at[asked] + 25, value=stars[asked])
    later = [survey]
    for kind, chance, longest in ((RATE, 0.25, 14), (REFUND, 0.06, 10)):
        chosen = np.flatnonzero(rng.random(count) < chance)
        at = orders.at[chosen] + DAY_SECONDS + rng.integers(0, (longest - 1) * DAY_SECONDS, len(chosen))
        number = visits.count + np.arange(len(chosen))
        visits = visits.joined(visits.follow_up(orders.visit[chosen], at))
        line = {name: getattr(orders, name)[chosen] for name in ("item", "order")}
        if kind == RATE:
            later.append(some_events(RATE, number, at + 30, value=stars[chosen], **line))
        else:
            money = {name: getattr(orders, name)[chosen] for name in ("amount", "quantity")}
            later.append(some_events(REFUND, number, at + 30, **money, **line))
    return visits, later
