"""Which files a source has."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.fs as pafs

from personalake.errors import ConfigError, DataError, Fault
from personalake.ingest.source import Source
from personalake.locations import open_location


@dataclass(frozen=True)
class RawFile:
    """A file of a source. `read_key` is its path below raw.root."""

    source: str
    read_key: str
    path: str
    size: int
    modified_at: datetime
    content_hash: str = ""


def open_root(root: str) -> tuple[pafs.FileSystem, str]:
    """The file system of raw.root and the path in it; a plain path is a local folder."""
    try:
        return open_location(root)
    except (pa.ArrowInvalid, OSError) as error:
        raise ConfigError(Fault("raw.root", f"{root} cannot be opened: {type(error).__name__}.")) from None


def list_files(root: str, sources: Sequence[Source]) -> tuple[RawFile, ...]:
    """All files of all sources, ordered by source and path.

    Raises:
        DataError: raw.root, or every file of a source that is not optional, is missing (all faults at once).
    """
    filesystem, base = open_root(root)
    if filesystem.get_file_info(base).type != pafs.FileType.Directory:
        raise DataError(Fault("raw.root", f"{root} is no folder.", "Name the folder that holds the raw logs."))
    found: list[RawFile] = []
    faults = []
    for source in sources:
        files = _files_of(filesystem, base, root, source)
        if not files and not source.optional:
            text = f"no file matches {source.path} below {root}."
            faults.append(Fault(f"source {source.name}", text, "Deliver it, or say `optional: true` in its YAML."))
        found.extend(files)
    if faults:
        raise DataError(*faults)
    return tuple(found)


def _files_of(filesystem: pafs.FileSystem, base: str, root: str, source: Source) -> list[RawFile]:
    fixed = source.path.split("*")[0].split("?")[0].split("[")[0]
    start = posixpath.join(base, posixpath.dirname(fixed))
    infos = filesystem.get_file_info(pafs.FileSelector(start, recursive=True, allow_not_found=True))
    files = []
    for info in infos:
        key = posixpath.relpath(info.path, base)
        # What is written at this moment lies in such folders too.
        hidden = any(part.startswith((".", "_")) for part in posixpath.relpath(info.path, start).split("/"))
        if info.type == pafs.FileType.File and not hidden and fnmatch.fnmatchcase(key, source.path):
            moment = datetime.fromtimestamp(info.mtime_ns / 1e9, UTC).replace(microsecond=0)
            path = posixpath.join(root, key) if "://" in root else info.path
            files.append(RawFile(source.name, key, path, info.size, moment))
    return sorted(files, key=lambda f: f.read_key)
