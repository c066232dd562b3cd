"""How long files, functions and jobs may be, and what a module may be called."""

from __future__ import annotations

import ast

import pytest

from house.source import ROOT, modules

LONGEST_FILE = 230
LONGEST_FUNCTION = 50
LONGEST_JOB = 25
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring: a long explanation is no fault."""
    end = function.end_lineno or function.lineno
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or first.lineno) - first.lineno + 1 if is_docstring else 0
    return end - function.lineno + 1 - docstring


def test_no_file_is_too_long():
    assert {m.name: m.line_count for m in modules() if m.line_count >= LONGEST_FILE} == {}


def test_no_function_is_too_long():
    long = {
        f"{module.name}:{function.name}": _body_lines(function)
        for module in modules()
        for function in module.functions()
        if _body_lines(function) >= LONGEST_FUNCTION
    }
    assert long == {}


def test_no_module_has_an_empty_name():
    parts = {part.removesuffix(".py") for module in modules() for part in module.name.split("/")}
    assert parts & EMPTY_NAMES == set()


def test_every_module_is_annotated_and_told():
    told = [module.name for module in modules() if not ast.get_docstring(module.tree)]
    assert told == [], "\n".join(["", *told])
    futures = [
        module.name
        for module in modules()
        if not module.name.endswith("__init__.py")
        and not any(isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in module.tree.body)
    ]
    assert futures == [], "\n".join(["", *futures])


def test_jobs_are_short():
    jobs = sorted((ROOT / "jobs").glob("*.py"))
    if not jobs:
        pytest.skip("no jobs in this checkout")
    assert {j.name: n for j in jobs if (n := j.read_text(encoding="utf-8").count("\n")) > LONGEST_JOB} == {}
