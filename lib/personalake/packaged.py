"""Where the files are that come with the package: beside the source in a checkout, inside it once installed."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path


def conf_folder() -> Path:
    """The folder of the packaged base.yaml, local.yaml, cluster.yaml, rules and sources.

    In a checkout (an editable install too) it is the top-level `conf`, in an installed package `personalake/conf`;
    where that lies in a zip, as with `spark-submit --py-files`, it is a copy for this process.
    """
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "setup.py").is_file() and (checkout / "conf").is_dir():
        return checkout / "conf"
    inside = _inside()
    return inside if isinstance(inside, Path) else _unpacked()


def _inside() -> Traversable:
    return resources.files("personalake").joinpath("conf")


@functools.cache
def _unpacked() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="personalake-conf-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _copy(_inside(), folder)
    return folder


def _copy(source: Traversable, target: Path) -> None:
    target.mkdir(exist_ok=True)
    for child in source.iterdir():
        if child.is_dir():
            _copy(child, target / child.name)
        else:
            (target / child.name).write_bytes(child.read_bytes())
