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
def unread(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    """Logs that no run has read yet."""
    folder = tmp_path_factory.mktemp("flow")
    return Flow(folder / "logs", folder / "warehouse", write_tiny_logs(folder / "logs"))


@pytest.fixture(scope="session")
def flow(unread: Flow, tmp_path_factory: pytest.TempPathFactory) -> Flow:
    """The same logs, read by a whole run."""
    made = replace(unread, root=tmp_path_factory.mktemp("run") / "warehouse")
    ended = made.command("run")
    assert ended.code == 0, ended.err
    return replace(made, ended=ended)
