"""What every connector gives: batches of raw records, and the rows of the ledger that make them count as read."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from personalake.errors import DataError, Fault
from personalake.ingest.source import Source


@dataclass(frozen=True)
class Read:
    """A read of a source.

    Args:
        read_key: what was read: pages, offsets, rows up to a mark, versions.
        mark: what the next read needs to go on behind this one; `of` says of what, where a source may change that.
        read_at: when; None while it is going on.
        size: bytes read, where they are known.
        content_hash: SHA-256 of the bytes, where they are known.
        path: `_path` of its records, up to a `#`.
        numbers: first and last of what stands behind the `#`; None: nothing stands there.
    """

    read_key: str
    mark: Mapping[str, Any]
    read_at: datetime | None = None
    size: int | None = None
    content_hash: str | None = None
    path: str = ""
    numbers: tuple[int, int] | None = None


@dataclass(frozen=True)
class Batch:
    """Records that are merged together.

    Args:
        raw: the columns that `readers.read_raw` gives. `_path` says where a record is from, and after a `#` which one
            it is, where that lasts: what is refused is told apart by it, so it must be the same when read again. None:
            there are no records, only reads to keep.
        reads: what counts as read once the records are merged.
    """

    raw: DataFrame | None
    reads: tuple[Read, ...]


@dataclass(frozen=True)
class Asked:
    """What a connector is asked with.

    Args:
        spark: where frames are made.
        source: the source.
        past: its reads so far; empty: everything is wanted.
        now: the moment of the run, for records that do not tell when they came.
        hide: encrypts what the ledger should not hold in clear.
        reveal: the text behind `hide`; None where the key is another one now.
        is_forced: everything is wanted, whatever the settings say of where to start.
        newest_version: the newest version of a Delta table, None where there is none.
    """

    spark: SparkSession
    source: Source
    past: Sequence[Read]
    now: datetime
    hide: Callable[[str], str]
    reveal: Callable[[str], str | None]
    newest_version: Callable[[str], int | None]
    is_forced: bool = False

    @property
    def where(self) -> str:
        """How faults name the source."""
        return f"source {self.source.name}"

    def newest(self, of: str) -> list[Mapping[str, Any]]:
        """The marks that its last run left of something; empty where there was none."""
        own = [(read.read_at, read.mark) for read in self.past if read.read_at and read.mark["of"] == of]
        last = max((at for at, _ in own), default=None)
        return [mark for at, mark in own if at == last]

    def fault(self, found: str, todo: str = "") -> DataError:
        """The error of a whole fault of the source."""
        return DataError(Fault(self.where, found, todo))


def secret(where: str, environment_name: str) -> str:
    """A password or token from the environment; empty where none is named.

    Raises:
        DataError: the variable is named and not set.
    """
    if not environment_name:
        return ""
    value = os.environ.get(environment_name, "")
    if not value:
        text = f"the environment variable {environment_name} is not set."
        raise DataError(Fault(where, text, "Set it where the command runs."))
    return value
