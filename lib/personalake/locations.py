"""Folders and files by plain path or by URI, on whatever file system they lie."""

from __future__ import annotations

import pyarrow.fs as pafs

from personalake.settings import full_path


def open_location(location: str) -> tuple[pafs.FileSystem, str]:
    """The file system of a location and the path in it.

    Args:
        location: a path on this machine, or a URI (file, s3, gs, abfs, hdfs).

    Raises:
        OSError, pyarrow.ArrowInvalid: no such file system can be reached.
    """
    if "://" in location:
        filesystem, path = pafs.FileSystem.from_uri(location)
        return filesystem, str(path)
    return pafs.LocalFileSystem(), full_path(location)
