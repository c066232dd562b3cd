"""One writer at a time on a warehouse in a local folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from personalake.errors import Fault, LockedError

LOCK_FILE = ".lock"


def has_lock(root: str) -> bool:
    """Whether a warehouse is one that the lock guards: a folder on this machine."""
    return "://" not in root


@contextmanager
def writer_lock(root: str) -> Iterator[None]:
    """Hold the warehouse's lock; the system frees it when the process ends, however it ends.

    Args:
        root: warehouse.root; a root with a scheme has no lock of ours: Delta's own conflict checks guard it.

    Raises:
        LockedError: another process holds it.
    """
    if not has_lock(root):
        yield
        return
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip()
            text = f"is being written by process {holder}." if holder else "is being written by another process."
            raise LockedError(Fault(f"warehouse {root}", text, "Wait until it has ended, then run again.")) from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield
