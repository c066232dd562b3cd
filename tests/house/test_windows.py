"""Every ordered window of the package ends in a key, so that ties never depend on where a row happened to lie."""

from __future__ import annotations

import ast

import pytest

from house.allowed import WINDOWS
from house.source import modules

# Words that end the name of something that is unique within a partition.
_KEY_ENDINGS = ("_id", "_key", "_identifier", "key", "position", "_date", "_rank")


def _last_order(node: ast.Call) -> ast.expr:
    last = node.args[-1]
    return last.value if isinstance(last, ast.Starred) else last


def _is_key(order: ast.expr) -> bool:
    texts = [part.value for part in ast.walk(order) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    names = [part.id for part in ast.walk(order) if isinstance(part, ast.Name)]
    attributes = [part.attr for part in ast.walk(order) if isinstance(part, ast.Attribute)]
    words = texts or [*names, *attributes]
    return any(word.lower().endswith(_KEY_ENDINGS) for word in words)


def _window_orders(tree: ast.AST) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "orderBy"
        and ast.unparse(node.func.value).startswith("Window")
        and node.args
    ]


def _loose() -> list[tuple[str, int, str]]:
    return [
        (module.name, node.lineno, ", ".join(ast.unparse(order) for order in node.args))
        for module in modules()
        for node in _window_orders(module.tree)
        if not _is_key(_last_order(node))
    ]


def test_every_ordered_window_ends_in_a_key():
    untold = [
        f"{file}:{line}: orderBy({order})" for file, line, order in _loose() if order not in WINDOWS.get(file, {})
    ]
    assert untold == [], "\n".join(["End in a key, or tell why in tests/house/allowed.py:", *untold])


def test_every_reason_told_is_still_needed():
    told = {(file, order) for file, orders in WINDOWS.items() for order in orders}
    assert told - {(file, order) for file, _, order in _loose()} == set()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Window.partitionBy('a').orderBy('event_at', 'event_id')", True),
        ("Window.partitionBy('a').orderBy(F.desc('score'), F.col('item_id').asc())", True),
        ("Window.partitionBy('a').orderBy('event_at')", False),
        ("Window.orderBy(F.col('score').desc())", False),
    ],
)
def test_the_check_itself(source: str, expected: bool):
    (node,) = _window_orders(ast.parse(source))
    assert _is_key(_last_order(node)) is expected
