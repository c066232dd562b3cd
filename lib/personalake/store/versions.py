"""Which version a table is at, told from its log folder: no job, no session."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import pyarrow.fs as pafs

from personalake.locations import open_location
from personalake.store.read import table_path
from personalake.tables.spec import Table

_COMMIT = re.compile(r"^(\d{20})\.json$")


def version_of(root: str, name: str) -> int | None:
    """The newest committed version of a table, None where there is no table.

    A commit file exists for each of the newest versions (Delta protocol, 'Delta Log Entries'), so listing is enough.
    """
    path = f"{table_path(root, name)}/_delta_log"
    filesystem, inner = open_location(path)
    infos = filesystem.get_file_info(pafs.FileSelector(inner, allow_not_found=True))
    found = [int(match.group(1)) for info in infos if (match := _COMMIT.match(info.base_name))]
    return max(found, default=None)


def is_untouched(root: str, name: str) -> bool:
    """Whether a table was created and nothing was ever written to it."""
    return version_of(root, name) == 0 and not any("add" in action for action in actions_of(root, name, 0))


def actions_of(root: str, name: str, version: int) -> list[dict[str, Any]]:
    """What a commit of a table says, action by action (Delta protocol, 'Actions'): no job, no session.

    Raises:
        FileNotFoundError: the commit is not there, or no longer.
    """
    filesystem, path = open_location(f"{table_path(root, name)}/_delta_log/{version:020d}.json")
    with filesystem.open_input_stream(path) as stream:
        return [json.loads(line) for line in stream.read().decode().splitlines() if line]


def versions_of(root: str, tables: Iterable[Table]) -> dict[str, int]:
    """Table name to version, for the tables that exist."""
    found = {table.name: version_of(root, table.name) for table in tables}
    return {name: version for name, version in found.items() if version is not None}
