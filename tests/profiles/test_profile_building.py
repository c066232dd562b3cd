"""Profiles of named persons: what is rare, negative, mixed or impossible."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from personalake.profiles import (
    Known,
    Profiles,
    RollUps,
    build_person_days,
    build_person_item_days,
    build_person_word_days,
    build_profiles,
    build_sessions,
    sessions_as_of,
)
from personalake.tables.identity import IDENTITY_MAP
from personalake.tables.ingest import CUSTOMERS, ITEMS
from personalake.tables.profile_features import COLUMNS
from personalake.tables.profiles import PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS, PROFILES
from personalake.tables.spec import schema_faults
from support.profile_rows import START, event, event_frame, random_events, table_frame

SETTINGS = Profiles()
AS_OF = START.date() + timedelta(days=100)
DAY = START + timedelta(days=10)


def buy(
    number: int, person: str, days: int, amount: int, currency: str | None = "EUR", **fields: Any
) -> dict[str, Any]:
    money = {"amount_minor": amount, "amount_base_minor": amount, "currency": currency}
    at = DAY + timedelta(days=days)
    return event(number, at, device_id=f"{person}-a", person_id=person, **{"event_type": "buy", **money, **fields})


NAMED = [
    event(1, DAY, device_id="one-a", person_id="one"),
    event(2, DAY, device_id="two-a", person_id="two", platform="tv"),
    event(3, DAY + timedelta(seconds=90), device_id="two-a", person_id="two", platform="tv"),
    event(4, DAY + timedelta(days=1), device_id="two-b", login_id="two", person_id="two"),
    event(5, DAY, device_id="old-a", login_id="old", person_id="old"),
    event(6, DAY, device_id="young-a", login_id="young", person_id="young"),
    event(7, DAY, device_id="guest-a", person_id="guest"),
    event(8, DAY, device_id="both-a", login_id="both", person_id="both"),
    # More given back than bought; less than nothing paid, with a discount.
    buy(10, "refunded", 0, 1000),
    buy(11, "refunded", 3, -4000, event_type="refund", quantity=-5.0),
    buy(12, "negative", 0, -500, discount_minor=700),
    # Cents of three currencies, one without a rate.
    buy(20, "mixed", 0, 1000),
    buy(21, "mixed", 1, 1000, "USD", amount_base_minor=900),
    buy(22, "mixed", 2, 90_000, "JPY", amount_base_minor=None),
    # One order in two currencies, on two platforms, with a line whose currency nobody told; and one more.
    buy(24, "basket", 3, 1000, order_id="b1"),
    buy(25, "basket", 3, 500, "USD", order_id="b1"),
    buy(26, "basket", 3, 100, None, order_id="b1", amount_base_minor=None, platform="ios"),
    buy(27, "basket", 3, 100, order_id="b2", platform="ios"),
    # A clock, and somebody who comes as it comes.
    *(buy(30 + n, "clock", 7 * n, 100) for n in range(4)),
    *(buy(40 + n, "chance", day, 100) for n, day in enumerate((0, 1, 9, 10))),
    # Seen on the phone, bought on the PC; both ways of one item on the same device.
    event(50, DAY, device_id="path-p", person_id="path", platform="ios", device_class="phone", item_id="i1"),
    buy(51, "path", 2, 100, item_id="i1"),
    buy(52, "path", 3, 100, item_id="i2"),
    # Ways to orders: web to tv twice, one of them of two orders; ios to web; one too long ago; one within a platform.
    event(80, DAY, person_id="way", device_id="way-a", platform="web"),
    buy(81, "way", 6, 100, platform="tv", order_id="w1"),
    buy(82, "way", 6, 100, platform="tv", order_id="w2"),
    event(83, DAY + timedelta(days=7), person_id="way", device_id="way-a", platform="ios"),
    buy(84, "way", 8, 100, platform="web", order_id="w3"),
    buy(85, "way", 9, 100, platform="ios", order_id="w4"),
    event(86, DAY + timedelta(days=10), person_id="way", device_id="way-a", platform="web"),
    buy(87, "way", 17, 100, platform="tv", order_id="w5"),
    # An item whose category is empty, and one that nobody described.
    *(event(60 + n, DAY, device_id="empty-a", person_id="empty", item_id=item) for n, item in enumerate(("i3", "i9"))),
    # Half an hour after midnight in Berlin on a Tuesday: still Monday evening there, Tuesday morning in Shanghai.
    event(70, START.replace(day=11, hour=23, minute=30), device_id="west-a", person_id="west", utc_offset_minutes=-300),
    event(71, START.replace(day=11, hour=23, minute=30), device_id="east-a", person_id="east", utc_offset_minutes=480),
]
ITEM_ROWS = [
    {"item_id": "i1", "category": "shoes", "brand": "Aurora", "price_base_minor": 100, "title": "Red shoes"},
    {"item_id": "i2", "category": "hats", "brand": None, "price_base_minor": None},
    {"item_id": "i3", "category": " ", "brand": "", "price_base_minor": 300, "title": ""},
]
CUSTOMER_ROWS = [
    {"login_id": "old", "birth_year": 1800, "gender": "m", "effective_at": START, "source": "crm"},
    {"login_id": "young", "birth_year": 1996, "gender": "f", "effective_at": START, "source": "crm"},
    {"login_id": "two", "birth_year": 1950, "age_band": "forties", "effective_at": START, "source": "shop"},
    # Two logins of one person: what the newer does not say, the older still does.
    {"login_id": "both", "birth_year": 1990, "gender": "f", "effective_at": START, "source": "crm"},
    {"login_id": "both2", "gender": "m", "region": "N", "effective_at": START + timedelta(days=1), "source": "app"},
    {"login_id": "both3", "effective_at": START + timedelta(days=2), "source": "till"},
]


def profiles_of(spark: SparkSession, events: DataFrame, as_of: date, features: Collection[str] = ()) -> DataFrame:
    """From events to profiles, as the stage does it; a device belongs to the person its name says."""
    logins = [
        {"identifier_kind": "login", "identifier": r["login_id"], "person_id": r["login_id"].rstrip("23")}
        for r in CUSTOMER_ROWS
    ]
    sessions = sessions_as_of(build_sessions(events, SETTINGS.session_gap_seconds), as_of)
    rolled = RollUps(
        build_person_days(events, "Europe/Berlin").localCheckpoint(),
        build_person_item_days(events).localCheckpoint(),
        build_person_word_days(events).localCheckpoint(),
        sessions.withColumn("person_id", F.substring_index("device_id", "-", 1)).localCheckpoint(),
    )
    known = Known(
        table_frame(spark, ITEMS, ITEM_ROWS),
        table_frame(spark, CUSTOMERS, CUSTOMER_ROWS),
        table_frame(spark, IDENTITY_MAP, logins),
    )
    return build_profiles(rolled, known, as_of, SETTINGS, features)


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> dict[str, Row]:
    return {row.person_id: row for row in profiles_of(spark, event_frame(spark, NAMED), AS_OF).collect()}


def test_visits_of_one_event_and_of_two_devices(found: dict[str, Row]) -> None:
    one, two = found["one"], found["two"]
    assert (one.session_count, one.bounce_share, one.device_count, one.mean_session_seconds) == (1, 1.0, 1, 0.0)
    assert (two.session_count, two.bounce_share, two.device_count, two.mean_session_seconds) == (2, 0.5, 2, 45.0)
    assert (two.events_per_session, two.platform_count, two.has_login, one.has_login) == (1.5, 2, True, False)


def test_a_person_with_one_event_has_no_ratios(found: dict[str, Row]) -> None:
    one = found["one"]
    assert (one.event_count, one.event_count_365d, one.event_count_30d, one.order_count, one.item_count) == (
        1,
        1,
        0,
        0,
        0,
    )
    shares = (one.refund_share, one.discount_share, one.cart_to_buy_share, one.click_share, one.new_item_share_30d)
    assert shares == (None,) * 5
    assert (one.rfm_cell, one.mean_order_minor, one.stddev_days_between_orders, one.expected_order_date) == (None,) * 4
    assert (one.category_tastes, one.favoured_brand, one.favoured_brand_count, one.top_category) == ([], None, 0, None)


def test_a_birth_year_of_1800_gives_no_age_band_and_a_stated_band_stands(found: dict[str, Row]) -> None:
    assert [found[p].age_band for p in ("young", "two", "old", "guest")] == ["25-34", "forties", None, None]
    assert [found[p].age_band_origin for p in ("young", "two", "old")] == ["birth_year", "stated", None]
    assert [found[p].gender for p in ("old", "young", "guest")] == ["m", "f", None]
    assert [found[p].demography_source for p in ("old", "two", "guest")] == ["crm", "shop", None]


def test_what_the_newest_record_leaves_open_an_older_one_of_the_person_says(found: dict[str, Row]) -> None:
    both = found["both"]
    assert (both.age_band, both.age_band_origin, both.gender, both.region) == ("25-34", "birth_year", "m", "N")
    assert (both.occupation, both.demography_source) == (None, "app, crm")


def test_more_given_back_than_bought_and_less_than_nothing_paid(found: dict[str, Row]) -> None:
    refunded, negative = found["refunded"], found["negative"]
    assert (refunded.money_minor, refunded.refund_minor, refunded.net_money_minor) == (1000, 4000, -3000)
    assert (refunded.refund_share, refunded.return_share, refunded.returned_quantity) == (1.0, 1.0, 5.0)
    assert (negative.money_minor, negative.mean_order_minor, negative.refund_share) == (-500, -500, None)
    assert negative.discount_share == 1.0


def test_mixed_currencies_are_summed_in_the_base_currency(found: dict[str, Row]) -> None:
    mixed = found["mixed"]
    assert (mixed.money_minor, mixed.currency_count, mixed.unrated_count, mixed.order_count) == (1900, 3, 1, 3)


def test_an_order_counts_once_whatever_platforms_and_currencies_its_lines_have(found: dict[str, Row]) -> None:
    basket = found["basket"]
    assert (basket.order_count, basket.buy_count, basket.currency_count) == (2, 4, 2)
    assert (basket.lines_per_order, basket.mean_order_minor) == (2.0, 800)


def test_a_regular_buyer_and_one_by_chance(found: dict[str, Row]) -> None:
    clock, chance = found["clock"], found["chance"]
    assert (clock.mean_days_between_orders, clock.stddev_days_between_orders, clock.order_gap_variation) == (7, 0, 0)
    assert clock.expected_order_date == DAY.date() + timedelta(days=28)
    assert clock.order_overdue_days == 100 - 10 - 28
    # Gaps of 1, 8 and 1 days.
    assert round(chance.mean_days_between_orders, 6) == 3.333333
    assert round(chance.stddev_days_between_orders, 6) == 4.041452
    assert round(chance.order_gap_variation, 6) == 1.212436


def test_first_seen_on_a_phone_and_bought_on_a_pc(found: dict[str, Row]) -> None:
    path = found["path"]
    assert (path.bought_item_count, path.cross_device_buy_share, path.phone_to_pc_buy_share) == (2, 0.5, 0.5)
    assert path.pc_to_phone_buy_share == 0.0


def test_an_empty_category_is_none(found: dict[str, Row]) -> None:
    empty = found["empty"]
    assert (empty.item_count, empty.category_count, empty.top_category, empty.category_tastes) == (2, 0, None, [])
    assert (empty.brand_count, empty.brand_variety_score, empty.mean_viewed_price_minor) == (0, None, 300)


def test_hours_and_weekdays_are_those_of_the_person(found: dict[str, Row]) -> None:
    west, east = found["west"], found["east"]
    assert (west.top_weekday, west.top_daypart, west.monday_share) == ("monday", "evening", 1.0)
    assert (east.top_weekday, east.top_daypart, east.monday_share) == ("tuesday", "morning", 0.0)


def test_a_day_before_the_first_event_has_no_profiles(spark: SparkSession) -> None:
    first = event_frame(spark, [event(1, START, device_id="d000-a", person_id="p000")])
    assert profiles_of(spark, first, START.date()).collect() == []


def test_roll_ups_are_as_declared_and_count_everything_once(spark: SparkSession) -> None:
    events = random_events(11)
    frame, people = event_frame(spark, events), [e for e in events if not e["is_bot"]]
    built = build_person_days(frame, "UTC"), build_person_item_days(frame), build_person_word_days(frame)
    for rows, table in zip(built, (PERSON_DAYS, PERSON_ITEM_DAYS, PERSON_WORD_DAYS), strict=True):
        assert [f for f in schema_faults(rows.schema, table) if "run_id" not in f.where] == []
    days, item_days = built[0].collect(), built[1].collect()
    assert len({tuple(r[k] for k in PERSON_DAYS.key) for r in days}) == len(days)
    assert sum(r.event_count for r in days) == len(people)
    assert sum(r.event_count for r in item_days) == sum(e.get("item_id") is not None for e in people)
    assert sum(r.amount_minor for r in days) == sum(e.get("amount_minor") or 0 for e in people)
    parts = ("night", "morning", "afternoon", "evening")
    assert all(sum(r[f"{p}_event_count"] for p in parts) == r.event_count for r in days)


@pytest.mark.parametrize(
    "features",
    [
        {"event_count_30d"},
        {"rfm_cell"},
        {"age_band", "top_platform"},
        {"favoured_brand", "category_tastes", "new_item_share_30d"},
        {"expected_order_date", "stddev_days_between_orders", "currency_count", "alive_probability"},
        {"bounce_share", "monday_share", "cart_to_buy_share", "search_word_tastes"},
    ],
    ids=min,
)
def test_some_features_alone_are_those_of_the_whole_portrait(
    spark: SparkSession, found: dict[str, Row], features: set[str]
) -> None:
    alone = profiles_of(spark, event_frame(spark, NAMED), AS_OF, features)
    assert alone.columns == [c.name for c in PROFILES.cols if c.name in {"person_id", "as_of_date", *features}]
    assert {row.person_id: row for row in alone.collect()} == {
        person: Row(**{name: whole[name] for name in alone.columns}) for person, whole in found.items()
    }


def test_columns_are_the_catalogue() -> None:
    assert [c.name for c in PROFILES.cols] == ["person_id", "as_of_date", *[f.name for f in COLUMNS]]
    assert all(f.meaning and f.window and f.how for f in COLUMNS)


def test_ways_to_orders_begin_on_another_platform(found: dict[str, Row]) -> None:
    way, one = found["way"], found["one"]
    assert (way.order_count, way.cross_platform_order_count, way.cross_platform_order_share) == (5, 3, 0.6)
    assert way.top_platform_path == "web → tv"
    assert (one.cross_platform_order_count, one.cross_platform_order_share, one.top_platform_path) == (0, None, None)


def test_the_hour_most_visits_begin_in_is_that_of_the_persons_clock(found: dict[str, Row]) -> None:
    assert (found["west"].top_hour, found["east"].top_hour) == (18, 7)
    assert found["two"].top_hour == DAY.hour
