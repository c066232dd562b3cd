"""Documentation made from what is declared: `python -m personalake.reference settings|tables|views|features`."""

from __future__ import annotations

import json
import sys
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from personalake.config import Settings, described
from personalake.identity.settings import Fuzzy
from personalake.ingest.connect.kinds import KINDS as CONNECTS
from personalake.ingest.connect.kinds import PAGINGS
from personalake.ingest.connect.settings import Sasl
from personalake.predict.settings import Attribute, Buys, Churns, Responds
from personalake.profiles.settings import Rfm
from personalake.recommend.learned.settings import Learned
from personalake.recommend.registry import AnyAlgorithm
from personalake.recommend.rerank.settings import Rerank
from personalake.recommend.settings import Blend
from personalake.segments.methods import AnyMethod
from personalake.segments.settings import FeaturePreparation
from personalake.settings import Section
from personalake.tables.catalog import ALL as TABLES
from personalake.tables.features.page import features_page
from personalake.tables.profile_features import CATALOGUE
from personalake.tables.spec import Table
from personalake.views.definitions import ALL as VIEWS
from personalake.views.spec import View

_HEAD = "<!-- Written by `make docs` from what the code declares; changes here are lost. -->"
_WORDS = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "date": "YYYY-MM-DD"}
_BOUNDS = (("ge", "from {}"), ("gt", "above {}"), ("le", "up to {}"), ("lt", "below {}"))


def settings_page() -> str:
    """Every setting of every section, then what an entry of the nested ones may say."""
    lines = [
        _HEAD,
        "# Settings",
        "",
        "Order of precedence: the defaults below, `conf/base.yaml`, the files of `--conf` in the order given (without",
        "any: `conf/local.yaml`), then `--set section.key=value`. Unknown names and impossible values are told before",
        "Spark starts, all at once.",
    ]
    sections = _by_section(described())
    for section, entries in sections.items():
        lines += ["", f"## {section or 'For all stages'}", "", *_intro(section)]
        lines += _setting_rows((name, _field(name), meaning, default) for name, meaning, default in entries)
    for heading, model in _nested():
        lines += ["", f"## {heading}", "", *_sentences(model)]
        fields = model.model_fields.items()
        lines += _setting_rows((n, f, f.description or "", f.get_default(call_default_factory=True)) for n, f in fields)
    return "\n".join(lines) + "\n"


def tables_page() -> str:
    """The data dictionary: every declared table with its columns."""
    lines = [
        _HEAD,
        "# Data dictionary",
        "",
        "Each table is a Delta table at `<warehouse.root>/<table>`. Columns in **bold** are its key: they make a row",
        "unique and are never null. *Personal* columns can tell who somebody is; Delta keeps no minima and maxima of",
        "them. A retention is how long rows are meant to be kept; no command deletes them yet.",
        "",
        "| table | one row is | written by |",
        "|---|---|---|",
        *(
            f"| [{t.name}](#{t.name}) | {_cell(t.comment.removesuffix('.'))} | {', '.join(t.writers)} |"
            for t in TABLES.values()
        ),
    ]
    for table in TABLES.values():
        lines += ["", *_table(table)]
    return "\n".join(lines) + "\n"


def views_page() -> str:
    """Every view with the question it answers."""
    lines = [
        _HEAD,
        "# Views",
        "",
        "Known by name in every session the project opens. A change that breaks readers is a `_v2` beside the `_v1`.",
    ]
    for view in sorted(VIEWS.values(), key=lambda view: view.name):
        lines += ["", *_view(view)]
    return "\n".join(lines) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "settings": settings_page,
    "tables": tables_page,
    "views": views_page,
    "features": lambda: features_page(_HEAD, CATALOGUE),
}


def _by_section(entries: Iterable[tuple[str, str, object]]) -> dict[str, list[tuple[str, str, object]]]:
    sections: dict[str, list[tuple[str, str, object]]] = {}
    for entry in entries:
        sections.setdefault(entry[0].rpartition(".")[0], []).append(entry)
    return sections


def _field(name: str) -> FieldInfo:
    section, _, key = name.rpartition(".")
    return _model_of(section).model_fields[key] if section else Settings.model_fields[key]


def _model_of(section: str) -> type[BaseModel]:
    annotation = Settings.model_fields[section].annotation
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        raise TypeError(f"{section} is no section")
    return annotation


def _intro(section: str) -> list[str]:
    return _sentences(_model_of(section)) if section else []


def _sentences(model: type[BaseModel]) -> list[str]:
    first = (model.__doc__ or "").strip().split("\n", 1)[0]
    return [first, ""] if first else []


