"""One person's picture as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from personalake.views.layout import table_lines

_NOTHING = "  nothing known"
# part → (heading, columns shown, their headings)
_TABLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "identifiers": ("Identifiers", ("identifier_kind", "identifier_count", "first_linked_at")),
    "segments": ("Segment", ("method", "segment_name", "segment_name_zh", "words")),
    "tags": ("Tags", ("label", "label_zh", "since_date", "reason")),
    "predictions": ("Predictions", ("target", "value_text", "probability", "decile", "model")),
    "recommendations": ("Recommendations", ("target_kind", "recommendation_rank", "title", "source", "reason")),
    "consents": ("Consents", ("purpose", "identifier_kind", "state", "effective_at", "expires_at")),
}


def person_text(picture: dict[str, Any]) -> Iterator[str]:
    """The lines of a picture.

    Args:
        picture: as `person_picture` gives it.
    """
    yield f"Person {picture['person_id']}"
    for part in ("identifiers", "portrait", *(name for name in _TABLES if name != "identifiers")):
        yield ""
        if part in picture["not_written"]:
            yield f"{_heading(part)}: not written yet"
        elif part == "portrait":
            yield from _portrait_lines(picture["portrait"])
        else:
            yield from _part_lines(part, picture[part])


def _heading(part: str) -> str:
    return _TABLES[part][0] if part in _TABLES else "Portrait"


def _part_lines(part: str, rows: list[dict[str, Any]]) -> Iterator[str]:
    heading, names = _TABLES[part]
    yield heading
    if not rows:
        yield _NOTHING
        return
    values = [[row[name] if row[name] is not None else row.get("target_id") for name in names] for row in rows]
    yield from (f"  {line}" for line in table_lines([name.replace("_", " ") for name in names], values, null="-"))


def _portrait_lines(portrait: dict[str, Any]) -> Iterator[str]:
    if not portrait:
        yield "Portrait"
        yield _NOTHING
        return
    yield f"Portrait as of {portrait['as_of_date']}"
    rows = [(_meant(f["meaning"], f["window"]), *_amount(f["value"], f["unit"])) for f in portrait["features"].values()]
    yield from (f"  {line}" for line in table_lines(("feature", "value", "unit"), rows))


def _meant(meaning: str, window: str) -> str:
    return meaning if window == "life" else f"{meaning} (last {window.removesuffix('d')} days)"


def _amount(value: object, unit: str) -> tuple[str, str]:
    """Money in whole units, shares in per cent; everything else as it is."""
    if unit.startswith("cents") and isinstance(value, int):
        return f"{value / 100:,.2f}", unit.partition(", ")[2] or "money"
    if unit == "0-1" and isinstance(value, float):
        return f"{value:.0%}", ""
    if isinstance(value, bool):
        return "yes" if value else "no", ""
    return (f"{value:.2f}" if isinstance(value, float) else str(value)), unit
