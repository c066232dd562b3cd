"""Scratch folders beside the tables."""

from __future__ import annotations

import pyarrow.fs as pafs

from personalake.locations import open_location

SCRATCH = "_scratch"


def clear_scratch(root: str, run_id: str = "") -> None:
    """Remove what a run put down.

    Args:
        root: warehouse.root.
        run_id: whose; empty: everybody's, which only the holder of the warehouse's lock may ask for.
    """
    filesystem, path = open_location(f"{root.rstrip('/')}/{SCRATCH}/{run_id}".rstrip("/"))
    if filesystem.get_file_info(path).type == pafs.FileType.Directory:
        filesystem.delete_dir(path)


def scratch_path(root: str, run_id: str, name: str) -> str:
    """Where a stage may put rows down while it works; gone when the run has ended, or when the next one begins."""
    return f"{root.rstrip('/')}/{SCRATCH}/{run_id}/{name}"
