"""From NDJSON of four shapes to roll-ups, and one more day, beside the peers: python benchmarks/ingest.py [COUNT].

Each method is a process of its own. Prints a Markdown table, and writes it with the figures as JSON to
.personalake/bench. Session start is left out; the plain program and DuckDB neither de-identify nor merge anything.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import Any

from event_logs import event_logs
from processes import measured
from workloads import FOLDER

STAGES = ("ingest", "identity", "profiles")


def main(count: int = 10_000_000) -> None:
    """Measure every method on so many records."""
    event_logs(count)
    found = {m: measured("benchmarks/ingest_methods.py", m, str(count), timeout=3600.0) for m in METHODS}
    text = table(found, count)
    (FOLDER / "ingest.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    (FOLDER / "ingest.md").write_text(text, encoding="utf-8")
    print(text)


METHODS = ("plain", "duckdb", "ours")


def table(found: dict[str, dict[str, Any]], count: int) -> str:
    """The figures as Markdown: each stage of ours for everything, for a day's news, and for nothing new."""
    head = f"{count:,} records; {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    lines = [head, "", f"| what | {' | '.join(STAGES)} | all s | peak MiB |", "|" + "---|" * (len(STAGES) + 3)]
    for name in ("plain", "duckdb"):
        row = found[name]
        seconds = f"{row['seconds']:.1f}" if "seconds" in row else row.get("stopped", "failed")
        lines.append(f"| {name} |" + " |" * len(STAGES) + f" {seconds} | {row['peak_mb']} |")
    ours = found["ours"]
    for name in ("full", "day", "nothing"):
        cells = [f"{ours.get(f'{name}_{stage}_seconds', float('nan')):.1f}" for stage in STAGES]
        lines.append(
            f"| ours, {name} | {' | '.join(cells)} | {ours.get(f'{name}_seconds', 0):.1f} | {ours['peak_mb']} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
