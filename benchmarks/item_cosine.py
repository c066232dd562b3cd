"""Exact item-item cosine, top 50, beside the peers, in one run: python benchmarks/item_cosine.py [SET …].

Prints a Markdown table, and writes it with the figures as JSON to .personalake/bench. Each method is its own process;
Spark methods are timed as the median of three jobs after a first one, which stands beside it with the session's start.
A method that takes over a minute runs once.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import Any

from processes import measured
from workloads import FOLDER, workload

# Method, its ids, jobs after the first one; by set.
PLANNED: dict[str, tuple[tuple[str, str, int], ...]] = {
    "S": (
        ("ours", "int", 3),
        ("ours", "string", 3),
        ("shuffle", "int", 3),
        ("plain_join", "int", 1),
        ("column_similarities", "int", 0),
        ("implicit", "int", 0),
        ("implicit", "string", 0),
        ("sparse_dot_topn", "int", 0),
        ("duckdb", "int", 0),
    ),
    "M": (
        ("ours", "int", 3),
        ("ours", "string", 3),
        ("shuffle", "int", 1),
        ("implicit", "int", 0),
        ("implicit", "string", 0),
        ("sparse_dot_topn", "int", 0),
        ("duckdb", "int", 0),
    ),
    "L": (("ours", "int", 1), ("implicit", "int", 0), ("sparse_dot_topn", "int", 0)),
}
TITLES = ("session s", "cold s", "warm s", "whole process s", "of it writing s")
COLUMNS = ("session_seconds", "cold_seconds", "warm_seconds", "process_seconds", "write_seconds", "peak_mb")
_TIMEOUT = {"column_similarities": 240.0}


def main(names: list[str]) -> None:
    """Measure every planned method of some sets."""
    found: list[dict[str, Any]] = []
    for name in names:
        for ids in sorted({ids for _, ids, _ in PLANNED[name]}):
            workload(name, ids)
        for method, ids, warm_runs in PLANNED[name]:
            print(f"{name}: {method}, {ids} ids", file=sys.stderr, flush=True)
            timeout = _TIMEOUT.get(method, 900.0)
            figures = measured("benchmarks/cosine_methods.py", method, name, ids, str(warm_runs), timeout=timeout)
            found.append({"set": name, "method": method, "ids": ids, **figures})
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = table(found)
    (FOLDER / "item_cosine.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    (FOLDER / "item_cosine.md").write_text(text, encoding="utf-8")
    print(text)


def table(found: list[dict[str, Any]]) -> str:
    """The figures as Markdown, each beside its ratio to ours on the same set and ids."""
    head = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    titles = ("set", "ids", "method", *TITLES, "ours / it", "peak MiB")
    lines = [head, "", f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    own = {(row["set"], row["ids"]): row.get("warm_seconds") for row in found if row["method"] == "ours"}
    for row in found:
        cells = [row["set"], row["ids"], row["method"]]
        cells += [f"{row[name]:.1f}" if name in row else "" for name in COLUMNS[:-1]]
        whole = row.get("warm_seconds", row.get("cold_seconds", row["process_seconds"]))
        mine = own.get((row["set"], row["ids"]))
        note = row.get("stopped") or ("failed" if "failed" in row else f"{mine / whole:.2f}" if mine else "")
        lines.append("| " + " | ".join([*cells, note, str(row["peak_mb"])]) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:] or ["S", "M", "L"])
