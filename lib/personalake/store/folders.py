"""Scratch folders beside the tables."""

from __future__ import annotations

import pyarrow.fs as pafs

from personalake.locations import open_location

SCRATCH = "_scratch"


def clear_scratch(root: str) -> None:
    """Remove what an earlier run may have left; only the holder of the warehouse's lock may call it."""
    filesystem, base = open_location(root)
    path = f"{base}/{SCRATCH}"
    if filesystem.get_file_info(path).type == pafs.FileType.Directory:
        filesystem.delete_dir(path)


def scratch_path(root: str, run_id: str, name: str) -> str:
    """Where a stage may put rows down while it works; gone after the run."""
    return f"{root.rstrip('/')}/{SCRATCH}/{run_id}/{name}"
