"""Implicit ALS and everybody's top 100, beside the peers, in one run: python benchmarks/als.py [SET …].

Prints a Markdown table, and writes it with the figures as JSON to .personalake/bench. Each method is a process of its
own. An iteration is a fit of all iterations less a fit of one, both warm, by the iterations between them. The loss is
that of MLlib for everyone; implicit's own ridge is not scaled by the length of a history, so it aims at another.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import Any

from processes import measured
from workloads import FOLDER, workload

PLANNED = {"S": ("cg", "implicit", "mllib"), "M": ("cg", "implicit")}
COLUMNS = ("session_seconds", "fit_cold_seconds", "fit_seconds", "iteration_seconds", "lists_cold_seconds")
HEADS = ("session s", "cold fit s", "warm fit s", "iteration s", "cold lists s", "warm lists s")


def main(names: list[str]) -> None:
    """Measure every planned method of some sets."""
    found: list[dict[str, Any]] = []
    for name in names:
        workload(name)
        for method in PLANNED[name]:
            print(f"{name}: {method}", file=sys.stderr, flush=True)
            figures = measured("benchmarks/als_methods.py", method, name, timeout=1800.0)
            found.append({"set": name, "method": method, **figures})
    text = table(found)
    (FOLDER / "als.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    (FOLDER / "als.md").write_text(text, encoding="utf-8")
    print(text)


def table(found: list[dict[str, Any]]) -> str:
    """The figures as Markdown; a figure of ours stands beside how many times faster it is than the peer's."""
    head = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    titles = ["set", "method", *HEADS, "loss", "peak MiB"]
    lines = [head, "", f"| {' | '.join(titles)} |", "|" + "---|" * len(titles)]
    own = {row["set"]: row for row in found if row["method"] == "cg"}
    for row in found:
        cells = [row["set"], row["method"]]
        for name in (*COLUMNS, "lists_seconds"):
            mine = own.get(row["set"], {}).get(name)
            ratio = f" ({row[name] / mine:.2f} ×)" if name in row and mine and row["method"] != "cg" else ""
            cells.append(f"{row[name]:.2f}{ratio}" if name in row else "")
        note = row.get("stopped") or ("failed" if "failed" in row else f"{row['loss']:.6g}")
        lines.append("| " + " | ".join([*cells, note, str(row["peak_mb"])]) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:] or ["S", "M"])
