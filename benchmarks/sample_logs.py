"""How fast sample logs are written, and how long the flow takes on them: python benchmarks/sample_logs.py [persons].

Prints one JSON line: events, seconds of writing, events a second. Measured after a small warm-up, session start apart.
"""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
import time
from pathlib import Path

from personalake.sample import write_sample
from personalake.settings import Spark
from personalake.store.session import open_session

START = datetime.date(2026, 1, 1)


def main(persons: int = 10_000) -> None:
    """Measure one size."""
    began = time.perf_counter()
    spark = open_session(Spark())
    session_seconds = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        write_sample(spark, str(Path(folder) / "warm"), 300, 64, 10, START, 7)
        began = time.perf_counter()
        truth = write_sample(spark, str(Path(folder) / "logs"), persons, 2_000, 60, START, 7)
        seconds = time.perf_counter() - began
    spark.stop()
    events = truth["events_total"]
    figures = {
        "persons": persons,
        "events": events,
        "seconds": round(seconds, 1),
        "events_per_second": round(events / seconds),
        "session_seconds": round(session_seconds, 1),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
