"""How the iOS app, the Android app and the smart TV write their logs: JSON lines, each with fields of its own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from personalake.sample.arrow_text import digits, joined, picked, quoted, where
from personalake.sample.events import ERROR, LOAD, OPEN, SEARCH
from personalake.sample.records import Records
from personalake.sample.vocabulary import MODELS, REGIONS, VERSIONS

IOS_VERBS = {
    "view": "viewItem", "search": "searchItems", "cart": "addToCart", "buy": "purchase", "refund": "refundOrder",
    "favourite": "favouriteItem", "rate": "rateItem", "survey": "answerSurvey", "impression": "showItem",
    "click": "tapItem", "load": "loadScreen", "error": "appError", "open": "openApp",
}  # fmt: skip
ANDROID_VERBS = {
    "view": "ITEM_VIEW", "search": "SEARCH", "cart": "CART_ADD", "buy": "ORDER_PAID", "refund": "ORDER_REFUND",
    "favourite": "ITEM_FAV", "rate": "ITEM_RATED", "survey": "SURVEY_DONE", "impression": "ITEM_SHOWN",
    "click": "ITEM_TAP", "load": "SCREEN_LOAD", "error": "CRASH", "open": "APP_OPEN",
}  # fmt: skip
TV_VERBS = {
    "view": "watch_item", "search": "voice_search", "cart": "keep", "buy": "bought", "refund": "refunded",
    "favourite": "thumb_up", "rate": "rated", "survey": "asked", "impression": "on_screen", "click": "ok_pressed",
    "load": "loaded", "error": "failed",
}  # fmt: skip


def ios_lines(records: Records) -> pa.Array:
    """iOS: ISO-8601 with the offset of where the person is, money in cents, a session id, whole objects or null.

    Args:
        records: of this platform.
    """
    minutes = np.array([region[2] for region in REGIONS])[records.block.people.region[records.person]]
    offsets = [f"+{region[2] // 60:02d}:{region[2] % 60:02d}" for region in REGIONS]
    time = joined(
        records.local(minutes * 60, "%Y-%m-%d", "T"), picked(offsets, records.block.people.region[records.person])
    )
    kind = records.events.kind
    search = where(kind == SEARCH, _object(("term", quoted(records.query)), ("results", records.hits)))
    purchase = where(
        records.has_amount,
        _object(
            ("orderId", quoted(records.order)), ("quantity", records.quantity),
            ("amountCents", digits(records.amount)),
            ("discountCents", digits(records.events.discount, records.has_discount)), ("currency", '"CNY"'),
        ),
    )  # fmt: skip
    metrics = where(
        (kind == LOAD) | (kind == ERROR), _object(("loadMillis", records.load), ("errorCode", quoted(records.error)))
    )
    source = where(
        records.campaign_number >= 0,
        _object(
            *((name, quoted(records.campaign(part))) for part, name in enumerate(("source", "medium", "campaign")))
        ),
    )
    content = _object(("id", quoted(records.item)), ("listPosition", records.place))
    return _line(
        ("eventId", quoted(records.event_id)), ("eventName", quoted(records.action(IOS_VERBS, ("???", "viewItm")))),
        ("occurredAt", quoted(records.spoiled_time(time, ("", "yesterday", "2199-01-01T00:00:00+08:00")))),
        ("idfv", quoted(records.device)), ("accountId", quoted(records.login(records.block.people.logins))),
        ("sessionId", quoted(records.session)), ("content", content), ("search", search), ("purchase", purchase),
        ("metrics", metrics), ("rating", records.stars), ("attribution", source), ("message", _message(records)),
        ("appVersion", quoted(records.one_of(VERSIONS))), ("region", quoted(records.home(0))),
        ("country", quoted(records.home(1))),
    )  # fmt: skip


def android_lines(records: Records) -> pa.Array:
    """Android: epoch milliseconds, nested by theme, money in cents, no session id.

    Args:
        records: of this platform.
    """
    clock = records.unix * 1000 + records.milliseconds
    reset = records.deliveries.variant % 2 == 0  # a phone whose clock starts at 1970, else no time at all
    time = digits(np.where(records.has_time, clock, 0), records.has_time | reset)
    campaign = joined(records.campaign(0), "/", records.campaign(1), "/", records.campaign(2))
    return _line(
        ("event", _object(
            ("id", quoted(records.event_id)), ("name", quoted(records.action(ANDROID_VERBS, ("UNKNOWN", "ITEM_VEIW")))),
            ("time_ms", time),
        )),
        ("device", _object(
            ("id", quoted(records.device)), ("model", quoted(records.one_of(MODELS))),
            ("app", quoted(records.one_of(VERSIONS))),
        )),
        ("user", _object(("login", quoted(records.login(records.block.people.logins))))),
        ("item", _object(("sku", quoted(records.item)), ("rank", records.place), ("stars", records.stars))),
        ("payload", _object(("q", quoted(records.query)), ("found", records.hits))),
        ("order", _object(
            ("no", quoted(records.order)), ("qty", records.quantity),
            ("paid_cents", digits(records.amount, records.has_amount)),
            ("off_cents", digits(records.events.discount, records.has_discount)),
        )),
        ("perf", _object(("ms", records.load), ("err", quoted(records.error)))),
        ("utm", quoted(where(records.campaign_number >= 0, campaign))), ("msg", _message(records)),
        ("geo", _object(("region", quoted(records.home(0))), ("country", quoted(records.home(1))))),
    )  # fmt: skip


def tv_lines(records: Records) -> pa.Array:
    """Smart TV: ISO-8601 in UTC, the box and a hash of the account, never a login; money in cents, no session id.

    Args:
        records: of this platform.
    """
    fraction = picked([f".{number:03d}Z" for number in range(1000)], records.milliseconds)
    time = records.spoiled_time(joined(records.local(0, "%Y-%m-%d", "T"), fraction), ("", "24:61", "clock not set"))
    return _line(
        ("id", quoted(records.event_id)), ("at", quoted(time)), ("box", quoted(records.device)),
        ("acct", quoted(records.login(records.block.accounts))),
        ("verb", quoted(records.action(TV_VERBS, ("??", "zap")))), ("sku", quoted(records.item)),
        ("said", quoted(records.query)), ("n_found", records.hits),
        ("slot", records.place), ("order", quoted(records.order)), ("pieces", records.quantity),
        ("cents", digits(records.amount, records.has_amount)),
        ("cents_off", digits(records.events.discount, records.has_discount)), ("ms", records.load),
        ("fault", quoted(records.error)), ("stars", records.stars), ("area", quoted(records.home(0))),
        ("firmware", quoted(records.one_of(VERSIONS))),
    )  # fmt: skip


def _message(records: Records) -> pa.Array:
    """Id of the message whose opening this record is."""
    week = records.events.at // (7 * 86400)
    return quoted(where(records.events.kind == OPEN, joined("M-week-", digits(week))))


def _object(*fields: tuple[str, pa.Array | str]) -> pa.Array:
    parts: list[pa.Array | str] = []
    for number, (name, value) in enumerate(fields):
        parts += [("{" if number == 0 else ", ") + f'"{name}": ', value]
    return joined(*parts, "}", null="null")


def _line(*fields: tuple[str, pa.Array | str]) -> pa.Array:
    return joined(_object(*fields), "\n")
