"""How the mini-program hands over its log: a Parquet table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from personalake.sample.arrow_text import joined, where
from personalake.sample.events import LOAD, OPEN, RATE, SURVEY
from personalake.sample.records import Records
from personalake.sample.vocabulary import VERSIONS

MINI_VERBS = {
    "view": "detail", "search": "search", "cart": "cart", "buy": "paid", "refund": "refund", "favourite": "fav",
    "rate": "comment_star", "survey": "survey", "impression": "expose", "click": "click", "load": "launch",
    "error": "exception", "open": "notice_open",
}  # fmt: skip
MINI_SCHEMA = pa.schema(
    [
        ("record_id", pa.string()), ("happened", pa.timestamp("us", tz="UTC")), ("open_id", pa.string()),
        ("member", pa.string()), ("action", pa.string()), ("item", pa.string()), ("session", pa.string()),
        ("keyword", pa.string()), ("results", pa.int32()), ("position", pa.int32()), ("order_no", pa.string()),
        ("quantity", pa.int32()), ("fee", pa.decimal128(18, 2)), ("discount_fee", pa.decimal128(18, 2)),
        ("cost_ms", pa.int64()), ("exception", pa.string()), ("star", pa.int8()), ("scene", pa.string()),
        ("notice", pa.string()), ("province", pa.string()), ("country", pa.string()), ("version", pa.string()),
    ]
)  # fmt: skip


def mini_columns(records: Records) -> dict[str, pa.Array]:
    """Mini-program: UTC timestamps, its own record id, a session id, money as a decimal.

    Args:
        records: of this platform.
    """
    events, kind = records.events, records.events.kind
    micros = (records.unix * 1000 + records.milliseconds) * 1000
    reset = records.deliveries.variant % 2 == 0
    timed = pa.array(np.where(records.has_time, micros, 0), mask=~(records.has_time | reset))
    week = pa.array(events.at // (7 * 86400)).cast(pa.string())
    return {
        "record_id": records.event_id,
        "happened": timed.cast(MINI_SCHEMA.field("happened").type),
        "open_id": records.device,
        "member": records.login(records.block.people.logins),
        "action": records.action(MINI_VERBS, ("nope", "detial")),
        "item": records.item,
        "session": records.session,
        "keyword": records.query,
        "results": _whole(events.hits, events.hits >= 0, "results"),
        "position": _whole(events.position, events.position >= 0, "position"),
        "order_no": records.order,
        "quantity": _whole(events.quantity, records.has_amount, "quantity"),
        "fee": _money(records.amount, records.has_amount),
        "discount_fee": _money(events.discount, records.has_discount),
        "cost_ms": _whole(events.value, kind == LOAD, "cost_ms"),
        "exception": records.error,
        "star": _whole(events.value, (kind == RATE) | (kind == SURVEY), "star"),
        "scene": where(records.campaign_number >= 0, joined(*_scene(records))),
        "notice": where(kind == OPEN, joined("M-week-", week)),
        "province": records.home(0),
        "country": records.home(1),
        "version": records.one_of(VERSIONS),
    }


def _scene(records: Records) -> tuple[pa.Array | str, ...]:
    return (records.campaign(0), "|", records.campaign(1), "|", records.campaign(2))


def _whole(numbers: np.ndarray, mask: np.ndarray, name: str) -> pa.Array:
    return pa.array(numbers, mask=~mask).cast(MINI_SCHEMA.field(name).type)


def _money(minor: np.ndarray, mask: np.ndarray) -> pa.Array:
    """Cents as decimal(18, 2): the unscaled 128-bit integers are the cents themselves."""
    wide = np.empty((len(minor), 2), dtype=np.int64)
    wide[:, 0], wide[:, 1] = minor, np.where(minor < 0, -1, 0)
    valid = pa.py_buffer(np.packbits(mask, bitorder="little").tobytes())
    return pa.Array.from_buffers(pa.decimal128(18, 2), len(minor), [valid, pa.py_buffer(wide.tobytes())])
