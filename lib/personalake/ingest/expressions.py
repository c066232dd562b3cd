"""What an expression of a source may not do: stop the run on one bad value."""

from __future__ import annotations

import re

# What raises on a bad value has a twin that gives null.
_RAISING = re.compile(
    r"\b(cast|element_at|to_timestamp|to_date|to_number|to_binary|parse_url|url_decode)\s*\(", re.IGNORECASE
)
_CASTING = re.compile(
    r"\b(tinyint|smallint|int|bigint|float|double|decimal|date|timestamp|boolean)\s*\((?!\s*\d)|::", re.I
)
_INDEXING = re.compile(r"\[\s*-?\d")


def raising(expression: str) -> str | None:
    """What in an expression fails on a bad value, and what to use in its place; None where there is nothing."""
    plain = re.sub(r"'[^']*'|`[^`]*`", "''", expression)
    if called := _RAISING.search(plain):
        word = called.group(1).lower()
        return f"{word} fails on a bad value. Use try_{word}"
    if _CASTING.search(plain):
        return "a cast fails on a bad value. Use try_cast"
    if _INDEXING.search(plain):
        return "an index fails where the array is short. Use get"
    return None
