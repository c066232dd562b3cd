"""The made-up people behave in ways worth analysing. No Spark: parts are made in the test's own process."""

from __future__ import annotations

from collections import Counter
from datetime import date

import numpy as np
import pytest

from personalake.sample.catalogue import make_catalogue
from personalake.sample.events import BUY, CART, CLICK, IMPRESSION, REFUND, SEARCH, TYPES, VIEW
from personalake.sample.funnel import make_events
from personalake.sample.people import IOS, MINI, TV, WEB, make_people
from personalake.sample.plan import PLATFORMS, Plan
from personalake.sample.vocabulary import SEGMENTS

DAY = 86400


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan(persons=1000, items=400, days=42, start=date(2026, 3, 2), seed=3)


@pytest.fixture(scope="module")
def catalogue(plan):
    return make_catalogue(plan)


@pytest.fixture(scope="module")
def blocks(plan, catalogue):
    made = []
    for number in range(plan.blocks):
        people = make_people(plan, number)
        made.append((people, *make_events(plan, catalogue, people, plan.stream("events", number))))
    return made


def _column(blocks, name):
    return np.concatenate([getattr(events, name) for _, _, events, _ in blocks])


def _persons(blocks, what):
    """A trait of the person of each event."""
    return np.concatenate([what(people)[visits.person[events.visit]] for people, visits, events, _ in blocks])


def test_the_funnel_narrows(blocks):
    count = np.bincount(_column(blocks, "kind"), minlength=len(TYPES))
    assert count[VIEW] > 3 * count[CART] > 3 * count[BUY] > 3 * count[REFUND] > 0
    assert count[IMPRESSION] > count[CLICK] > 0
    assert (count > 0).all()
    for _, visits, events, _ in blocks:
        bought, carted = (np.unique(events.visit[events.kind == kind]) for kind in (BUY, CART))
        resumed = np.setdiff1d(bought, carted)
        assert np.setdiff1d(carted, bought).size > carted.size // 3  # abandoned
        assert resumed.size > 0
        assert (visits.platform[resumed] == WEB).all()  # left on the phone, bought on the PC


