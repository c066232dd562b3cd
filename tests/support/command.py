"""The command line as a user has it: its own process, its own session."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIB = Path(__file__).resolve().parents[2] / "lib"
# A session for handfuls of rows, where compiling a query takes longer than running it.
INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}
_QUICK = {
    "spark.master": "local[2]",
    "spark.driver_memory": "1500m",
    "spark.shuffle_partitions": "2",
    "spark.conf": json.dumps(INTERPRETED),
}
QUICK = tuple(word for name, value in _QUICK.items() for word in ("--set", f"{name}={value}"))


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def status(self) -> dict[str, Any]:
        """The JSON of the last line on stdout."""
        return dict(json.loads(self.out.strip().splitlines()[-1]))


def environment(**more: str) -> dict[str, str]:
    """This process's environment with the package on the path."""
    path = os.pathsep.join([str(LIB), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore", **more}


def personalake(*arguments: str, stdin: str = "", timeout: int = 600, **more: str) -> Ended:
    """Run a command to its end.

    Args:
        arguments: as on the command line.
        stdin: what it reads.
        timeout: after which it is a failure [s].
        more: further environment variables.
    """
    command = [sys.executable, "-m", "personalake.cli", *arguments]
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=timeout, env=environment(**more), check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)
