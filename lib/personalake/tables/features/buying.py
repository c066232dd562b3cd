"""Features of what a person bought: when, how often, for how much, at what price, and on which way."""

from __future__ import annotations

from personalake.tables.features.rows import DEVICE_CLASSES, first_class
from personalake.tables.features.spec import WINDOWS, Feature, Made, Total, over_windows, ratio, share
from personalake.tables.spec import BIGINT, BOOLEAN, DATE, DOUBLE, INT, STRING

_BASE = "cents, base currency"
_ORDER_DATE = "if(orders > 0, event_date, null)"
_PC, _PHONE = DEVICE_CLASSES.index("pc"), DEVICE_CLASSES.index("phone")
_MET, _BOUGHT = first_class("first_met"), first_class("first_bought")

RECENCY = (
    Feature("first_event_date", DATE, "Day of the first event", how=Total("event_date", by="min")),
    Feature("last_event_date", DATE, "Day of the last event", how=Total("event_date", by="max")),
    Feature("first_order_date", DATE, "Day of the first order", how=Total(_ORDER_DATE, by="min")),
    Feature("last_order_date", DATE, "Day of the last order", how=Total(_ORDER_DATE, by="max")),
    Feature("recency_days", INT, "Days since the last event", "days", how="date_diff(as_of_date, last_event_date)"),
    Feature(
        "order_recency_days", INT, "Days since the last order", "days", how="date_diff(as_of_date, last_order_date)"
    ),
    Feature("tenure_days", INT, "Days since the first event", "days", how="date_diff(as_of_date, first_event_date)"),
    Feature("is_new", BOOLEAN, "First event within new_days before the as-of day", how="tenure_days <= new_days"),
    Feature(
        "is_returning", BOOLEAN, "Not new, and active within new_days before the as-of day",
        how="tenure_days > new_days AND recency_days <= new_days",
    ),
)  # fmt: skip

_ORDER_GAPS = Made("orders", "sum of the squared days between neighbouring days with an order")
_VARIANCE = (
    "(_squared_gap_days - (order_day_count - 1) * mean_days_between_orders * mean_days_between_orders)"
    " / (order_day_count - 2)"
)

REGULARITY = (
    Feature("order_day_count", BIGINT, "Days with an order", "days", how=Total("if(orders > 0, 1, 0)")),
    Feature("_squared_gap_days", BIGINT, "Sum of squared days between orders", how=_ORDER_GAPS),
    Feature(
        "mean_days_between_orders", DOUBLE, "Mean days between days with an order", "days",
        how="CASE WHEN order_day_count > 1"
        " THEN date_diff(last_order_date, first_order_date) / (order_day_count - 1) END",
    ),
    Feature(
        "stddev_days_between_orders", DOUBLE, "Sample standard deviation of the days between order days", "days",
        how=f"CASE WHEN order_day_count > 2 THEN round(sqrt(greatest(0, {_VARIANCE})), 9) END",
    ),
    Feature(
        "order_gap_variation", DOUBLE, "stddev_days_between_orders in mean_days_between_orders; 0 is clockwork",
        how=ratio("stddev_days_between_orders", "mean_days_between_orders"),
    ),
    Feature(
        "expected_order_date", DATE, "Day of the next order, were it mean_days_between_orders after the last",
        how="date_add(last_order_date, cast(round(mean_days_between_orders) AS int))",
    ),
    Feature(
        "order_overdue_days", INT, "Days since expected_order_date; negative while it is still to come", "days",
        how="date_diff(as_of_date, expected_order_date)",
    ),
)  # fmt: skip

