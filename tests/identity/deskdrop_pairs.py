"""Who was seen with what in Deskdrop's five raw logs, by plain pandas, independent of how the product reads them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd

COLUMNS = ["device", "login", "session", "when"]


def sightings(root: Path) -> pd.DataFrame:
    """One row per distinct platform, device, login (None when signed out) and session, with its first time."""
    logs = root / "logs"
    frames = {
        "web": _delimited(logs / "web", "*.csv.gz", ",", ["visitor", "uid", "session", "ts"]),
        "mobile_web": _delimited(logs / "mobile_web", "*.tsv.gz", "\t", ["cookie", "login", "session", "when"]),
        "android": _json(logs / "android", _android),
        "ios": _json(logs / "ios", _ios),
        "partner": _partner(logs / "partner"),
    }
    rows = pd.concat([frame.assign(platform=platform) for platform, frame in frames.items()], ignore_index=True)
    rows["login"] = rows["login"].replace({"": None, "-": None})
    rows = rows[rows["device"].notna() & rows["when"].notna()]
    return rows.groupby(["platform", "device", "login", "session"], dropna=False, as_index=False)["when"].min()


def truth(root: Path) -> pd.DataFrame:
    """platform, device_id, person_id, never_signs_in as text; a shared device has a row for each person."""
    return pd.read_csv(root / "truth" / "devices.csv.gz", dtype=str)


def _delimited(folder: Path, glob: str, separator: str, names: list[str]) -> pd.DataFrame:
    files = sorted(folder.glob(glob))
    parts = [pd.read_csv(file, sep=separator, dtype=str, keep_default_na=False) for file in files]
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[names].set_axis(COLUMNS, axis=1)
    return rows.assign(when=_times(rows["when"]))


def _times(texts: pd.Series) -> pd.Series:
    """Unix seconds, unix milliseconds, or written out; NaT where it is none of these. Zones do not matter here."""
    texts = texts.reset_index(drop=True).astype("string")
    seconds = texts.where(texts.str.fullmatch(r"\d{9,10}")).astype("Int64")
    millis = texts.where(texts.str.fullmatch(r"\d{12,13}")).astype("Int64")
    unix = pd.to_datetime(seconds.fillna(millis // 1000), unit="s", utc=True)
    local = pd.to_datetime(texts, format="%d/%m/%Y %H:%M:%S", errors="coerce", utc=True)
    written = pd.to_datetime(texts.where(unix.isna()), format="ISO8601", errors="coerce", utc=True)
    return unix.fillna(local).fillna(written)


def _android(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["device"]["id"], row["user"]["login"], row["session"], row["event"]["time_ms"]


def _ios(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["idfv"], row["accountId"], row["sessionId"], row["occurredAt"]


def _json(folder: Path, fields: Any) -> pd.DataFrame:
    rows = []
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file, "rt") as lines:
            for line in lines:
                try:
                    rows.append(tuple(None if one is None else str(one) for one in fields(json.loads(line))))
                except (ValueError, KeyError):
                    continue  # a line that was cut off
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.assign(when=_times(frame["when"]))


def _partner(folder: Path) -> pd.DataFrame:
    rows = pd.concat([pd.read_parquet(file) for file in sorted(folder.glob("*.parquet"))])
    rows = rows[["device", "customer", "session", "happened"]].set_axis(COLUMNS, axis=1)
    return rows.assign(session=rows["session"].astype(str), when=pd.to_datetime(rows["when"], utc=True))
