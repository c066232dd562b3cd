"""The Delta jars: which they are, where they lie, and whether they are sound.

The delta-spark wheel holds no jar. The seven below are what its closure adds to those that Spark ships.
"""

from __future__ import annotations

import hashlib
import os
from importlib import resources
from pathlib import Path

from personalake.errors import Fault

DELTA_VERSION = "4.4.0"
DELTA_PACKAGE = f"io.delta:delta-spark_4.2_2.13:{DELTA_VERSION}"
JARS_ENV = "PERSONALAKE_JARS"
COORDINATES = (
    DELTA_PACKAGE,
    f"io.delta:delta-storage:{DELTA_VERSION}",
    f"io.delta:delta-kernel-api:{DELTA_VERSION}",
    f"io.delta:delta-kernel-defaults:{DELTA_VERSION}",
    f"io.delta:delta-kernel-unitycatalog:{DELTA_VERSION}",
    "io.unitycatalog:unitycatalog-client:0.6.0",
    "io.unitycatalog:unitycatalog-hadoop:0.6.0",
)


def jar_folder(setting: str = "") -> Path:
    """The folder of the Delta jars: the setting, else the environment's, else one in the user's cache.

    Args:
        setting: `spark.jars` of the configuration; may be empty.
    """
    named = setting or os.environ.get(JARS_ENV, "")
    if named:
        return Path(named).expanduser().absolute()
    return Path.home() / ".cache" / "personalake" / "jars" / DELTA_VERSION


def recorded_sums() -> dict[str, str]:
    """File name → SHA-256 of each jar, as recorded in the package."""
    text = resources.files("personalake.store").joinpath("jars.sha256").read_text(encoding="ascii")
    pairs = (line.split() for line in text.splitlines() if line.strip())
    return {name: digest for digest, name in pairs}


def jar_paths(folder: Path) -> list[Path]:
    """Where each of the jars is expected, in the order of their names."""
    return [folder / name for name in sorted(recorded_sums())]


def missing_jars(folder: Path) -> list[Fault]:
    """One fault for each jar that is not there or is not the recorded one; reads the files, starts nothing."""
    faults = []
    for name, digest in sorted(recorded_sums().items()):
        path = folder / name
        if not path.is_file():
            faults.append(Fault(str(path), "is missing.", "Run make setup."))
        elif (found := _sha256(path)) != digest:
            faults.append(
                Fault(
                    str(path),
                    f"has the SHA-256 sum {found}, but {digest} is recorded.",
                    "Delete it and run make setup.",
                )
            )
    return faults


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
