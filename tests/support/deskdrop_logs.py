"""Deskdrop's five raw logs by plain pandas, independent of the product, for the ranking protocol with known answers."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

ROOT = Path(os.environ.get("PERSONALAKE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "deskdrop"

# What each verb, under its platform's name, says about liking an article.
STRENGTH = {
    **dict.fromkeys(("pv", "view", "CONTENT_VIEW"), 1.0),
    **dict.fromkeys(("like", "favourite", "CONTENT_FAVOURITE"), 2.0),
    **dict.fromkeys(("bookmark", "CONTENT_BOOKMARK"), 2.5),
    **dict.fromkeys(("follow", "CONTENT_FOLLOW"), 3.0),
    **dict.fromkeys(("comment", "CONTENT_COMMENT"), 4.0),
}
COLUMNS = ["platform", "device", "login", "act", "item", "when", "event"]


def _delimited(folder: str, glob: str, names: list[str], separator: str) -> pd.DataFrame:
    files = sorted((ROOT / "logs" / folder).glob(glob))
    rows = pd.concat([pd.read_csv(file, sep=separator, dtype=str, keep_default_na=False) for file in files])
    rows = rows[names].set_axis(["when", "device", "login", "act", "item", "session"], axis=1).assign(platform=folder)
    return rows.assign(event=rows[["when", "device", "act", "item", "session"]].agg("|".join, axis=1))


def _json_rows(folder: str) -> Iterator[dict[str, object]]:
    for file in sorted((ROOT / "logs" / folder).glob("*.jsonl.gz")):
        with gzip.open(file, "rt") as lines:
            for line in lines:
                try:
                    yield json.loads(line)
                except ValueError:
                    continue  # each file ends in a line that was cut off


def _android() -> pd.DataFrame:
    paths = (
        ("device", "id"),
        ("user", "login"),
        ("event", "name"),
        ("content", "id"),
        ("event", "time_ms"),
        ("event", "id"),
    )
    rows = [[_text(row.get(outer), inner) for outer, inner in paths] for row in _json_rows("android")]
    return pd.DataFrame(rows, columns=COLUMNS[1:]).assign(platform="android")


def _text(group: object, name: str) -> str | None:
    value = group.get(name) if isinstance(group, dict) else None
    return None if value is None else str(value)  # as text at once: a 64-bit id must never become a double


def _ios() -> pd.DataFrame:
    flat = pd.DataFrame(list(_json_rows("ios")))
    names = ["idfv", "accountId", "eventName", "contentId", "occurredAt", "eventId"]
    return flat[names].set_axis(COLUMNS[1:], axis=1).assign(platform="ios")


def _partner() -> pd.DataFrame:
    files = sorted((ROOT / "logs" / "partner").glob("*.parquet"))
    rows = pd.concat([pd.read_parquet(file, dtype_backend="numpy_nullable") for file in files])  # keeps 64 bits
    rows["item"] = rows["item"].astype("string").astype(object).where(rows["item"].notna(), None)
    names = ["device", "customer", "action", "item", "happened", "event_id"]
    return rows[names].set_axis(COLUMNS[1:], axis=1).assign(platform="partner")


def events() -> pd.DataFrame:
    """One row per usable event: person_id and item_id as text, strength; re-deliveries and broken rows are gone."""
    web = _delimited("web", "*.csv.gz", ["ts", "visitor", "uid", "act", "article", "session"], ",")
    mobile = _delimited("mobile_web", "*.tsv.gz", ["when", "cookie", "login", "action", "content", "session"], "\t")
    frames = [frame[COLUMNS].astype(object) for frame in (web, mobile, _android(), _ios(), _partner())]
    rows = pd.concat(frames, ignore_index=True).replace({"": None, "-": None})
    rows = rows[rows["act"].isin(list(STRENGTH)) & rows["item"].notna() & rows["when"].notna() & _timely(rows)]
    rows = rows.drop_duplicates(["platform", "event"])
    truth = pd.read_csv(ROOT / "truth" / "devices.csv.gz", dtype=str).drop_duplicates(["platform", "device_id"])
    owner = rows.merge(truth, how="left", left_on=["platform", "device"], right_on=["platform", "device_id"])
    person = owner["login"].fillna(owner["person_id"])
    strength = owner["act"].map(STRENGTH)
    return pd.DataFrame({"person_id": person, "item_id": owner["item"].astype(str), "strength": strength})


def _timely(rows: pd.DataFrame) -> pd.Series:
    text = rows["when"].astype(str)
    return text.str.contains(r"^\d{9,13}$|^\d{2}/\d{2}/\d{4} |^\d{4}-\d{2}-\d{2}[T ]", regex=True)
