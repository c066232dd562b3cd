"""A PostgreSQL server of the tests' own: started from the machine's binaries, in a folder that is gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Postgresql:
    """A running server; `sql` is done by its superuser."""

    def __init__(self, binaries: Path, folder: Path, port: int, prefix: list[str]) -> None:
        self._binaries, self._folder, self.port, self._prefix = binaries, folder, port, prefix
        self.url = f"jdbc:postgresql://127.0.0.1:{port}/postgres"

    def sql(self, text: str) -> str:
        """Run statements; give what they print, without headings."""
        command = ["psql", "-h", str(self._folder), "-p", str(self.port), "-U", "postgres", "-qAtX"]
        return self._run(*command, "-v", "ON_ERROR_STOP=1", "-c", text).strip()

    def create(self) -> None:
        """Make its data folder: the superuser by a socket in the folder, everybody else by password."""
        ways = ["--auth-local=trust", "--auth-host=scram-sha-256"]
        self._run("initdb", "-D", self._data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", *ways)

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-k {self._folder} -p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-l", str(self._folder / "log"), "-o", options)

    def stop(self) -> None:
        """Stop it at once, as a machine that fails."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self._data)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, name: str, *arguments: str) -> str:
        command = [*self._prefix, str(self._binaries / name), *arguments]
        # A server that is started keeps its parent's pipes: its output goes to a file.
        with tempfile.TemporaryFile() as out:
            code = subprocess.run(command, stdout=out, stderr=out, cwd="/", timeout=60, check=False).returncode
            out.seek(0)
            said = out.read().decode()
        assert code == 0, f"{name}: {said[-2000:]}"
        return said


@contextmanager
def postgresql() -> Iterator[Postgresql]:
    """Start a server, and stop it whatever happens; skip where the machine has none."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server on this machine, e.g. apt-get install postgresql")
    prefix: list[str] = []
    if os.geteuid() == 0:  # the server refuses root
        if not _has_user("postgres") or not shutil.which("runuser"):
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        prefix = ["runuser", "-u", "postgres", "--"]
    folder = Path(tempfile.mkdtemp(prefix="personalake-postgresql-"))
    if prefix:
        shutil.chown(folder, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = Postgresql(binaries, folder, port, prefix)
    try:
        server.create()
        server.start()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