MONEY = (
    *over_windows(Feature("order_count", BIGINT, "Orders", "orders", how=Total("orders")), *WINDOWS),
    *over_windows(
        Feature(
            "money_minor", BIGINT, "Money of everything bought, refunds not taken off", _BASE, how=Total("money")
        ),
        *WINDOWS,
    ),
    Feature(
        "decayed_order_value", DOUBLE, "Orders, each counting half with every half life of its age", "orders",
        how=Total("orders", is_decayed=True),
    ),
    Feature(
        "decayed_money_minor", BIGINT, "money_minor, each day's counting half with every half life of its age", _BASE,
        how=Total("money", is_decayed=True),
    ),
    *over_windows(
        Feature("refund_minor", BIGINT, "Money given back, as a positive number", _BASE, how=Total("refunded")), 90
    ),
    Feature("refund_count", BIGINT, "Lines given back", "events", how=Total("refunds")),
    Feature("net_money_minor", BIGINT, "money_minor less refund_minor", _BASE, how="money_minor - refund_minor"),
    Feature(
        "refund_share", DOUBLE, "refund_minor in money_minor, at most 1", "0-1",
        how=share("refund_minor", "money_minor"),
    ),
    Feature("returned_quantity", DOUBLE, "Pieces given back", "pieces", how=Total("returned_pieces")),
    Feature(
        "return_share", DOUBLE, "returned_quantity in bought_quantity, at most 1", "0-1",
        how=share("returned_quantity", "bought_quantity"),
    ),
    Feature(
        "mean_order_minor", BIGINT, "money_minor per order, rounded half up", _BASE,
        how="CASE WHEN order_count > 0 THEN cast(round(money_minor / order_count) AS bigint) END",
    ),
    Feature("currency_count", BIGINT, "Currencies paid in", "currencies", how=Made("orders", "currencies of buys")),
    Feature(
        "unrated_count", BIGINT, "Events with money in a currency without a rate: in no sum of money", "events",
        how=Total("unrated"),
    ),
)  # fmt: skip

BASKET = (
    Feature(
        "bought_quantity", DOUBLE, "Pieces bought; a line without a quantity counts 1", "pieces", how=Total("pieces")
    ),
    Feature(
        "quantity_per_order", DOUBLE, "Pieces bought per order", "pieces", how=ratio("bought_quantity", "order_count")
    ),
    Feature("lines_per_order", DOUBLE, "Lines bought per order", "lines", how=ratio("buy_count", "order_count")),
    Feature(
        "rebought_item_share", DOUBLE, "Of bought_item_count, items bought on more than one day", "0-1",
        how=share("_rebought_item_count", "bought_item_count"),
    ),
    Feature(
        "_rebought_item_count", BIGINT, "Items bought on more than one day",
        how=Total("if(last_buy_date > first_buy_date, 1, 0)", "item"),
    ),
)  # fmt: skip

PRICE = (
    Feature("_discount_minor", BIGINT, "Discount in cents of the base currency", how=Total("discount")),
    Feature(
        "discount_share", DOUBLE, "Discount in the price before discount, at most 1", "0-1",
        how=share("_discount_minor", "(_discount_minor + money_minor)"),
    ),
    Feature("discounted_buy_count", BIGINT, "Lines bought with a discount", "events", how=Total("discounted")),
    Feature(
        "discounted_buy_share", DOUBLE, "discounted_buy_count in buy_count", "0-1",
        how=share("discounted_buy_count", "buy_count"),
    ),
    *(
        Feature(
            f"_{verb}_price_minor", BIGINT, f"Prices of the items of {verb}s, in the base currency",
            how=Total(f"if(price_base_minor IS NULL, 0, price_base_minor * {verb}s)", "item"),
        )
        for verb in ("view", "buy")
    ),
    *(
        Feature(
            f"_priced_{verb}_count", BIGINT, f"{verb}s of items with a price in the base currency",
            how=Total(f"if(price_base_minor IS NULL, 0, {verb}s)", "item"),
        )
        for verb in ("view", "buy")
    ),
    *(
        Feature(
            name, BIGINT, f"Mean catalogue price over {words}, rounded half up", "cents, base currency",
            how=f"CASE WHEN _priced_{verb}_count > 0"
            f" THEN cast(round(_{verb}_price_minor / _priced_{verb}_count) AS bigint) END",
        )
        for name, verb, words in (
            ("mean_viewed_price_minor", "view", "views"), ("mean_bought_price_minor", "buy", "lines bought"),
        )
    ),
)  # fmt: skip

