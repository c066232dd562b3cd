"""Where the tasks of one job on one machine wait for each other, some ten thousand times a second if need be.

Spark's own barrier answers once a second. Here the first task hears of the others through named pipes, which have the
kernel order what was written before; the end of a pipe tells that a task has died.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_HERE = b"."


@dataclass(frozen=True)
class MeetingPlace:
    """The pipes of some tasks; small, so a task's closure may hold it."""

    folder: str
    tasks: int

    @contextmanager
    def joined(self, task: int) -> Iterator[Callable[[], None]]:
        """Come in; waits until all have come.

        Args:
            task: its number, from 0.

        Yields:
            What returns when every task has called it as often as this one.

        Raises:
            BrokenPipeError: (when called) another task is gone.
        """
        others = range(1, self.tasks) if task == 0 else (task,)
        pipes: list[tuple[int, int]] = []
        try:
            for other in others:
                up, down = self._path(other, "up"), self._path(other, "down")
                # Each waits for the other end: both open the first before the second.
                if task == 0:
                    pipes.append((os.open(up, os.O_RDONLY), os.open(down, os.O_WRONLY)))
                else:
                    to = os.open(up, os.O_WRONLY)
                    pipes.append((os.open(down, os.O_RDONLY), to))
            yield (lambda: _host(pipes)) if task == 0 else (lambda: _come(*pipes[0]))
        finally:
            for ends in pipes:
                for end in ends:
                    os.close(end)

    def _path(self, task: int, way: str) -> str:
        return str(Path(self.folder) / f"{task}-{way}")


@contextmanager
def meeting_place(parent: Path, tasks: int) -> Iterator[MeetingPlace]:
    """Lay pipes for so many tasks, in a folder of their own below one that all of them reach; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="meeting-", dir=parent))
    try:
        for task in range(1, tasks):
            for way in ("up", "down"):
                os.mkfifo(folder / f"{task}-{way}", 0o600)
        yield MeetingPlace(str(folder), tasks)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _host(pipes: list[tuple[int, int]]) -> None:
    for heard, _ in pipes:
        _hear(heard)
    for _, told in pipes:
        os.write(told, _HERE)


def _come(heard: int, told: int) -> None:
    os.write(told, _HERE)
    _hear(heard)


def _hear(pipe: int) -> None:
    if os.read(pipe, 1) != _HERE:
        raise BrokenPipeError("another task of this job is gone")
