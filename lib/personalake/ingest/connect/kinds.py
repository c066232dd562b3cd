"""The kinds of connection a source may name, and its faults in the words of its YAML."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from personalake.ingest.connect.settings import Cursor, Delta, Jdbc, Kafka, Link, Number, Rest, Sasl, Single
from personalake.settings import Section

AnyConnect = Annotated[Jdbc | Rest | Kafka | Delta, Field(discriminator="kind")]
KINDS: dict[str, type[Section]] = {"jdbc": Jdbc, "rest": Rest, "kafka": Kafka, "delta": Delta}
PAGINGS: dict[str, type[Section]] = {"cursor": Cursor, "page": Number, "link": Link, "single": Single}
_KINDS_UNDER = {"connect": KINDS, "paging": PAGINGS}
# What a connector adds to the declared columns, as Spark DDL; expressions may use it.
ADDED = {
    "kafka": "_topic string, _partition int, _offset bigint, _timestamp timestamp, _key string",
    "delta": "_commit_version bigint",
}
_NO_FILES = {"format": "json", "path": ""}
# What only a source of files says.
FILES_ONLY = ("format", "path", "delimiter", "header", "optional", "encoding", "records", "quoted_newlines")


def stands_for_files(content: Any) -> Any:
    """A source's YAML with what stands for format and path where records come by a connection, as JSON or typed."""
    is_connected = isinstance(content, dict) and content.get("connect")
    return _NO_FILES | content if is_connected else content


def faults_beside(source: Section) -> list[str]:
    """What only a source of files may say and this one says beside its connection."""
    if getattr(source, "connect", None) is None:
        return []
    said = source.model_fields_set
    found = [key for key in FILES_ONLY if key in said and getattr(source, key) != _NO_FILES.get(key)]
    return [f"{key}: is for files. A source with connect has none." for key in found]


def without_kinds(location: list[str]) -> list[str]:
    """A place in a source's YAML as its author wrote it: without the kinds that pydantic puts between."""
    return [p for n, p in enumerate(location) if not (n and p in _KINDS_UNDER.get(location[n - 1], {}))]


def told(name: str) -> str:
    """Which kinds the setting of this name may have."""
    return f"Allowed: {', '.join(sorted(_KINDS_UNDER[name]))}."


def names_at(location: list[str]) -> list[str]:
    """What may stand beside the last part of a place under `connect`."""
    for n in range(len(location) - 2, 0, -1):
        model = _KINDS_UNDER.get(location[n - 1], {}).get(location[n])
        if model is not None:
            return list((Sasl if "sasl" in location[n:-1] else model).model_fields)
    return []
