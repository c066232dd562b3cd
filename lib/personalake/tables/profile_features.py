"""The catalogue of profile features: name, type, meaning, unit and window, each said once.

The columns of `profiles`, the data dictionary, the segments' preparation and the tag rules all read this list.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql.types import DataType

from personalake.tables.spec import BIGINT, BOOLEAN, DATE, DOUBLE, INT, STRING, Col


@dataclass(frozen=True)
class Feature:
    """One feature of a person as of a day.

    Args:
        name: column name; its suffix tells unit and kind.
        type: Spark type.
        meaning: what it says, in words.
        unit: unit of the number, `''` where it has none.
        window: `life`, or the days before the as-of day, e.g. `30d`.
        person: it can tell who somebody is (erasure and log statistics know it).
    """

    name: str
    type: DataType
    meaning: str
    unit: str = ""
    window: str = "life"
    person: bool = False

    @property
    def is_number(self) -> bool:
        """Whether thresholds, quantiles and distances make sense on it."""
        return self.type in (BIGINT, INT, DOUBLE)

    @property
    def col(self) -> Col:
        """The feature as a column of `profiles`."""
        notes = [part for part in (f"[{self.unit}]" if self.unit else "", f"({self.window})") if part]
        return Col(self.name, self.type, " ".join([self.meaning, *notes]), person=self.person)


def _windows(name: str, type_: DataType, meaning: str, unit: str, *days: int) -> tuple[Feature, ...]:
    """The feature over life and over the last so many days."""
    life = Feature(name, type_, meaning, unit)
    return (life, *(Feature(f"{name}_{d}d", type_, meaning, unit, f"{d}d") for d in days))


RECENCY = (
    Feature("recency_days", INT, "Days since the last event", "days"),
    Feature("order_recency_days", INT, "Days since the last order", "days"),
    Feature("first_event_date", DATE, "Day of the first event"),
    Feature("last_event_date", DATE, "Day of the last event"),
    Feature("first_order_date", DATE, "Day of the first order"),
    Feature("last_order_date", DATE, "Day of the last order"),
    Feature("tenure_days", INT, "Days since the first event", "days"),
    Feature("is_new", BOOLEAN, "First event within new_days before the as-of day"),
    Feature("is_returning", BOOLEAN, "Not new, and active within new_days before the as-of day"),
    Feature("order_day_count", BIGINT, "Days with an order", "days"),
    Feature("mean_days_between_orders", DOUBLE, "Mean days between days with an order", "days"),
)

FREQUENCY = (
    *_windows("event_count", BIGINT, "Events of any kind", "events", 30),
    *_windows("active_day_count", BIGINT, "Days with an event", "days", 7, 30, 90),
    *_windows("session_count", BIGINT, "Visits, by the day they began", "visits", 30),
    Feature("mean_session_seconds", DOUBLE, "Mean length of a visit", "s"),
    Feature("events_per_session", DOUBLE, "Events in a visit, on average", "events"),
    Feature("bounce_share", DOUBLE, "Share of visits with a single event", "0-1"),
)

MONEY = (
    *_windows("order_count", BIGINT, "Orders", "orders", 30, 90),
    *_windows(
        "money_minor", BIGINT, "Money of everything bought, refunds not taken off", "cents, base currency", 30, 90
    ),
    Feature("refund_minor", BIGINT, "Money given back, as a positive number", "cents, base currency"),
    Feature("net_money_minor", BIGINT, "money_minor less refund_minor", "cents, base currency"),
    Feature("refund_share", DOUBLE, "refund_minor in money_minor, at most 1", "0-1"),
    Feature("mean_order_minor", BIGINT, "money_minor per order, rounded half up", "cents, base currency"),
    Feature("discount_share", DOUBLE, "Discount in the price before discount, at most 1", "0-1"),
    Feature("bought_quantity", DOUBLE, "Pieces bought; a line without a quantity counts 1", "pieces"),
    Feature("quantity_per_order", DOUBLE, "Pieces bought per order", "pieces"),
)

FUNNEL = (
    *_windows("view_count", BIGINT, "Views", "events", 30),
    *_windows("cart_count", BIGINT, "Puts into the cart", "events", 30),
    *_windows("buy_count", BIGINT, "Lines bought", "events", 30),
    *_windows("search_count", BIGINT, "Searches", "events", 30),
    *_windows("favourite_count", BIGINT, "Favourites and bookmarks", "events", 30),
    Feature("view_to_cart_share", DOUBLE, "Of the items viewed, those put into the cart or bought", "0-1"),
    Feature("cart_to_buy_share", DOUBLE, "Of the items put into the cart, those bought", "0-1"),
)

DEVICES = (
    Feature("device_count", BIGINT, "Devices with a visit", "devices"),
    Feature("platform_count", BIGINT, "Platforms with an event", "platforms"),
    Feature("top_platform", STRING, "Platform with the most events"),
    Feature("top_platform_share", DOUBLE, "Share of events on top_platform", "0-1"),
    Feature("pc_share", DOUBLE, "Share of events on a PC", "0-1"),
    Feature("phone_share", DOUBLE, "Share of events on a phone", "0-1"),
    Feature("tablet_share", DOUBLE, "Share of events on a tablet", "0-1"),
    Feature("tv_share", DOUBLE, "Share of events on a television", "0-1"),
)

HABITS = (
    Feature("night_share", DOUBLE, "Share of events from 0 to 6 o'clock, local time", "0-1"),
    Feature("weekend_share", DOUBLE, "Share of events on a Saturday or Sunday", "0-1"),
    Feature("top_daypart", STRING, "night (from 0), morning (6), afternoon (12) or evening (18): most events"),
)

TASTES = (
    Feature("item_count", BIGINT, "Items the person dealt with", "items"),
    Feature("category_count", BIGINT, "Categories the person dealt with", "categories"),
    Feature("top_category", STRING, "Category with the most events"),
    Feature("top_category_share", DOUBLE, "Share of events with a category that fall in top_category", "0-1"),
    Feature("top_brand", STRING, "Brand with the most events"),
    Feature("top_brand_share", DOUBLE, "Share of events with a brand that fall on top_brand", "0-1"),
    Feature("top_price_band", STRING, "Price band with the most events"),
    Feature("top_price_band_share", DOUBLE, "Share of events with a price band that fall in top_price_band", "0-1"),
    Feature("mean_viewed_price_minor", BIGINT, "Mean catalogue price over views, rounded half up", "cents"),
)

EXPERIENCE = (
    Feature("error_count_30d", BIGINT, "Errors met", "events", "30d"),
    Feature("zero_result_search_count", BIGINT, "Searches that found nothing", "events"),
    Feature("mean_load_value", DOUBLE, "Mean load time", "ms"),
    Feature("mean_satisfaction_value", DOUBLE, "Mean answer to surveys", "the survey's scale"),
    Feature("mean_rating_value", DOUBLE, "Mean rating given", "the source's scale"),
)

DEMOGRAPHY = (
    Feature("has_login", BOOLEAN, "Whether the person ever signed in"),
    Feature("age_band", STRING, "Band of age as the source gives it, else from the year of birth", person=True),
    Feature("gender", STRING, "Gender as the source gives it", person=True),
    Feature("occupation", STRING, "Occupation", person=True),
    Feature("education", STRING, "Education", person=True),
    Feature("income_band", STRING, "Band of income", person=True),
    Feature("region", STRING, "Region of the customer", person=True),
)

RFM = (
    Feature("rfm_recency_rank", INT, "Fifth by order_recency_days among buyers; 5 bought last", "1-5"),
    Feature("rfm_frequency_rank", INT, "Fifth by order_count among buyers; 5 buys most often", "1-5"),
    Feature("rfm_money_rank", INT, "Fifth by money_minor among buyers; 5 spends most", "1-5"),
    Feature("rfm_cell", STRING, "The three ranks in a row: 543"),
)

LIFETIME = (
    Feature("alive_probability", DOUBLE, "Probability that a buyer still is one (BG/NBD)", "0-1"),
    Feature("expected_orders", DOUBLE, "Days with an order expected in the next lifetime.horizon_days", "days"),
    Feature(
        "expected_order_minor", BIGINT, "Money of a day with an order, expected (Gamma-Gamma)", "cents, base currency"
    ),
    Feature("expected_value_minor", BIGINT, "expected_orders × expected_order_minor", "cents, base currency"),
)

FEATURES: tuple[Feature, ...] = (
    *RECENCY, *FREQUENCY, *MONEY, *FUNNEL, *DEVICES, *HABITS, *TASTES, *EXPERIENCE, *DEMOGRAPHY, *RFM, *LIFETIME,
)  # fmt: skip

FEATURE_BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}
if len(FEATURE_BY_NAME) != len(FEATURES):
    raise ValueError("a profile feature is declared twice")
