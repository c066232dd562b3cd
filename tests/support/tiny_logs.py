"""Raw logs of a tiny shop with a known truth: two event sources, a catalogue, customers and consents.

Small enough for a run of the whole flow in a test, yet every stage finds something to do: persons on two devices, a
device of two logins, strangers who never sign in, buys, refunds, a customer who opted out, broken and repeated records.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

PERSONS, ITEMS, DAYS = 40, 25, 30
FIRST_DAY = date(2024, 3, 1)
ZONE_HOURS = 8  # Asia/Shanghai, which has no daylight saving
KEY = "a key of tests only, as long as one must be"
CATEGORIES = {"Books > Novels": "Ink", "Books > Comics": "Panel", "Home > Kitchen": "Pan", "Home > Garden": "Spade"}
_DELIVERED = datetime(2024, 4, 1, tzinfo=UTC).timestamp()

SOURCES = {
    "shop": r"""
entity: event
format: csv
path: shop/*.csv.gz
schema: ts string, visitor string, uid string, act string, article string, order_no string, price string, val string
platform: web
device_class: pc
time: {column: ts, format: unix_seconds}
event_id: [ts, visitor, act, article]
namespaces: {login: members}
fields:
  device_id: visitor
  login_id: uid
  event_type: act
  item_id: article
  query: if(act = 'find', val, null)
  order_id: order_no
  value: if(act = 'find', null, try_cast(val as double))
  amount_minor: try_cast(try_cast(price as decimal(20,2)) * 100 as bigint)
  currency: if(price is null, null, 'CNY')
event_types: {pv: view, cart: cart, pay: buy, back: refund, find: search, like: favourite, score: rate, perf: load}
required_for: {item_id: [view, cart, buy, refund, favourite, rate]}
ranges: {amount_minor: {min: 0, max: 1000000}}
""",
    "phone": r"""
entity: event
format: json
path: phone/*.jsonl
schema: >-
  id string, at string, device string, user struct<login: string>, verb string, sku string, cents bigint, no string
platform: android
device_class: phone
time: {column: "`at`", format: iso8601}
event_id: id
namespaces: {login: members}
fields: {device_id: device, login_id: user.login, event_type: verb, item_id: sku, order_id: "`no`", amount_minor: cents,
  currency: "if(cents is null, null, 'CNY')"}
event_types: {look: view, basket: cart, bought: buy, heart: favourite, crash: error}
required_for: {item_id: [view, cart, buy, favourite]}
""",
    "catalogue": r"""
entity: item
format: json
path: catalogue.jsonl
schema: "sku string, name string, tree string, brand string, cents bigint, since string, words string"
time: {column: since, format: iso8601}
fields: {item_id: sku, title: name, category: "try_element_at(split(tree, ' > '), -1)", category_path: tree,
  brand: brand, price_minor: cents, currency: "'CNY'", is_available: "true", text: words}
ranges: {price_minor: {min: 0}}
""",
    "members": r"""
entity: customer
format: csv
path: members.csv
schema: uid string, born string, sex string, income string, joined string
time: {column: joined, format: yyyy-MM-dd, zone: Asia/Shanghai}
namespaces: {login: members}
fields: {login_id: uid, birth_year: try_cast(born as int), gender: sex, income_band: income}
""",
    "allowances": r"""
entity: consent
format: csv
path: allowances.csv
schema: uid string, what string, answer string, since string
time: {column: since, format: iso8601}
namespaces: {login: members}
fields: {identifier_kind: "'login'", identifier: uid, purpose: what, state: answer}
""",
}

# What one machine needs for a handful of rows; models small enough for a second.
CONF = """
time_zone: Asia/Shanghai
sources: {folder: sources}
privacy: {key_file: KEY_FILE}
spark:
  master: local[2]
  driver_memory: 1500m
  shuffle_partitions: 1
  conf:
    spark.driver.extraJavaOptions: "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
    spark.sql.codegen.wholeStage: "false"
    spark.sql.codegen.factoryMode: NO_CODEGEN
    spark.sql.adaptive.enabled: "false"
ingest: {base_currency: CNY}
segments: {k: 3, resamples: 1}
recommend:
  algorithms: {item_cosine: {kind: item_cosine}, als: {kind: als, rank: 8, iterations: 3}, popular: {kind: popular}}
evaluate: {test_days: 7}
"""


def tiny_conf(folder: Path, warehouse: str = "warehouse") -> list[str]:
    """Options of a command that works on these logs.

    Args:
        folder: where `write_tiny_logs` wrote.
        warehouse: name of the warehouse's folder in it, so that several runs can be compared.
    """
    settings = {
        "raw.root": folder / "raw",
        "warehouse.root": folder / warehouse,
        "sources.folder": folder / "conf" / "sources",
    }
    options = ["--conf", str(folder / "conf" / "conf.yaml")]
    for name, path in settings.items():
        options += ["--set", f"{name}={path}"]
    return options


def write_tiny_logs(folder: Path, seed: int = 7) -> dict[str, Any]:
    """Write raw logs to `folder/raw`, their sources, settings and key to `folder/conf`; the same seed, the same bytes.

    Returns:
        The truth: `sources` (name to records, events or rows kept, rejected, repeated), `reasons` (code to count),
        `persons` (name to devices and login), `strangers`, `shared_device`, `opted_out` (a login), `items`, `logins`,
        `days`, `first_day`, `last_day`.
    """
    shop = _Shop(random.Random(seed))
    shop.live()
    truth = shop.truth()
    _write_conf(folder / "conf")
    _write_raw(folder / "raw", shop)
    return truth


@dataclass
class _Shop:
    draw: random.Random
    web: list[list[str]] = field(default_factory=list)
    phone: list[dict[str, Any]] = field(default_factory=list)
    broken: dict[str, list[tuple[str, str]]] = field(default_factory=lambda: {"shop": [], "phone": []})
    repeated: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        trees = sorted(CATEGORIES)
        self.items = [
            {"sku": f"sku-{n:02d}", "name": f"Thing {n}", "tree": trees[n % 4], "brand": CATEGORIES[trees[n % 4]],
             "cents": 500 + 900 * n, "since": "2024-01-01T00:00:00+08:00", "words": f"thing number {n}"}
            for n in range(ITEMS)
        ]  # fmt: skip
        # Every fourth person never signs in; every second one has a phone too. Persons 0 and 1 share a computer.
        self.persons = {
            f"person-{n:02d}": {
                "login": f"user{n}@example.org" if n % 4 != 3 else None,
                "web": f"visitor-{n:02d}" if n != 1 else "visitor-00",
                "phone": f"phone-{n:02d}" if n % 2 == 0 else None,
            }
            for n in range(PERSONS)
        }

    def live(self) -> None:
        """Thirty days of visits, then the dirt."""
        for number, person in enumerate(self.persons.values()):
            for day in range(DAYS):
                if self.draw.random() < 0.30:
                    on_phone = bool(person["phone"]) and self.draw.random() < 0.5
                    self._visit(number, person, day, on_phone)
        self._spoil()

    def _visit(self, number: int, person: dict[str, str | None], day: int, on_phone: bool) -> None:
        local = datetime.combine(FIRST_DAY + timedelta(days=day), datetime.min.time())
        at = local + timedelta(hours=self.draw.randrange(1, 23), minutes=number, seconds=self.draw.randrange(60))
        taste = [item for item in self.items if (int(item["sku"][-2:]) - number) % 4 == 0]
        item: dict[str, Any] = {}
        for _ in range(self.draw.randrange(2, 5)):
            item = self.draw.choice(taste if self.draw.random() < 0.8 else self.items)
            self._tell(person, at, on_phone, "view", item)
            at += timedelta(seconds=self.draw.randrange(20, 120))
        for verb, chance in (("cart", 0.4), ("buy", 0.5), ("refund", 0.1)):
            if self.draw.random() >= chance:
                break
            self._tell(person, at, on_phone and verb != "refund", verb, item)
            at += timedelta(seconds=30)
        extra = self.draw.choice(["search", "favourite", "rate", "load"])
        self._tell(person, at, on_phone and extra == "favourite", extra, item)

    def _tell(self, person: dict[str, Any], at: datetime, on_phone: bool, verb: str, item: dict[str, Any]) -> None:
        order = f"o-{len(self.web) + len(self.phone)}" if verb in ("buy", "refund") else ""
        cents = item["cents"] if order else None
        if on_phone:
            words = {"view": "look", "cart": "basket", "buy": "bought", "favourite": "heart"}
            told = at.strftime("%Y-%m-%dT%H:%M:%S") + "+08:00"
            self.phone.append(
                {"id": f"e{len(self.phone):05d}", "at": told, "device": person["phone"],
                 "user": {"login": person["login"]}, "verb": words[verb], "sku": item["sku"], "cents": cents,
                 "no": order or None, "build": 7}  # the build is declared nowhere
            )  # fmt: skip
            return
        words = {"view": "pv", "cart": "cart", "buy": "pay", "refund": "back", "search": "find",
                 "favourite": "like", "rate": "score", "load": "perf"}  # fmt: skip
        seconds = int((at - timedelta(hours=ZONE_HOURS)).replace(tzinfo=UTC).timestamp())
        value = {"search": item["name"], "rate": "4", "load": str(self.draw.randrange(100, 900))}.get(verb, "")
        article = "" if verb in ("search", "load") else item["sku"]
        price = f"{cents / 100:.2f}" if cents else ""
        self.web.append([str(seconds), person["web"], person["login"] or "", words[verb], article, order, price, value])

    def _spoil(self) -> None:
        """Repeat a few records and break others: a broken one is a further line, so the truth of the rest stands."""
        rows, told = [",".join(row) for row in self.web[:6]], [json.dumps(event) for event in self.phone[:4]]
        parts = rows[0].split(",")
        self.broken["shop"] = [
            ("ING-001", rows[1][:18]),
            ("ING-001", rows[1][:18]),
            ("ING-002", ",".join(["yesterday", *parts[1:]])),
            ("ING-003", ",".join([*parts[:3], "teleport", *parts[4:]])),
            ("ING-004", ",".join([*parts[:3], "pv", "", *parts[5:]])),
            ("ING-005", ",".join([*parts[:3], "pay", "sku-01", "o-x", "-3.00", ""])),
            ("ING-006", ",".join([parts[0], "", "", *parts[3:]])),
        ]
        self.broken["phone"] = [("ING-001", told[0][:40]), ("ING-003", told[1].replace('"look"', '"gaze"'))]
        self.repeated = {"shop": 6, "phone": 4}

    def lines(self, source: str) -> list[str]:
        """All lines of a source's log, without header, in the order they are written."""
        good = [_csv_line(row) for row in self.web] if source == "shop" else [json.dumps(event) for event in self.phone]
        lines = [*good, *good[: self.repeated[source]], *(line for _, line in self.broken[source])]
        random.Random(len(lines)).shuffle(lines)
        return lines

    def truth(self) -> dict[str, Any]:
        codes = [code for lines in self.broken.values() for code, _ in lines]
        kept = {"shop": len({(row[0], row[1], row[3], row[4]) for row in self.web}), "phone": len(self.phone)}
        logins = sorted(p["login"] for p in self.persons.values() if p["login"])
        sources = {
            name: {
                "records": len(self.lines(name)),
                "kept": kept[name],
                "rejected": len(self.broken[name]),
                "repeated": len(self.lines(name)) - kept[name] - len(self.broken[name]),
            }
            for name in ("shop", "phone")
        }
        plain = {"catalogue": len(self.items), "members": len(logins), "allowances": len(_allowances(logins))}
        sources |= {n: {"records": c, "kept": c, "rejected": 0, "repeated": 0} for n, c in plain.items()}
        return {
            "sources": sources,
            "reasons": {code: codes.count(code) for code in sorted(set(codes))},
            "persons": self.persons,
            "strangers": [name for name, p in self.persons.items() if not p["login"]],
            "shared_device": "visitor-00",
            "opted_out": logins[0],
            "items": [item["sku"] for item in self.items],
            "logins": logins,
            "days": DAYS,
            "first_day": FIRST_DAY,
            "last_day": FIRST_DAY + timedelta(days=DAYS - 1),
        }


def _allowances(logins: list[str]) -> list[list[str]]:
    """Everybody agrees; the first takes it back later."""
    said = [[login, "personalisation", "granted", "2024-02-01T08:00:00+08:00"] for login in logins]
    return [*said, [logins[0], "personalisation", "withdrawn", "2024-03-05T08:00:00+08:00"]]


def _csv_line(row: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


def _write_conf(folder: Path) -> None:
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    for name, text in SOURCES.items():
        (folder / "sources" / f"{name}.yaml").write_text(text.lstrip(), encoding="utf-8")
    (folder / "key").write_text(KEY, encoding="utf-8")
    (folder / "key").chmod(0o600)
    (folder / "conf.yaml").write_text(CONF.replace("KEY_FILE", json.dumps(str(folder / "key"))), encoding="utf-8")


def _write_raw(root: Path, shop: _Shop) -> None:
    web, phone = shop.lines("shop"), shop.lines("phone")
    header = "ts,visitor,uid,act,article,order_no,price,val"
    half = len(web) // 2
    for number, part in enumerate((web[:half], web[half:])):
        text = "\n".join([header, *part]) + "\n"
        _put(root / "shop" / f"part-{number}.csv.gz", gzip.compress(text.encode(), mtime=0))
    _put(root / "phone" / "log.jsonl", ("\n".join(phone) + "\n").encode())
    _put(root / "catalogue.jsonl", ("\n".join(json.dumps(item) for item in shop.items) + "\n").encode())
    logins = sorted(p["login"] for p in shop.persons.values() if p["login"])
    members = [
        [login, str(1960 + n), "female" if n % 2 else "male", ("low", "middle", "high")[n % 3], "2024-01-15"]
        for n, login in enumerate(logins)
    ]
    _put(root / "members.csv", _table(["uid", "born", "sex", "income", "joined"], members))
    _put(root / "allowances.csv", _table(["uid", "what", "answer", "since"], _allowances(logins)))


def _table(header: list[str], rows: list[list[str]]) -> bytes:
    return ("\n".join(_csv_line(row) for row in [header, *rows]) + "\n").encode()


def _put(path: Path, content: bytes) -> None:
    """Write a file that always has the same modification time, which the tables keep."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (_DELIVERED, _DELIVERED))