def _nested() -> Iterator[tuple[str, type[Section]]]:
    """What stands inside the settings that hold more than one value."""
    yield "identity.fuzzy", Fuzzy
    yield "profiles.rfm", Rfm
    for target in (Buys, Churns, Responds, Attribute):
        yield f"An entry of predict.targets with kind: {target.model_fields['kind'].default}", target
    yield "An entry of segments.features", FeaturePreparation
    for way in typing.get_args(typing.get_args(AnyMethod)[0]):
        yield f"An entry of segments.methods with kind: {way.model_fields['kind'].default}", way
    yield "recommend.blend", Blend
    yield "recommend.blend.learned", Learned
    yield "recommend.rerank", Rerank
    for model in typing.get_args(typing.get_args(AnyAlgorithm)[0]):
        yield f"An entry of recommend.algorithms with kind: {model.model_fields['kind'].default}", model
    for name, connect in CONNECTS.items():
        yield f"A source's connect with kind: {name}", connect
    yield "connect.sasl", Sasl
    for name, paging in PAGINGS.items():
        yield f"connect.paging with kind: {name}", paging


def _setting_rows(entries: Iterable[tuple[str, FieldInfo, str, object]]) -> list[str]:
    rows = ["| setting | allowed | default | meaning |", "|---|---|---|---|"]
    for name, field, meaning, default in entries:
        rows.append(f"| `{name}` | {_cell(_allowed(field))} | {_default(default)} | {_cell(meaning)} |")
    return rows


def _allowed(field: FieldInfo) -> str:
    kinds = [part for part in _parts(field.annotation) if part is not type(None)]
    words = [" or ".join(dict.fromkeys(_kind(part) for part in kinds))]
    for name, text in _BOUNDS:
        words += [text.format(getattr(m, name)) for m in field.metadata if getattr(m, name, None) is not None]
    words += [f"matching {m.pattern}" for m in field.metadata if getattr(m, "pattern", None)]
    words += ["or empty"] if type(None) in _parts(field.annotation) else []
    return " ".join(words)


def _parts(annotation: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(annotation) in (types.UnionType, typing.Union)
    return typing.get_args(annotation) if is_union else (annotation,)


def _kind(annotation: Any) -> str:
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return ", ".join(str(part) for part in parts)
    if origin is tuple:
        return f"list of {_kind(parts[0])}" if parts[-1] is Ellipsis else f"{len(parts)} × {_kind(parts[0])}"
    if origin is dict:
        return f"{_kind(parts[0])} → {_kind(parts[1])}"
    if (isinstance(annotation, type) and issubclass(annotation, BaseModel)) or origin is typing.Annotated:
        return "see below"
    return _WORDS.get(getattr(annotation, "__name__", ""), str(annotation))


def _default(value: object) -> str:
    if isinstance(value, Mapping) and any(isinstance(inner, BaseModel) for inner in value.values()):
        return ", ".join(f"`{name}`" for name in value)
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    if plain is PydanticUndefined:
        return "required"
    if plain in ("", None, (), {}):
        return "empty"
    is_text = isinstance(plain, str | date)
    text = str(plain) if is_text else json.dumps(plain, ensure_ascii=False, default=str)
    return f"`{_cell(text)}`"


def _table(table: Table) -> list[str]:
    facts = [f"written by {', '.join(table.writers)}", f"key {', '.join(f'`{name}`' for name in table.key)}"]
    facts += [f"partitioned by {', '.join(f'`{name}`' for name in table.partition)}"] if table.partition else []
    facts += [f"retention {table.keep_days} days" if table.keep_days else "kept for ever"]
    lines = [f"## {table.name}", "", table.comment, "", "; ".join(facts) + ".", ""]
    lines += ["| column | type | personal | meaning |", "|---|---|---|---|"]
    for column in table.columns:
        name = f"**{column.name}**" if column.name in table.key else column.name
        personal = "yes" if column.person else ""
        lines.append(f"| {name} | {_cell(column.type.simpleString())} | {personal} | {_cell(column.comment)} |")
    return lines


def _view(view: View) -> list[str]:
    reads = ", ".join(f"`{name}`" for name in (*view.tables, *view.views))
    lines = [f"## {view.name}", "", view.comment, "", f"Reads {reads}.", "", "| column | meaning |", "|---|---|"]
    return lines + [f"| {name} | {_cell(comment)} |" for name, comment in view.columns]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    wanted = PAGES.get(" ".join(sys.argv[1:]))
    sys.stdout.write(wanted() if wanted else sys.exit(f"Usage: python -m personalake.reference {'|'.join(PAGES)}"))
