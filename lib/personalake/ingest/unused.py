"""Settings of a source that are right by themselves and name nothing that it has: they would do nothing, unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from personalake.errors import near_miss
from personalake.ingest.times import tells_zone
from personalake.tables.spec import STRING

if TYPE_CHECKING:
    from personalake.ingest.source import Source

# What only some formats heed.
_FORMATS = {
    "delimiter": ("csv",),
    "header": ("csv",),
    "quoted_newlines": ("csv",),
    "encoding": ("csv", "json"),
    "records": ("json",),
    "json_texts": ("json", "avro"),
}
_WITHOUT_ZONE = ("unix_seconds", "unix_millis", "timestamp")


def unused_faults(source: Source) -> list[str]:
    """What a source's settings name that it has not, each as `place: words`."""
    return [*_of_kinds(source), *_of_columns(source), *_of_format(source), *_of_time(source)]


def identifier_kinds(source: Source) -> set[str]:
    """The kinds of identifiers that a source has."""
    columns = {"device_id": "device", "login_id": "login", "source_session_id": "session"}
    kinds = {kind for column, kind in columns.items() if column in source.fields} | {*source.identifiers}
    return kinds | ({source.fields.get("identifier_kind", "").strip("' ")} - {""})


def _of_kinds(source: Source) -> list[str]:
    kinds = identifier_kinds(source)
    return [
        f"namespaces.{kind}: is no kind of identifier that this source has. {near_miss(kind, kinds)}".rstrip()
        for kind in source.namespaces
        if kind not in kinds
    ]


def _of_columns(source: Source) -> list[str]:
    filled = {name for name, fill in source.fill.items() if fill.default is not None}
    faults = []
    for group in ("ranges", "texts", "numbers", "allowed", "fill", "unreadable_as_null"):
        # A constant needs no column to come from.
        mapped = {*source.fields} | (filled if group in ("allowed", "fill") else set())
        # What is no column, or of another type, is told elsewhere.
        known = {c.name for c in source.table.cols if group != "ranges" or c.type != STRING}
        faults += [
            f"{group}.{name}: is not in fields, so it does nothing. {near_miss(name, source.fields)}"
            for name in getattr(source, group)
            if name not in mapped and (name in known or group == "unreadable_as_null")
        ]
    return faults


def _of_format(source: Source) -> list[str]:
    if source.connect is not None:
        return []
    return [
        f"{key}: is for {' and '.join(formats)}; this source is {source.format}. Leave it out."
        for key, formats in _FORMATS.items()
        if key in source.model_fields_set and source.format not in formats
    ]


def _of_time(source: Source) -> list[str]:
    time = source.time
    if time is None or "zone" not in time.model_fields_set:
        return []
    if time.format not in _WITHOUT_ZONE and not tells_zone(time.format):
        return []
    return [f"time.zone: does nothing: {time.format} tells the moment without it. Leave it out."]
