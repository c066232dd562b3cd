"""What a record says and nobody can read: a text that is no number, a number too large, a currency nobody knows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pyspark.sql import Column
from pyspark.sql import functions as F

from personalake.ingest.clean import cleaned_text, currency_word, iso_currency
from personalake.ingest.source import Source
from personalake.tables.spec import STRING

# Hashed at the door, or a verb, each with reasons of its own.
_OTHERS = {"event_type", "device_id", "login_id", "source_session_id", "identifier_kind", "identifier"}
_TRIED = re.compile(r"\btry_(cast|to_timestamp|to_date|to_time|to_number)\s*\(", re.IGNORECASE)
_CHOOSES = re.compile(r"\b(if|iff|ifnull|nvl2|case|when)\b|->", re.IGNORECASE)
_AS = re.compile(r"\sas\s", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|`[^`]*`|\"(?:[^\"\\]|\\.)*\"")
REVISION = "revision"


def typed_targets(source: Source) -> tuple[str, ...]:
    """The targets of a source, in order, that not every value fits; `revision` last."""
    found = [
        name
        for name in source.fields
        if name not in _OTHERS and name not in source.unreadable_as_null and _is_typed(source, name)
    ]
    revised = [REVISION] if source.revision else []
    return (*found, *revised)


def _is_typed(source: Source, name: str) -> bool:
    return source.table[name].type != STRING or (name == "currency" and bool(source.currencies))


def sent(source: Source, name: str) -> Column:
    """Whether a record says anything for a target of `typed_targets`; of a currency: whether it is one nobody knows."""
    expression = source.revision if name == REVISION else source.fields[name]
    if name == "currency":
        text = cleaned_text(_text(source, expression), source.texts.get(name, ()))
        is_unknown = (currency_word(text) != "") & iso_currency(text, source.currencies).isNull()
        return F.coalesce(is_unknown, F.lit(False))
    is_there = F.lit(False)
    for part in said_parts(expression):
        is_there = is_there | _is_something(_text(source, part))
    return is_there


def _text(source: Source, expression: str) -> Column:
    text = F.expr(expression).cast("string")
    return F.when(~text.isin(*source.null_values), text) if source.null_values else text


def _is_something(text: Column) -> Column:
    # What programs write for no number at all, where a column of numbers has no null.
    return F.coalesce(~text.rlike(r"^[\s\u00a0\u3000]*(NaN)?[\s\u00a0\u3000]*$"), F.lit(False))


def said_parts(expression: str) -> list[str]:
    """The parts of an expression that hold what was sent: what is tried to be cast, or else all of it.

    Where the expression chooses between parts, one that is not chosen may be anything: then all of it is looked at.
    """
    spans = list(_tried(expression))
    rest = expression
    for start, end, _ in reversed(spans):
        rest = rest[:start] + rest[end:]
    if not spans or _CHOOSES.search(_hidden(rest)) or "->" in expression:
        return [expression]
    return list(dict.fromkeys(inner for _, _, part in spans for inner in said_parts(part)))


def _tried(expression: str) -> Iterator[tuple[int, int, str]]:
    """Where the outermost casts that may fail begin and end, and what they cast."""
    plain, at = _hidden(expression), 0
    while called := _TRIED.search(plain, at):
        start, at = called.end(), called.end()
        depth, end = 1, len(plain)
        for place in range(start, len(plain)):
            depth += {"(": 1, ")": -1}.get(plain[place], 0)
            if depth == 0:
                end = place
                break
        inner = _outer(plain[start:end])
        words = list(_AS.finditer(inner)) if called.group(1).lower() == "cast" else []
        comma = inner.find(",")
        stop = words[-1].start() if words else comma if comma >= 0 else len(inner)
        yield called.start(), end + 1, expression[start : start + stop]
        at = end


def _outer(text: str) -> str:
    """A text with blanks in place of what stands in brackets."""
    depth, kept = 0, []
    for letter in text:
        depth -= letter == ")"
        kept.append(letter if depth == 0 and letter not in "()" else "_")
        depth += letter == "("
    return "".join(kept)


def _hidden(expression: str) -> str:
    """An expression with its quoted texts blanked, each sign in its place."""
    return _QUOTED.sub(lambda found: "_" * len(found.group()), expression)
