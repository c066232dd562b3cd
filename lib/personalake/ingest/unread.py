"""What a record says and nobody can read: a text that is no number, a number too large, a currency nobody knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from personalake.ingest.clean import cleaned_text, currency_word, iso_currency
from personalake.ingest.source import Source
from personalake.tables.spec import STRING

# Hashed at the door, or a verb, each with reasons of its own.
_OTHERS = {"event_type", "device_id", "login_id", "source_session_id", "identifier_kind", "identifier"}
_TRIED = re.compile(r"\btry_(cast|to_timestamp|to_date|to_time|to_number|add|subtract|multiply)\s*\(", re.IGNORECASE)
_SUMS = re.compile("add|subtract|multiply", re.IGNORECASE)
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
    # What the expression gives and the column cannot hold, or what it tries and cannot do.
    said = _is_something(_text(source, expression))
    for parts, attempt in attempts(expression):
        is_sent = reduce(lambda one, other: one & other, [_is_something(_text(source, part)) for part in parts])
        said = said | (F.expr(attempt).isNull() & is_sent)
    return said


def _text(source: Source, expression: str) -> Column:
    text = F.expr(expression).cast("string")
    return F.when(~text.isin(*source.null_values), text) if source.null_values else text


def _is_something(text: Column) -> Column:
    # What programs write for no number at all, where a column of numbers has no null.
    return F.coalesce(~text.rlike(r"^[\s\u00a0\u3000]*(NaN)?[\s\u00a0\u3000]*$"), F.lit(False))


def attempts(expression: str) -> list[tuple[list[str], str]]:
    """What an expression tries and may fail in: what is needed for it, and the attempt itself, each an expression.

    Where the expression chooses between parts, one that is not chosen may be anything: then there is none.
    """
    plain = _hidden(expression)
    spans = list(_tried(plain))
    rest = plain
    for start, end in reversed(spans):
        rest = rest[:start] + rest[end:]
    if _CHOOSES.search(rest):
        return []
    found = []
    for start, end in spans:
        opened = plain.index("(", start) + 1
        parts = _parts(plain[start:opened], plain[opened : end - 1], expression[opened : end - 1])
        found.append((parts, expression[start:end]))
        found += [attempt for part in parts for attempt in attempts(part)]
    return found


def _tried(plain: str) -> Iterator[tuple[int, int]]:
    """Where the outermost attempts begin and end."""
    at = 0
    while called := _TRIED.search(plain, at):
        depth, at = 1, called.end()
        while at < len(plain) and depth:
            depth += {"(": 1, ")": -1}.get(plain[at], 0)
            at += 1
        yield called.start(), at


def _parts(word: str, plain: str, inner: str) -> list[str]:
    """The arguments that hold what was sent: all of arithmetic, the first of what else there is."""
    outer = _outer(plain)
    if "cast" in word.lower():
        return [inner[: [*_AS.finditer(outer)][-1].start()]]
    ends = [place for place, letter in enumerate(outer) if letter == ","]
    parts = [inner[start:end] for start, end in zip([0, *(e + 1 for e in ends)], [*ends, len(inner)], strict=True)]
    return [part.strip() for part in (parts if _SUMS.search(word) else parts[:1])]


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
