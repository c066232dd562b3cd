"""What the code of the package may call, and where."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from house.allowed import ALLOWED, FORBIDDEN, TABLE_ACCESS
from house.source import Module, modules

_SESSION_DOORS = {"read", "write", "readStream", "writeStream"}


def test_forbidden_calls_are_made_only_where_a_reason_is_told():
    made = {(module.name, name): node.lineno for module in modules() for name, node in _forbidden(module)}
    told = {(file, name) for file, calls in ALLOWED.items() for name in calls}
    untold = [
        f"{file}:{line}: {name}() {FORBIDDEN[name]}" for (file, name), line in made.items() if (file, name) not in told
    ]
    assert untold == [], "\n".join(["Do without, or tell why in tests/house/allowed.py:", *untold])


def test_every_reason_told_is_still_needed():
    made = {(module.name, name) for module in modules() for name, _ in _forbidden(module)}
    told = {(file, name) for file, calls in ALLOWED.items() for name in calls}
    assert told - made == set()


def test_every_join_says_how():
    silent = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        for name, node in module.calls()
        if name == "join" and _is_frame_join(node) and not any(word.arg == "how" for word in node.keywords)
    ]
    assert silent == [], "\n".join(["", *silent])


def test_delta_and_session_doors_are_used_only_where_tables_are_read_and_written():
    trespasses = [
        f"{module.name}:{line}: {what}"
        for module in modules()
        if not _may_access_tables(module.name)
        for what, line in (*_delta_imports(module), *_doors(module))
    ]
    assert trespasses == [], "\n".join(["", *trespasses])


def test_every_place_with_table_access_exists():
    names = {module.name for module in modules()}
    gone = {place for place in TABLE_ACCESS if not any(_is_within(name, place) for name in names)}
    assert gone == set()


def test_nothing_is_unpickled_or_evaluated():
    unsafe = [
        f"{module.name}:{node.lineno}: {name}()"
        for module in modules()
        for name, node in module.calls()
        if (name in {"eval", "exec"} and isinstance(node.func, ast.Name))
        or ast.unparse(node.func) in {"pickle.loads", "pickle.load", "joblib.load", "yaml.load", "os.system"}
    ]
    assert unsafe == [], "\n".join(["", *unsafe])


def _forbidden(module: Module) -> Iterator[tuple[str, ast.Call]]:
    for name, node in module.calls():
        if name in FORBIDDEN and not _is_seeded_random(node):
            yield name, node


def _is_seeded_random(node: ast.Call) -> bool:
    """`F.rand(seed)` still depends on the partitioning; a numpy generator's method takes its seed elsewhere."""
    function = node.func
    return isinstance(function, ast.Attribute) and "generator" in ast.unparse(function.value)


def _is_frame_join(node: ast.Call) -> bool:
    """A frame's join has a condition or columns too; a string's join has one argument and a separator before it."""
    function = node.func
    if not isinstance(function, ast.Attribute):
        return False
    separator = function.value
    is_text = isinstance(separator, ast.Constant | ast.JoinedStr)
    is_path = ast.unparse(separator).endswith("path")
    return not is_text and not is_path and (len(node.args) + len(node.keywords) > 1)


def _delta_imports(module: Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""] if node.level == 0 else []
        else:
            continue
        yield from ((f"import of {name}", node.lineno) for name in names if name.split(".")[0] == "delta")


def _doors(module: Module) -> Iterator[tuple[str, int]]:
    """`spark.read.csv`, `frame.write.format`: an attribute of one of these names that is not itself called."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            if node.value.attr in _SESSION_DOORS:
                yield ast.unparse(node), node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "writeTo":
            yield ast.unparse(node.func), node.lineno


def _may_access_tables(name: str) -> bool:
    return any(_is_within(name, place) for place in TABLE_ACCESS)


def _is_within(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}/")
