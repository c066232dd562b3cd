"""Reads sample logs in plain Python, knowing only the formats: what is good, refused, sent twice."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

VERBS = {
    "web": "pv query add_cart pay pay_back like score nps expose tap perf js_err -",
    "ios": "viewItem searchItems addToCart purchase refundOrder favouriteItem rateItem answerSurvey showItem tapItem "
    "loadScreen appError openApp",
    "android": "ITEM_VIEW SEARCH CART_ADD ORDER_PAID ORDER_REFUND ITEM_FAV ITEM_RATED SURVEY_DONE ITEM_SHOWN ITEM_TAP "
    "SCREEN_LOAD CRASH APP_OPEN",
    "tablet": "look find basket order return heart stars opinion shown touch page fault -",
    "tv": "watch_item voice_search keep bought refunded thumb_up rated asked on_screen ok_pressed loaded failed -",
    "mini_program": "detail search cart paid refund fav comment_star survey expose click launch exception notice_open",
}
TYPES = [
    "view",
    "search",
    "cart",
    "buy",
    "refund",
    "favourite",
    "rate",
    "survey",
    "impression",
    "click",
    "load",
    "error",
    "open",
]
NEEDS_ITEM = {"view", "cart", "buy", "refund", "favourite", "rate", "impression", "click"}
HIGHEST_MINOR = 10**9
_MIDDLE = ("query", "hits", "place", "order", "quantity", "price", "off")
WEB_COLUMNS = ("at", "device", "login", "verb", "item", "session", "page", *_MIDDLE)
TABLET_COLUMNS = ("at", "device", "login", "verb", "item", *_MIDDLE)


@dataclass
class Found:
    """What one source's files hold."""

    files: int = 0
    records: int = 0
    good: dict[tuple, dict] = field(default_factory=dict)
    refused: Counter = field(default_factory=Counter)
    redelivered: int = 0
    late: int = 0


def read_platform(root: Path, platform: str, start: datetime, days: int) -> Found:
    """All records of a platform; files in the order of their names, which is the order of delivery."""
    found = Found()
    for path in sorted((root / platform).iterdir()):
        found.files += 1
        for raw in _records(path, platform):
            found.records += 1
            record = _fields(platform, raw)
            reason = _fault(platform, record, start, days)
            if reason:
                found.refused[reason] += 1
                continue
            # what the platform calls the event, or else what a reader can tell events apart by
            key = (
                (record["id"],)
                if record["id"]
                else tuple(record[k] for k in ("at", "device", "type", "item", "session"))
            )
            if key in found.good:
                assert found.good[key]["raw"] == raw, f"{platform}: two different records with one key: {key}"
                found.redelivered += 1
                continue
            found.good[key] = record | {"raw": raw}
            local = datetime.fromtimestamp(record["at"] + 8 * 3600, UTC)
            found.late += not local.date().isoformat().startswith(path.name.split(".")[0])
    return found


def read_register(root: Path, name: str) -> list[dict]:
    """All lines of catalogue, customers or consents."""
    rows = []
    for path in sorted((root / name).iterdir()):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows += list(csv.DictReader(lines)) if name != "catalogue" else [json.loads(line) for line in lines]
    return rows


def read_truth(root: Path, name: str) -> list[dict[str, str]]:
    """Persons or devices of the truth."""
    with gzip.open(root / "truth" / f"{name}.csv.gz", "rt", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _records(path: Path, platform: str) -> Iterator[object]:
    if platform == "mini_program":
        yield from pq.read_table(path).to_pylist()
        return
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        if platform in ("web", "tablet"):
            next(lines)
        yield from lines


def _fields(platform: str, raw: object) -> dict | None:
    """The record in common words, None where it is cut."""
    if platform == "web":
        row = next(csv.reader([raw.rstrip("\n")]))
        return _minor(dict(zip(WEB_COLUMNS, row, strict=False)), _unix) if len(row) == 20 else None
    if platform == "tablet":
        row = raw.rstrip("\n").split("\t")
        return _minor(dict(zip(TABLET_COLUMNS, row, strict=False)), _shanghai) if len(row) == 17 else None
    if platform == "mini_program":
        at = raw["happened"] and raw["happened"].timestamp()
        names = {"id": "record_id", "device": "open_id", "login": "member", "verb": "action", "item": "item"}
        price = None if raw["fee"] is None else int(raw["fee"] * 100)
        more = {"at": at, "price": price, "hits": raw["results"], "order": raw["order_no"]}
        return {name: raw[column] for name, column in names.items()} | more
    try:
        return _from_json(platform, json.loads(raw))
    except json.JSONDecodeError:
        return None


def _from_json(platform: str, row: dict) -> dict:
    if platform == "ios":
        bought, sought = row["purchase"] or {}, row["search"] or {}
        return {
            "id": row["eventId"], "at": _iso(row["occurredAt"]), "device": row["idfv"], "login": row["accountId"],
            "verb": row["eventName"], "item": row["content"]["id"], "price": bought.get("amountCents"),
            "hits": sought.get("results"), "order": bought.get("orderId"),
        }  # fmt: skip
    if platform == "android":
        at = row["event"]["time_ms"]
        return {
            "id": row["event"]["id"], "at": at and at / 1000, "device": row["device"]["id"],
            "login": row["user"]["login"], "verb": row["event"]["name"], "item": row["item"]["sku"],
            "price": row["order"]["paid_cents"], "hits": row["payload"]["found"], "order": row["order"]["no"],
        }  # fmt: skip
    return {
        "id": row["id"], "at": _iso(row["at"]), "device": row["box"], "login": row["acct"], "verb": row["verb"],
        "item": row["sku"], "price": row["cents"], "hits": row["n_found"], "order": row["order"],
    }  # fmt: skip


def _fault(platform: str, record: dict | None, start: datetime, days: int) -> str | None:
    if record is None:
        return "cut_line"
    verbs = dict(zip(VERBS[platform].split(), TYPES, strict=True))
    record["type"] = verbs.get(record["verb"])
    first = start.timestamp() - 8 * 3600
    if record["at"] is None or not first <= record["at"] < first + days * 86400:
        return "bad_time"
    if record["type"] is None:
        return "unknown_action"
    if record["type"] in NEEDS_ITEM and not record["item"]:
        return "missing_item"
    if record["price"] is not None and not 0 <= record["price"] <= HIGHEST_MINOR:
        return "bad_price"
    return None


def _minor(record: dict, time) -> dict:
    whole, _, cents = record["price"].partition(".")
    price = int(whole + cents) if whole else None
    return {"session": None} | record | {"id": None, "at": time(record["at"]), "price": price}


def _unix(text: str) -> float | None:
    return float(text) if text.isdigit() else None


def _iso(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def _shanghai(text: str) -> float | None:
    try:
        return datetime.strptime(text + " +0800", "%d/%m/%Y %H:%M:%S %z").timestamp()
    except ValueError:
        return None
