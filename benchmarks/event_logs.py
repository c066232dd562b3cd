"""Made-up logs of four shapes, NDJSON, one file a source and day, 3 % of the events delivered twice; written once."""

from __future__ import annotations

from pathlib import Path

import duckdb
from workloads import FOLDER

SOURCES = ("web", "app", "shop", "rate")
DAYS, START = 100, "2024-01-01"
PERSONS, ITEMS, CATEGORIES = 300_000, 50_000, 40

_BASE = """
  SELECT number - (number % 33 = 1)::INT AS twin, hash(twin * 7 + {salt}) % {persons} AS person,
         least({items} - 1, floor({items} * pow((hash(twin * 13 + {salt}) % 1000003) / 1000003.0, 3)))::INT AS item,
         TIMESTAMP '{start}' + to_seconds((hash(twin * 3 + {salt}) % ({days} * 86400))::BIGINT) AS moment,
         (hash(twin * 5) % 4)::INT AS verb, (hash(twin * 11) % 20000)::INT AS cents, hash(twin * 17) % 3 AS device
  FROM range({count}) t(number)"""

_SHAPES = {
    "web": """'w' || twin AS event_id, 'c' || person || '-' || device AS cookie,
        strftime(moment, '%Y-%m-%dT%H:%M:%SZ') AS ts,
        CASE WHEN device = 0 THEN 'u' || person END AS user_id, 'p' || item AS product_id,
        ['view', 'cart', 'purchase', 'click'][verb + 1] AS event_type, cents / 100.0 AS price,
        {'browser': 'b' || device, 'ref': 'https://example.org/' || item} AS ctx""",
    "app": """'a' || twin AS id, {'uid': CASE WHEN device < 2 THEN 'u' || person END, 'device': 'd' || person} AS actor,
        {'sku': 'p' || item, 'price_cents': cents} AS object, ['VIEW', 'ADD', 'BUY', 'TAP'][verb + 1] AS verb,
        epoch_ms(moment) AS epoch_ms, 'os' || device AS os""",
    "shop": """'s' || twin AS line, 'u' || person AS card, item AS item_no, 1 + verb AS pieces, cents / 100.0 AS amount,
        strftime(moment, '%Y%m%d%H%M%S') AS sold_at""",
    "rate": """'r' || twin AS rating_id, 'u' || person AS member, 'p' || item AS sku, (1 + verb)::DOUBLE AS stars,
        epoch(moment)::BIGINT AS rated_at""",
}


def event_logs(count: int) -> Path:
    """The folder of the logs: <source>/day=<day>/data_0.json.

    Args:
        count: events, deliveries included; a quarter from each source.
    """
    folder = FOLDER / f"events-{count}"
    if not (folder / "_whole").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        con = duckdb.connect()
        con.execute("SET threads = 1; SET memory_limit = '4GB'")  # one thread: one file a day
        for salt, source in enumerate(SOURCES):
            made = {"salt": salt, "persons": PERSONS, "items": ITEMS, "start": START, "days": DAYS}
            rows = f"SELECT {_SHAPES[source]}, moment::DATE AS day FROM ({_BASE.format(count=count // 4, **made)})"
            con.execute(f"COPY ({rows}) TO '{folder / source}' (FORMAT json, PARTITION_BY (day))")
        (folder / "_whole").touch()
    return folder
