"""Run a measured program as its own process, and say how long it took and how much memory it held at most."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

import psutil

_SAMPLE_SECONDS = 0.5


def measured(*arguments: str, timeout: float = 900) -> dict[str, Any]:
    """Run a program of this folder.

    Args:
        arguments: its file name and what follows.
        timeout: after which it is stopped [s].

    Returns:
        The JSON of the last line it printed, plus `process_seconds` and `peak_mb`: the largest proportional set size of
        the process and all it started (driver, JVM, workers) [MiB], looked at twice a second. Where it was
        stopped or failed: `stopped`, or `failed` with the end of what it said.
    """
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "PYTHONWARNINGS": "ignore"}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    peak, stopped = 0, False
    while process.poll() is None:
        peak = max(peak, _held(process.pid))
        if time.perf_counter() - began > timeout:
            _stop(process.pid)
            stopped = True
            break
        time.sleep(_SAMPLE_SECONDS)
    out, err = process.communicate()
    figures: dict[str, Any] = {"process_seconds": time.perf_counter() - began, "peak_mb": peak >> 20}
    if stopped:
        return {**figures, "stopped": f"after {timeout:.0f} s"}
    if process.returncode:
        return {**figures, "failed": err[-2000:]}
    return {**figures, **json.loads(out.strip().splitlines()[-1])}


def _held(pid: int) -> int:
    total = 0
    for process in _family(pid):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:  # it ended meanwhile
            continue
    return total


def _stop(pid: int) -> None:
    for process in reversed(_family(pid)):
        try:
            process.kill()
        except psutil.Error:
            continue


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.Error:
        return []
