"""How the PC web (CSV) and the tablet (TSV) write their logs. Neither has an id of its own for an event."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from personalake.sample.arrow_text import digits, joined, major, quoted
from personalake.sample.plan import BUSINESS_OFFSET_SECONDS
from personalake.sample.records import Records
from personalake.sample.vocabulary import AGENTS, TABLET_AGENTS

WEB_HEADER = (
    "ts,visitor,uid,act,article,session,page,kw,hits,pos,order_no,qty,price,off,load_ms,err,score,ua,region,country"
)
WEB_VERBS = {
    "view": "pv", "search": "query", "cart": "add_cart", "buy": "pay", "refund": "pay_back", "favourite": "like",
    "rate": "score", "survey": "nps", "impression": "expose", "click": "tap", "load": "perf", "error": "js_err",
}  # fmt: skip
TABLET_HEADER = (
    "when\tpad\tmember\twhat\tgoods\tkeyword\tfound\tplace\torder\tn\tpaid\treduced\ttook\tfault\tmark\tagent\tarea"
)
TABLET_VERBS = {
    "view": "look", "search": "find", "cart": "basket", "buy": "order", "refund": "return", "favourite": "heart",
    "rate": "stars", "survey": "opinion", "impression": "shown", "click": "touch", "load": "page", "error": "fault",
}  # fmt: skip


def web_lines(records: Records) -> pa.Array:
    """PC web: unix seconds, money as `12.90`, the campaign in the address of the page.

    Args:
        records: of this platform.
    """
    address = joined("https://shop.example/p/", records.item)
    tagged = joined(
        address, "?utm_source=", records.campaign(0), "&utm_medium=", records.campaign(1),
        "&utm_campaign=", records.campaign(2),
    )  # fmt: skip
    page = pc.if_else(pa.array(records.campaign_number >= 0), tagged, address)
    time = records.spoiled_time(digits(records.unix), ("", "n/a", "0"))
    columns = (
        time, records.device, records.login(records.block.people.logins), records.action(WEB_VERBS, ("???", "pvv")),
        records.item, records.session, page, records.query, records.hits, records.place, records.order,
        records.quantity, major(records.amount, records.has_amount),
        major(records.events.discount, records.has_discount), records.load, records.error, records.stars,
        quoted(records.one_of(AGENTS)), records.home(0), records.home(1),
    )  # fmt: skip
    return _delimited(columns, ",")


def tablet_lines(records: Records) -> pa.Array:
    """Tablet: local time `dd/mm/yyyy hh:mm:ss` in Asia/Shanghai, `-` for who is not signed in, no session id.

    Args:
        records: of this platform.
    """
    time = records.local(BUSINESS_OFFSET_SECONDS, "%d/%m/%Y", " ")
    columns = (
        records.spoiled_time(time, ("", "31/02/2026 25:61:00", "01/01/1970 08:00:00")), records.device,
        joined(records.login(records.block.people.logins), null="-"), records.action(TABLET_VERBS, ("nope", "lok")),
        records.item, records.query, records.hits, records.place, records.order, records.quantity,
        major(records.amount, records.has_amount), major(records.events.discount, records.has_discount),
        records.load, records.error, records.stars, records.one_of(TABLET_AGENTS), records.home(0),
    )  # fmt: skip
    return _delimited(columns, "\t")


def _delimited(columns: tuple[pa.Array, ...], delimiter: str) -> pa.Array:
    parts: list[pa.Array | str] = [columns[0]]
    for column in columns[1:]:
        parts += [delimiter, column]
    return joined(*parts, "\n")
