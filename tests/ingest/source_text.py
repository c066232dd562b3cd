"""Source files for tests: a right one of each entity, and one with some lines other than right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from personalake.ingest.source import Source, load_sources

EVENT: dict[str, Any] = {
    "entity": "event",
    "format": "csv",
    "path": "web/*.csv",
    "schema": "ts string, visitor string, uid string, act string, item string, price string, note string",
    "platform": "web",
    "time": {"column": "ts", "format": "unix_seconds"},
    "event_id": ["ts", "visitor", "act", "item"],
    "fields": {"device_id": "visitor", "login_id": "uid", "event_type": "act", "item_id": "item"},
    "event_types": {"pv": "view", "pay": "buy", "back": "refund"},
}


def source_of(folder: Path, name: str = "web", verbs: tuple[str, ...] = (), **changes: Any) -> Source:
    """The event source above with some settings changed; None takes one away."""
    write_source(folder, name, **changes)
    return next(source for source in load_sources(folder, verbs) if source.name == name)


def write_source(folder: Path, name: str = "web", **changes: Any) -> None:
    """Write the event source above with some settings changed."""
    content = {key: value for key, value in (EVENT | changes).items() if value is not None}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