def test_orders_have_several_items_and_money_adds_up(blocks, catalogue):
    for _, _, events, _ in blocks:
        lines = events.rows(events.kind == BUY)
        assert np.bincount(lines.order).max() >= 3
        price = catalogue.price_on(lines.item, lines.at // DAY)
        assert (lines.amount + lines.discount == price * lines.quantity).all()
        assert (lines.amount > 0).all()
        assert (lines.discount > 0).any()
        refunds = events.rows(events.kind == REFUND)
        sold = set(zip(lines.order.tolist(), lines.item.tolist(), strict=True))
        assert set(zip(refunds.order.tolist(), refunds.item.tolist(), strict=True)) <= sold


def test_no_two_events_share_device_second_kind_and_item(blocks):
    for _, _, events, device in blocks:
        keys = np.stack([device, events.at, events.kind, events.item], axis=1)
        assert len(np.unique(keys, axis=0)) == events.count


def test_views_have_a_long_tail_and_only_of_what_is_on_offer(blocks, catalogue):
    views = _column(blocks, "kind") == VIEW
    item, day = _column(blocks, "item")[views], _column(blocks, "at")[views] // DAY
    counts = np.sort(np.bincount(item, minlength=400))[::-1]
    assert counts[:40].sum() / counts.sum() > 0.35  # a tenth of the items has more than a third of the views
    assert counts[200:].sum() / counts.sum() > 0.05
    late = catalogue.first_day[item] > 0
    assert late.any()
    assert (catalogue.first_day[item] <= day).all()
    # a cart that was resumed the next day may show an item that has just gone
    assert (day < catalogue.last_day[item] + 2).all()


def test_tastes_brands_and_price_sensitivity_show(blocks, catalogue):
    views = _column(blocks, "kind") == VIEW
    item = _column(blocks, "item")[views]
    tastes = _persons(blocks, lambda people: people.tastes)[views]
    real = _persons(blocks, lambda people: people.taste_shares > 0)[views]
    brands = _persons(blocks, lambda people: people.brands)[views]
    assert ((tastes == catalogue.category[item][:, None]) & real).any(axis=1).mean() > 0.6
    assert (brands == catalogue.brand[item][:, None]).any(axis=1).mean() > 0.3  # by chance one in six
    sensitivity = _persons(blocks, lambda people: people.sensitivity)[views]
    dear = catalogue.dearness[item]
    assert dear[sensitivity > 0.7].mean() < dear[sensitivity < 0.3].mean() - 0.3


def test_days_and_weeks_have_a_rhythm(blocks, plan):
    hour = _column(blocks, "at") % DAY // 3600
    counts = np.bincount(hour, minlength=24)
    assert counts[19:23].sum() > 3 * counts[2:6].sum()
    segment = _persons(blocks, lambda people: people.segment)
    night = np.isin(hour, (22, 23, 0, 1))
    assert night[segment == 3].mean() > 2 * night[segment != 3].mean()
    weekend = (plan.start.weekday() + _column(blocks, "at") // DAY) % 7 >= 5
    assert weekend[segment == 0].mean() > weekend[segment == 1].mean() + 0.05


def test_segments_differ_in_buying_and_time(blocks):
    kind, segment = _column(blocks, "kind"), _persons(blocks, lambda people: people.segment)
    share = [np.mean(kind[segment == number] == BUY) for number in range(len(SEGMENTS))]
    assert share[1] == max(share)  # premium, loyal
    assert share[2] == min(share)  # browser
    day = _column(blocks, "at") // DAY
    assert day[segment == 4].min() >= 42 * 0.33 - 1  # newcomers
    lapsing = day[(segment == 5) & (kind == VIEW)]
    assert np.mean(lapsing < 14) > 0.5


def test_some_never_sign_in_some_share_and_many_use_several_platforms(blocks):
    people = [people for people, _, _, _ in blocks]
    never = np.concatenate([~p.signs_in for p in people])
    assert 0.11 < never.mean() < 0.19
    logins = [login for p in people for login in p.logins if login]
    assert len(set(logins)) == len(logins)
    assert Counter(login.isdigit() for login in logins)[True] > 100
    together = 0
    several = 0
    for block, visits, events, device in blocks:
        signed = visits.signed[events.visit]
        assert not signed[~block.signs_in[visits.person[events.visit]]].any()
        pairs = np.unique(np.stack([device[signed], visits.person[events.visit][signed]], axis=1), axis=0)
        together += (np.unique(pairs[:, 0], return_counts=True)[1] == 2).sum()
        assert np.unique(pairs[:, 0], return_counts=True)[1].max() == 2
        uses = np.unique(np.stack([visits.person[events.visit], visits.platform[events.visit]], axis=1), axis=0)
        several += (np.bincount(uses[:, 0]) >= 2).sum()
    assert together >= 8
    assert several > 400


def test_platforms_are_used_as_they_would_be(blocks):
    platform = np.concatenate([visits.platform[events.visit] for _, visits, events, _ in blocks])
    kind = _column(blocks, "kind")
    assert (np.bincount(platform, minlength=len(PLATFORMS)) > 500).all()
    opened = platform[kind == TYPES.index("open")]
    assert set(opened.tolist()) == {IOS, IOS + 1, MINI}
    hour = _column(blocks, "at") % DAY // 3600
    assert np.isin(hour[platform == TV], range(19, 23)).mean() > np.isin(hour[platform == WEB], range(19, 23)).mean()


def test_some_searches_find_nothing(blocks):
    searches = _column(blocks, "kind") == SEARCH
    hits = _column(blocks, "hits")[searches]
    assert 0.04 < np.mean(hits == 0) < 0.13
    queries = _column(blocks, "query")[searches]
    assert set(queries[hits == 0].tolist()).isdisjoint(queries[hits > 0].tolist())


def test_items_appear_late_vanish_and_change_price(catalogue, plan):
    assert (catalogue.first_day > 0).sum() > 20
    assert ((catalogue.last_day > 0) & (catalogue.last_day < plan.days)).sum() > 10
    assert (catalogue.change_day[:, 0] < plan.days).sum() > 40
    assert len(np.unique(catalogue.category)) == 16


@pytest.mark.parametrize(("days", "files", "name"), [(45, 45, "2026-03-02"), (46, 2, "2026-03"), (1001, 3, "2026")])
def test_files_are_by_day_month_or_year(days, files, name):
    plan = Plan(persons=1, items=32, days=days, start=date(2026, 3, 2), seed=1)
    assert (len(plan.periods), plan.periods[0]) == (files, name)


def test_more_persons_leave_the_blocks_before_as_they_were(plan, catalogue):
    larger = Plan(**{**plan.model_dump(), "persons": 2000})
    assert make_people(larger, 2).logins == make_people(plan, 2).logins
