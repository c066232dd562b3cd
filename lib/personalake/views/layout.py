"""Rows as text: aligned columns for a terminal, or CSV."""

from __future__ import annotations

import csv
import io
import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

WIDTHS_FROM = 1000
"""Rows that are looked at before the first line of a table is printed; later, longer values stick out."""

Values = Sequence[Any]


def csv_lines(names: Sequence[str], rows: Iterable[Values]) -> Iterator[str]:
    """Lines of plain CSV, a header first; a cell with a line break stays one record.

    Args:
        names: column names.
        rows: cells; null is an empty cell.
    """
    for row in itertools.chain([names], ([_text(cell, "") for cell in row] for row in rows)):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(row)
        yield line.getvalue()


def table_lines(names: Sequence[str], rows: Iterable[Values], null: str = "NULL") -> Iterator[str]:
    """Lines of an aligned table: header, rule, rows; numbers to the right; wide (Chinese) characters count two.

    Args:
        names: column names.
        rows: cells; control characters are shown as escapes, so that data cannot steer the terminal.
        null: how a null is shown.
    """
    rows = iter(rows)
    head = list(itertools.islice(rows, WIDTHS_FROM))
    right = [all(_is_number(row[n]) for row in head) and bool(head) for n in range(len(names))]
    shown = [[_visible(_text(cell, null)) for cell in row] for row in head]
    titles = [_visible(name) for name in names]
    widths = [max(map(_width, column)) for column in zip(titles, *shown, strict=True)]
    yield _line(titles, widths, right)
    yield "  ".join("-" * width for width in widths)
    for cells in shown:
        yield _line(cells, widths, right)
    for row in rows:
        yield _line([_visible(_text(cell, null)) for cell in row], widths, right)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = []
    for cell, width, is_right in zip(cells, widths, right, strict=True):
        space = " " * max(width - _width(cell), 0)
        padded.append(space + cell if is_right else cell + space)
    return "  ".join(padded).rstrip()


def _is_number(cell: object) -> bool:
    return cell is None or (isinstance(cell, int | float | Decimal) and not isinstance(cell, bool))


def _text(cell: object, null: str) -> str:
    if cell is None:
        return null
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, date):
        return cell.isoformat()
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)


def _visible(text: str) -> str:
    """Control and direction-changing characters as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)
