"""The catalogue of features as a page of documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from personalake.tables.features.rows import ROWS
from personalake.tables.features.spec import Feature, Rows


def features_page(head: str, catalogue: Iterable[Feature]) -> str:
    """What every feature means and how it is computed, then the rows that totals are taken over.

    Args:
        head: the first line of generated pages.
        catalogue: every feature, with the steps on the way.
    """
    lines = [
        head,
        "# Features",
        "",
        "The columns of `profiles`, and how each is computed. A total adds up a number over rows of a person: days,",
        "visits or items, told below; a formula is SQL over other features; the rest is made as the words say. Names",
        "that begin with `_` are steps on the way, no columns. How to add one: [profiles.md](profiles.md).",
        "",
        "| feature | Chinese title | unit | window | meaning | how |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{f.name}` | {_title(f)} | {f.unit} | {f.window} | {_cell(f.meaning)} | {_how(f)} |" for f in catalogue
    ]
    for name, rows in ROWS.items():
        lines += ["", *_rows(name, rows, ROWS)]
    return "\n".join(lines) + "\n"


def _title(feature: Feature) -> str:
    return feature.title_zh if feature.is_column else ""


def _how(feature: Feature) -> str:
    text = _cell(str(feature.how))
    return f"`{text}`" if isinstance(feature.how, str) else text


def _rows(name: str, rows: Rows, kinds: Mapping[str, Rows]) -> list[str]:
    number = list(kinds).index(name) + 1
    told = [f"| `{column}` | `{_cell(sql)}` |" for column, sql in rows.columns.items()]
    return [f"## Rows {number}: {name}", "", f"One row is {rows.meaning}.", "", "| column | how |", "|---|---|", *told]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
