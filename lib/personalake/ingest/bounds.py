"""How large the parts of an analysed expression can become, and whether arithmetic on them fits its type."""

from __future__ import annotations

from typing import Any

INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_MILLIS = 2**63 // 1000
# What these give is far from the ends of its type.
_BOUNDS = {
    "Length": (0, 2**31 - 1),
    "Size": (-1, 2**31 - 1),
    "Year": (-300_000, 300_000),
    "Month": (1, 12),
    "DayOfMonth": (1, 31),
    "Hour": (0, 23),
    "Minute": (0, 59),
    "Second": (0, 59),
    "DayOfWeek": (1, 7),
    "UnixSeconds": (-_MILLIS // 1000, _MILLIS // 1000),
    "UnixMillis": (-_MILLIS - 1, _MILLIS),
    "UnixDate": (-(2**28), 2**28),
    "DateDiff": (-(2**29), 2**29),
    "StringInstr": (0, 2**31 - 1),
}
SUMS = ("Add", "Subtract", "Multiply", "UnaryMinus", "Abs")


def children_of(node: Any) -> list[Any]:
    """The parts of an expression of Spark's own tree."""
    found = node.children()
    return [found.apply(n) for n in range(found.size())]


def type_of(node: Any) -> str:
    """The type of an expression, as DDL."""
    return str(node.dataType().catalogString())


def rounds_safely(node: Any) -> bool:
    """Whether rounding cannot make a number larger than its type holds."""
    scale = children_of(node)[1]
    return type_of(node) in ("float", "double") or (
        scale.foldable() and int(str(scale.eval(None))) >= 0 and not is_full(node)
    )


def is_full(node: Any) -> bool:
    """Whether its type is a decimal of as many digits as there can be, which a larger value does not fit."""
    return type_of(node).startswith("decimal(38")


def fits(node: Any, name: str) -> bool:
    """Whether the result of arithmetic always fits its type."""
    kind = type_of(node)
    if kind in ("float", "double"):
        return True
    if kind.startswith("decimal"):
        # Spark gives a sum or product as many digits as it can need, up to 38.
        return not is_full(node)
    if kind not in INTEGERS:
        return False
    low, high = _bounds(node, name)
    end = 1 << (INTEGERS[kind] - 1)
    return -end <= low and high < end


def _bounds(node: Any, name: str) -> tuple[int, int]:
    """The least and the greatest whole number that a part can give."""
    kind, children = type_of(node), children_of(node)
    size = 1 << (INTEGERS.get(kind, 64) - 1)
    if kind in INTEGERS and node.foldable():
        value = node.eval(None)
        return (0, 0) if value is None else (int(value), int(value))
    if name == "Cast" and type_of(children[0]) in INTEGERS:
        return _bounds(children[0], children[0].nodeName())
    if name in SUMS:
        return _reckoned(name, [_bounds(child, child.nodeName()) for child in children])
    return _BOUNDS.get(name, (-size, size - 1))


def _reckoned(name: str, parts: list[tuple[int, int]]) -> tuple[int, int]:
    low, high = parts[0]
    other = parts[-1]
    if name == "Add":
        return low + other[0], high + other[1]
    if name == "Subtract":
        return low - other[1], high - other[0]
    ends = [one * two for one in (low, high) for two in other] if name == "Multiply" else [-low, -high]
    return min([*ends, 0] if name == "Abs" else ends), max([*ends, low, high] if name == "Abs" else ends)
