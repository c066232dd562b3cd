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
    """A file of a source.

    Args:
        source: the source's name.
        read_key: its path below raw.root.
        path: where it is.
        size: how long it was when it was listed [bytes].
        modified_at: when it was last modified [UTC].
        content_hash: SHA-256 of its bytes, once it was inspected.
        header: columns of a CSV file whose header is another than declared.
        undeclared: field to how many of its first records have it, of fields that nobody declared.
    """

    source: str
    read_key: str
    path: str
    size: int
    modified_at: datetime
    content_hash: str = ""
    header: tuple[str, ...] = ()
    undeclared: tuple[tuple[str, int], ...] = ()


def open_root(root: str) -> tuple[pafs.FileSystem, str]:
    """The file system of raw.root and the path in it; a plain path is a local folder."""
    try:
        return open_location(root)
    except (pa.ArrowInvalid, OSError) as error:
        raise ConfigError(Fault("raw.root", f"{root} cannot be opened: {type(error).__name__}.")) from None


def list_files(root: str, sources: Sequence[Source]) -> tuple[RawFile, ...]:
    """All files of all sources, ordered by source and path.

    Raises:
        DataError: raw.root is missing.
    """
    filesystem, base = open_root(root)
    if filesystem.get_file_info(base).type != pafs.FileType.Directory:
        raise DataError(Fault("raw.root", f"{root} is no folder.", "Name the folder that holds the raw logs."))
    return tuple(file for source in sources for file in _files_of(filesystem, base, root, source))


def missing_files(root: str, sources: Sequence[Source], files: Sequence[RawFile]) -> list[Fault]:
    """A fault for each source that has no file and is not optional."""
    found = {file.source for file in files}
    todo = "Deliver it, or say `optional: true` in its YAML."
    return [
        Fault(f"source {source.name}", f"no file matches {source.path} below {root}.", todo)
        for source in sources
        if source.name not in found and not source.optional
    ]


def changed_files(root: str, files: Sequence[RawFile]) -> list[Fault]:
    """A fault for each file that is no longer what it was when it was listed: what was read of it is not sound."""
    filesystem, base = open_root(root)
    infos = filesystem.get_file_info([posixpath.join(base, file.read_key) for file in files])
    todo = "Write it under a name that begins with _ and rename it when it is whole."
    return [
        Fault(f"source {file.source}, file {file.read_key}", "changed while it was read.", todo)
        for file, info in zip(files, infos, strict=True)
        if info.type != pafs.FileType.File or (info.size, _moment(info)) != (file.size, file.modified_at)
    ]


def _moment(info: pafs.FileInfo) -> datetime:
    return datetime.fromtimestamp(info.mtime_ns / 1e9, UTC).replace(microsecond=0)


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
            path = posixpath.join(root, key) if "://" in root else info.path
            files.append(RawFile(source.name, key, path, info.size, _moment(info)))
    return sorted(files, key=lambda f: f.read_key)
