"""One undisturbed run over tiny logs, shared by the scenarios."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from support.command import Ended, personalake
from support.tiny_logs import tiny_conf, write_tiny_logs


@dataclass(frozen=True)
class Flow:
    """Logs, their truth, a warehouse made from them, and how the run ended."""

    logs: Path
    root: Path
    truth: dict[str, Any]
    ended: Ended = field(default_factory=lambda: Ended(0, "", ""))

    def options(self, root: Path | None = None) -> list[str]:
        """Options of a command on these logs and on this or another warehouse."""
        return [*tiny_conf(self.logs), "--set", f"warehouse.root={root or self.root}"]

    def command(self, *arguments: str, root: Path | None = None, stdin: str = "", **more: str) -> Ended:
        """Run a command on these logs."""
        return personalake(*arguments, *self.options(root), stdin=stdin, **more)


@pytest.fixture(scope="session")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    folder = tmp_path_factory.mktemp("flow")
    logs, root = folder / "logs", folder / "warehouse"
    made = Flow(logs, root, write_tiny_logs(logs))
    ended = made.command("run")
    assert ended.code == 0, ended.err
    return replace(made, ended=ended)
