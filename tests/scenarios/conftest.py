"""One undisturbed run over tiny logs, shared by the scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from support.command import QUICK, Ended, personalake
from support.tiny_logs import tiny_conf, write_tiny_logs

KEY = "k" * 40


@dataclass(frozen=True)
class Flow:
    """Logs, a warehouse made from them, and how the run ended."""

    logs: Path
    root: Path
    ended: Ended

    def options(self, root: Path | None = None) -> list[str]:
        """Options of a command on these logs and on this or another warehouse."""
        return [*tiny_conf(self.logs), "--set", f"warehouse.root={root or self.root}", *QUICK]

    def command(self, *arguments: str, root: Path | None = None, stdin: str = "", **more: str) -> Ended:
        """Run a command on these logs."""
        return personalake(*arguments, *self.options(root), stdin=stdin, **{"PERSONALAKE_KEY": KEY, **more})


@pytest.fixture(scope="session")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    folder = tmp_path_factory.mktemp("flow")
    logs, root = folder / "logs", folder / "warehouse"
    write_tiny_logs(logs)
    ended = Flow(logs, root, Ended(0, "", "")).command("run")
    assert ended.code == 0, ended.err
    return Flow(logs, root, ended)
