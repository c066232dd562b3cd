"""What can go wrong, sorted by who must act. Every message says where, what was found, what is allowed, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong, in words an operator can act on.

    Args:
        where: file, setting or table, e.g. `conf/sources/app.yaml: fields.device_id`.
        found: what was there; never a personal value or a secret.
        todo: what is allowed, or what to do.
    """

    where: str
    found: str
    todo: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.found}" + (f" {self.todo}" if self.todo else "")


class PersonalakeError(Exception):
    """Base of all errors that are told in plain words; `exit_code` is what the command ends with."""

    exit_code = 1
    heading = "Failed"

    def __init__(self, *faults: Fault | str) -> None:
        self.faults = tuple(faults)
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One message with every fault, each on its own line."""
        count = len(self.faults)
        head = f"{self.heading} ({count} fault{'s' if count != 1 else ''}):"
        return "\n".join([head, *(f"  - {fault}" for fault in self.faults)])

    def __str__(self) -> str:
        return self.message


class DataError(PersonalakeError):
    """A file or table is not what it was declared to be; nothing of it was written. Who feeds the data must act."""

    heading = "The data cannot be used"


class ConfigError(PersonalakeError):
    """Settings or usage are wrong; nothing was read. The operator must act."""

    exit_code = 2
    heading = "The configuration cannot be used"


class QualityError(PersonalakeError):
    """A quality gate was not met; results are kept but not published."""

    exit_code = 3
    heading = "A quality gate was not met"


class FloorError(PersonalakeError):
    """An audience is too small to leave the lake; nothing was written. Whoever asked must ask for more persons."""

    exit_code = 3
    heading = "The audience is too small"


class LockedError(PersonalakeError):
    """Another process writes this warehouse, or a commit kept conflicting. Try again later."""

    exit_code = 4
    heading = "The warehouse is in use"


class SetupError(PersonalakeError):
    """The machine lacks something: Java, the Delta jars, a matching library, disk. Who runs the machine must act."""

    exit_code = 2
    heading = "This machine is not ready"


def near_miss(word: str, allowed: Iterable[str]) -> str:
    """`Did you mean x?`, or the allowed words where none is close.

    Args:
        word: what was found.
        allowed: what would have been right.
    """
    names = sorted(allowed)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Allowed: {', '.join(names)}." if names else ""
