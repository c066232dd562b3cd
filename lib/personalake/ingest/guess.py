"""A first YAML for a source, from a sample file: a start to work on, not an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from personalake.ingest.guess_words import AGENT, ITEM_ROLES, OWN_ID, ROLES, VERB, VERBS
from personalake.ingest.sample_file import SampleFile, look_at, quoted

_ISO = re.compile(r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
_PATTERNS = (
    ("dd/MM/yyyy HH:mm:ss", "%d/%m/%Y %H:%M:%S"),
    ("MM/dd/yyyy HH:mm:ss", "%m/%d/%Y %H:%M:%S"),
    ("dd/MM/yyyy HH:mm", "%d/%m/%Y %H:%M"),
    ("MM/dd/yyyy HH:mm", "%m/%d/%Y %H:%M"),
    ("dd.MM.yyyy HH:mm:ss", "%d.%m.%Y %H:%M:%S"),
    ("yyyy/MM/dd HH:mm:ss", "%Y/%m/%d %H:%M:%S"),
    ("yyyyMMddHHmmss", "%Y%m%d%H%M%S"),
    ("yyyyMMdd", "%Y%m%d"),
    ("yyyy-MM-dd", "%Y-%m-%d"),
)
_SECONDS, _MILLIS = (978_307_200, 4_102_444_800), (978_307_200_000, 4_102_444_800_000)
_SEEN = 200


def guess_source(path: Path, raw_root: Path) -> Iterator[str]:
    """The lines of a first YAML for a source like a sample file.

    Args:
        path: the sample.
        raw_root: the folder that `path` in the YAML is relative to.

    Raises:
        DataError: the file cannot be read.
    """
    sample = look_at(path)
    leaves = _leaves(sample)
    time = _time_of(leaves)
    verb = _first(leaves, VERB, lambda values: len(set(values)) <= max(30, len(values) // 10))
    is_item = verb is None and _first(leaves, ITEM_ROLES["title"]) is not None
    taken = {place for place in (time[0] if time else None, verb) if place}
    fields = _fields(leaves, ITEM_ROLES if is_item else ROLES, taken)
    yield f"# Guessed from {path.name}: {len(sample.rows)} records looked at. Read each line before you trust it."
    yield from _dumped(
        {"entity": "item" if is_item else "event", "format": sample.format, "path": _glob(path, raw_root)}
    )
    yield from _dumped(sample.shape)
    yield from _dumped({"schema": sample.ddl})
    if time:
        yield from _dumped({"time": {"column": _said(time[0]), "format": time[1]}})
        yield "# A local time needs its zone, e.g. zone: Asia/Shanghai."
    else:
        yield "# No column looks like a time: an event needs `time`."
    if is_item:
        yield from _dumped({"fields": fields})
        return
    # What names a person or a thing tells no records apart, however few records the sample holds.
    others = {place: values for place, values in leaves.items() if place not in taken}
    own = _first(others, OWN_ID, lambda values: len(set(map(str, values))) == len(values))
    yield from _events(leaves, fields, time[0] if time else None, verb, own)


def _events(
    leaves: Mapping[str, list[Any]], fields: dict[str, str], time: str | None, verb: str | None, own: str | None
) -> Iterator[str]:
    parts = [_said(time)] if time else []
    parts += [fields[name] for name in ("device_id", "login_id", "item_id") if name in fields]
    yield from _dumped({"event_id": _said(own) if own else [*parts, *([_said(verb)] if verb else [])]})
    if not own:
        yield "# No column tells records apart by itself: what is above must."
    yield from _dumped({"fields": ({"event_type": _said(verb)} if verb else {"event_type": "'view'"}) | fields})
    if agent := _first(leaves, AGENT):
        yield from _dumped({"user_agent": _said(agent)})
    words = sorted({str(value) for value in leaves[verb]})[:_SEEN] if verb else ["view"]
    known = {word: _verb_of(word) for word in words}
    yield from _dumped({"event_types": {w: v for w, v in known.items() if v} or {"view": "view"}})
    if unknown := [word for word, found in known.items() if not found]:
        yield f"# Verbs to map: {json.dumps(unknown, ensure_ascii=False)}"


def _leaves(sample: SampleFile) -> dict[str, list[Any]]:
    """Dotted path of each plain column, also within structs, to the values that are there."""
    found: dict[str, list[Any]] = {name: [] for name, kind in sample.columns.items() if not kind.startswith("struct")}

    def gather(prefix: str, record: Mapping[str, Any]) -> None:
        for name, value in record.items():
            place = f"{prefix}{name}"
            if isinstance(value, dict):
                gather(f"{place}.", value)
            elif value not in (None, "", "-") and not isinstance(value, list):
                found.setdefault(place, []).append(value)

    for row in sample.rows:
        gather("", row)
    return {place: values for place, values in found.items() if values or place in sample.columns}


def _said(place: str) -> str:
    return ".".join(quoted(name) for name in place.split("."))


def _first(leaves: Mapping[str, list[Any]], pattern: str, fits: Any = lambda values: True) -> str | None:
    """The first column whose name fits, and its values too; a name alone counts for more than one inside another."""
    named = [p for p, values in leaves.items() if re.search(pattern, _words(p)) and values and fits(values)]
    return named[0] if named else None


def _words(place: str) -> str:
    """A column's name in lower case, parts of camel case divided by underscores."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", place).lower().replace(" ", "_")


def _fields(leaves: Mapping[str, list[Any]], roles: Mapping[str, str], taken: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for role, pattern in roles.items():
        rest = {place: values for place, values in leaves.items() if place not in taken}
        if place := _first(rest, pattern):
            taken.add(place)
            found[role] = _expression(role, place, leaves[place])
    return found


def _expression(role: str, place: str, values: list[Any]) -> str:
    said = _said(place)
    if role.endswith("_minor"):
        cents = "cent" in place.lower() or all(isinstance(value, int) for value in values)
        whole = said if cents else f"try_cast({said} as decimal(20,2)) * 100"
        return f"try_cast({whole} as bigint)"
    if role in ("quantity", "position"):
        return f"try_cast({said} as {'double' if role == 'quantity' else 'int'})"
    return said


def _time_of(leaves: Mapping[str, list[Any]]) -> tuple[str, str] | None:
    """The column that looks most like a time, and its format."""
    for place, values in leaves.items():
        if form := _format_of(values[:_SEEN]):
            return place, form
    return None


def _format_of(values: list[Any]) -> str | None:
    if not values:
        return None
    if all(isinstance(value, datetime) for value in values):
        return "timestamp"
    said = [str(value) for value in values]
    for form, (low, high) in (("unix_seconds", _SECONDS), ("unix_millis", _MILLIS)):
        if sum(bool(re.fullmatch(r"\d{9,13}", s)) and low <= int(s) < high for s in said) * 10 >= len(said) * 9:
            return form
    if sum(bool(_ISO.match(s)) for s in said) * 10 >= len(said) * 9:
        return "iso8601"
    for form, pattern in _PATTERNS:
        if sum(_parses(s, pattern) for s in said) * 10 >= len(said) * 9:
            return form
    return None


def _parses(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007 only whether it fits
    except ValueError:
        return False
    return True


def _verb_of(word: str) -> str | None:
    plain = _words(word)
    return next((verb for verb, pattern in VERBS.items() if re.search(rf"(?:^|_|\b)(?:{pattern})", plain)), None)


def _glob(path: Path, raw_root: Path) -> str:
    try:
        place = path.resolve().relative_to(raw_root.resolve())
    except ValueError:
        place = Path(path.name)
    return (place.parent / ("*" + "".join(path.suffixes[-2:]))).as_posix()


def _dumped(entry: dict[str, Any]) -> list[str]:
    if not entry:
        return []
    text = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=110)
    return text.rstrip("\n").split("\n")
