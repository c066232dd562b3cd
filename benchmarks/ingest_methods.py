"""One way from records of four shapes to roll-ups, in a process of its own: python ingest_methods.py METHOD COUNT.

Prints one JSON line, session start apart. `ours` reads all days but the last, then the last as a day's news.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from event_logs import DAYS, SOURCES, event_logs

CONF = Path(__file__).parent / "event_sources"
STAGES = ("ingest", "identity", "profiles")

# Source → its schema, then what it gives of: event id, person, item, verb, seconds, money.
PLAIN = {
    "web": (
        "event_id string, cookie string, ts string, user_id string, product_id string, event_type string, price double",
        ("event_id", "coalesce(user_id, cookie)", "product_id", "event_type", "unix_timestamp(cast(ts as timestamp))",
         "price"),
    ),
    "app": (
        "id string, actor struct<uid: string, device: string>, object struct<sku: string, price_cents: int>, "
        "verb string, epoch_ms bigint, os string",
        ("id", "coalesce(actor.uid, actor.device)", "object.sku", "lower(verb)", "epoch_ms div 1000",
         "object.price_cents / 100D"),
    ),
    "shop": (
        "line string, card string, item_no int, pieces int, amount double, sold_at string",
        ("line", "card", "concat('p', item_no)", "'buy'", "unix_timestamp(sold_at, 'yyyyMMddHHmmss')",
         "amount * pieces"),
    ),
    "rate": (
        "rating_id string, member string, sku string, stars double, rated_at bigint",
        ("rating_id", "member", "sku", "'rate'", "rated_at", "stars"),
    ),
}  # fmt: skip
NAMES = ("id", "person", "item", "verb", "seconds", "money")


def plain(count: int) -> dict[str, Any]:
    """What a team writes in an hour: parse, drop what came twice, group by person and day. Nothing is merged."""
    from pyspark.sql import functions as F

    from personalake.settings import Spark
    from personalake.store.session import open_session

    folder = event_logs(count)
    began = time.perf_counter()
    spark = open_session(Spark(shuffle_partitions=8, driver_memory="4g"), app="bench")
    session = time.perf_counter() - began
    began = time.perf_counter()
    parts = [
        spark.read.schema(schema).json(str(folder / source / "*")).selectExpr(
            *(f"{text} AS {name}" for text, name in zip(texts, NAMES, strict=True))
        )
        for source, (schema, texts) in PLAIN.items()
    ]  # fmt: skip
    rows = parts[0].unionByName(parts[1]).unionByName(parts[2]).unionByName(parts[3]).dropDuplicates(["id"])
    day = F.to_date(F.timestamp_seconds("seconds")).alias("day")
    verbs = [F.count(F.when(F.col("verb").isin(*verb), 1)).alias(verb[0]) for verb in VERBS]
    sums = rows.groupBy("person", day).agg(
        F.count(F.lit(1)).alias("events"), *verbs, F.sum("money").alias("money"), F.min("seconds"), F.max("seconds")
    )
    sums.write.format("noop").mode("overwrite").save()
    seconds = time.perf_counter() - began
    spark.stop()
    return {"session_seconds": session, "seconds": seconds}


VERBS = (("view",), ("cart", "add"), ("buy", "purchase"), ("click", "tap"), ("rate",))


def duckdb(count: int) -> dict[str, Any]:
    """The same in DuckDB on both cores."""
    import duckdb as engine

    folder = event_logs(count)
    con = engine.connect()
    con.execute("SET threads = 2; SET preserve_insertion_order = false; SET memory_limit = '12GB'")
    parts = {
        "web": "SELECT event_id id, coalesce(user_id, cookie) person, event_type verb, ts::TIMESTAMP AS at_, price p",
        "app": "SELECT id, coalesce(actor.uid, actor.device), lower(verb), epoch_ms(epoch_ms), object.price_cents",
        "shop": "SELECT line, card, 'buy', strptime(sold_at::VARCHAR, '%Y%m%d%H%M%S'), amount * pieces",
        "rate": "SELECT rating_id, member, 'rate', to_timestamp(rated_at)::TIMESTAMP, stars",
    }  # fmt: skip
    texts = [
        f"{select} FROM read_json('{folder}/{source}/*/*.json', format = 'newline_delimited')"
        for source, select in parts.items()
    ]
    began = time.perf_counter()
    con.execute(f"""
        CREATE TABLE sums AS
        SELECT person, at_::DATE AS day, count(*), sum(p), min(at_), max(at_),
               count(*) FILTER (verb = 'view')
        FROM (SELECT DISTINCT ON (id) * FROM ({" UNION ALL ".join(texts)})) GROUP BY ALL""")
    return {"seconds": time.perf_counter() - began}


def ours(count: int) -> dict[str, Any]:
    """De-identified, merged into Delta, linked, rolled up and profiled; then a last day that is 1 % of everything."""
    from personalake.flow import FLOW
    from personalake.keyring import default_key_path
    from personalake.runner import Options, Runner
    from personalake.runtime import session

    folder = event_logs(count)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        raw = Path(work) / "raw"
        last = [_linked(folder, raw, source) for source in SOURCES]
        overrides = (f"raw.root={raw}", f"warehouse.root={work}/lake", "spark.driver_memory=4g")
        options = Options((str(CONF / "conf.yaml"),), overrides)
        began = time.perf_counter()
        with session(options.settings()) as spark:
            figures: dict[str, Any] = {"session_seconds": time.perf_counter() - began}
            for name in ("full", "day", "nothing"):
                if name == "day":
                    for source, day in zip(SOURCES, last, strict=True):
                        (raw / source / day.name).symlink_to(day)
                runner = Runner(spark, options.settings(), options)
                outcomes = [runner.run(s) for s in runner.checked([s for s in FLOW if s.name in STAGES])]
                runner.end()
                figures |= {f"{name}_{o.stage}_seconds": o.seconds for o in outcomes}
                figures[f"{name}_seconds"] = sum(o.seconds for o in outcomes)
        default_key_path(f"{work}/lake").unlink(missing_ok=True)
        shutil.rmtree(f"{work}/lake", ignore_errors=True)
    return figures


def _linked(folder: Path, raw: Path, source: str) -> Path:
    """All days of a source but the last, as links; gives the last."""
    days = sorted((folder / source).iterdir())
    (raw / source).mkdir(parents=True)
    for day in days[: DAYS - 1]:
        (raw / source / day.name).symlink_to(day)
    return days[DAYS - 1]


if __name__ == "__main__":
    print(json.dumps({"plain": plain, "duckdb": duckdb, "ours": ours}[sys.argv[1]](int(sys.argv[2]))))
