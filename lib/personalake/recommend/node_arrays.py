"""Numpy arrays that every task reads from its own machine: one memory-mapped copy per node, not one per task."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pyspark import SparkFiles
from pyspark.sql import SparkSession

from personalake.errors import ConfigError, Fault

Array = npt.NDArray[Any]
# Every array begins at such a border: the kernels' loads stay aligned.
_BORDER = 64


@dataclass(frozen=True)
class _Place:
    name: str
    dtype: str
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True)
class NodeArrays:
    """A handle to arrays that `put_on_nodes` laid down; small, so a task's closure may hold it."""

    path: str
    shipped: bool
    places: tuple[_Place, ...]

    @property
    def bytes(self) -> int:
        """What one copy takes [bytes]."""
        return _end(self.places[-1]) if self.places else 0

    def load(self, writable: bool = False) -> dict[str, Array]:
        """The arrays by name, memory-mapped. Called in a task, or on the driver.

        Args:
            writable: whether what is written shows wherever else they are loaded; on one machine only.
        """
        if writable and self.shipped:
            raise ValueError("what one machine writes does not show on another")
        path = SparkFiles.get(Path(self.path).name) if self.shipped else self.path
        return {place.name: _mapped(path, place, "r+" if writable else "r") for place in self.places}

    def release(self) -> None:
        """Free the driver's disk once no task will read the arrays any more; a second call does nothing.

        Spark cannot take a shipped file back, and an executor that joins later still asks for it: so the driver's
        copies are emptied, not removed. An executor's copy goes with the executor.
        """
        if not self.shipped:
            Path(self.path).unlink(missing_ok=True)
            return
        for path in (Path(self.path), Path(SparkFiles.get(Path(self.path).name))):
            if path.is_file():
                path.write_bytes(b"")


def put_on_nodes(spark: SparkSession, arrays: Mapping[str, Array]) -> NodeArrays:
    """Write arrays where the tasks of this session find them.

    In local mode the tasks map the driver's own file. On a cluster Spark ships the file once to every executor, by the
    way that `spark-submit --files` takes: no shared storage is needed.

    Args:
        spark: the session whose tasks will read them.
        arrays: by name; of any number type and shape.

    Returns:
        The handle. Call its `release` when the last task is through; what is left goes when the process ends.

    Raises:
        ConfigError: the driver's scratch disk has no room for them.

    Cost:
        One sequential write on the driver; on a cluster one transfer to each executor, when its next task starts.
    """
    places = _places(arrays)
    path = scratch_folder(spark) / f"arrays-{uuid.uuid4().hex}.bin"
    _check_room(path.parent, _end(places[-1]) if places else 0)
    with path.open("wb") as file:
        for place in places:
            file.write(b"\0" * (place.offset - file.tell()))
            np.ascontiguousarray(arrays[place.name]).tofile(file)
    shipped = not shares_disk(spark)
    if shipped:
        spark.sparkContext.addFile(str(path))
    return NodeArrays(str(path), shipped, places)


def shares_disk(spark: SparkSession) -> bool:
    """Whether the tasks run on the driver's own machine: local mode."""
    return str(spark.sparkContext.master).startswith("local")


def scratch_folder(spark: SparkSession) -> Path:
    """A folder of this process on the driver's scratch disk, gone when the process ends."""
    return _folder(spark.conf.get("spark.local.dir", None))


def _places(arrays: Mapping[str, Array]) -> tuple[_Place, ...]:
    places: list[_Place] = []
    for name, array in arrays.items():
        start = _end(places[-1]) if places else 0
        offset = -(-start // _BORDER) * _BORDER
        places.append(_Place(name, array.dtype.str, tuple(array.shape), offset))
    return tuple(places)


def _end(place: _Place) -> int:
    return place.offset + int(np.dtype(place.dtype).itemsize * np.prod(place.shape, dtype=np.int64))


def _mapped(path: str, place: _Place, mode: Literal["r", "r+"]) -> Array:
    if 0 in place.shape:
        return np.empty(place.shape, place.dtype)
    # As a plain array: numpy's memmap class slows every slice, and compiled kernels want the base class.
    return np.asarray(np.memmap(path, place.dtype, mode=mode, offset=place.offset, shape=place.shape))


@lru_cache(maxsize=1)
def _folder(local_dir: str | None) -> Path:
    parent = local_dir.split(",")[0] if local_dir else None
    if parent:
        Path(parent).mkdir(parents=True, exist_ok=True)
    folder = tempfile.mkdtemp(prefix="personalake-", dir=parent)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _check_room(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if wanted > free:
        found = f"has {free >> 20} MiB free, and {wanted >> 20} MiB are needed."
        raise ConfigError(Fault(str(folder), found, "Free some, or name another disk in spark.local.dir."))