_WAYS = Made("paths", "first event within 7 days up to the order and after the last earlier day with one; ties: name")

PATHS = (
    *over_windows(Feature("view_count", BIGINT, "Views", "events", how=Total("views")), *WINDOWS),
    *over_windows(Feature("cart_count", BIGINT, "Puts into the cart", "events", how=Total("carts")), *WINDOWS),
    *over_windows(Feature("buy_count", BIGINT, "Lines bought", "events", how=Total("buys")), *WINDOWS),
    *over_windows(Feature("search_count", BIGINT, "Searches", "events", how=Total("searches")), *WINDOWS),
    *over_windows(
        Feature("favourite_count", BIGINT, "Favourites and bookmarks", "events", how=Total("favourites")), 30
    ),
    *(
        Feature(f"{name}_item_count", BIGINT, f"Items {words}", "items", how=Total(f"if({what} > 0, 1, 0)", "item"))
        for name, what, words in (
            ("viewed", "views", "viewed"), ("carted", "carts", "put into the cart"), ("bought", "buys", "bought"),
        )
    ),
    *(
        Feature(f"_{name}_item_count", BIGINT, "Items on the way", how=Total(f"if({condition}, 1, 0)", "item"))
        for name, condition in (
            ("taken", "views > 0 AND (carts > 0 OR buys > 0)"), ("kept", "carts > 0 AND buys > 0"),
            ("chosen", "views > 0 AND buys > 0"),
            ("crossing", f"buys > 0 AND {_MET} <> {_BOUGHT}"),
            ("phone_to_pc", f"buys > 0 AND {_MET} = {_PHONE} AND {_BOUGHT} = {_PC}"),
            ("pc_to_phone", f"buys > 0 AND {_MET} = {_PC} AND {_BOUGHT} = {_PHONE}"),
        )
    ),
    Feature(
        "view_to_cart_share", DOUBLE, "Of the items viewed, those put into the cart or bought", "0-1",
        how=share("_taken_item_count", "viewed_item_count"),
    ),
    Feature(
        "cart_to_buy_share", DOUBLE, "Of the items put into the cart, those bought", "0-1",
        how=share("_kept_item_count", "carted_item_count"),
    ),
    Feature(
        "view_to_buy_share", DOUBLE, "Of the items viewed, those bought", "0-1",
        how=share("_chosen_item_count", "viewed_item_count"),
    ),
    Feature(
        "cross_device_buy_share", DOUBLE, "Of the items bought, those first met on another class of device", "0-1",
        how=share("_crossing_item_count", "bought_item_count"),
    ),
    Feature(
        "cross_platform_order_count", BIGINT, "Orders whose way began on another platform, within a week", "orders",
        how=_WAYS,
    ),
    Feature(
        "cross_platform_order_share", DOUBLE, "cross_platform_order_count in order_count", "0-1",
        how=share("cross_platform_order_count", "order_count"),
    ),
    Feature(
        "top_platform_path", STRING, "Platforms that most of those ways begin and end on: web → ios", how=_WAYS
    ),
    Feature(
        "phone_to_pc_buy_share", DOUBLE, "Of the items bought, those first met on a phone and bought on a PC", "0-1",
        how=share("_phone_to_pc_item_count", "bought_item_count"),
    ),
    Feature(
        "pc_to_phone_buy_share", DOUBLE, "Of the items bought, those first met on a PC and bought on a phone", "0-1",
        how=share("_pc_to_phone_item_count", "bought_item_count"),
    ),
)  # fmt: skip
