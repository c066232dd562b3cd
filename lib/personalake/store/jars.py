"""The Delta jars and the optional ones: which they are, where they lie, and whether they are sound.

The delta-spark wheel holds no jar. The seven below are what its closure adds to those that Spark ships; so are the
extras, which only sources of their kind need.
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
# Optional jars by name; the first of each is the package that `spark.jars.packages` wants on a cluster.
EXTRAS = {
    "kafka": (
        "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0",
        "org.apache.spark:spark-token-provider-kafka-0-10_2.13:4.2.0",
        "org.apache.kafka:kafka-clients:3.9.2",
        "org.apache.commons:commons-pool2:2.13.1",
    ),
    "postgresql": ("org.postgresql:postgresql:42.7.8",),
}
# A class that each of them brings.
EXTRA_CLASSES = {
    "kafka": "org.apache.spark.sql.kafka010.KafkaSourceProvider",
    "postgresql": "org.postgresql.Driver",
}


def jar_folder(setting: str = "", extra: str = "") -> Path:
    """The folder of the Delta jars: the setting, else the environment's, else one in the user's cache.

    Args:
        setting: `spark.jars` of the configuration; may be empty.
        extra: the optional jars of this name instead, which lie in a folder beside it.
    """
    named = setting or os.environ.get(JARS_ENV, "")
    cached = Path.home() / ".cache" / "personalake" / "jars" / DELTA_VERSION
    folder = Path(named).expanduser().absolute() if named else cached
    return folder.with_name(f"{folder.name}-{extra}") if extra else folder


def fetch_command(extra: str = "") -> str:
    """What to do where jars are missing."""
    if not extra:
        return "Run make setup."
    command = f"Run `python -m personalake.store.fetch {extra}`"
    return f"{command}; on a cluster: --packages {EXTRAS[extra][0]}."


def recorded_sums(extra: str = "") -> dict[str, str]:
    """File name → SHA-256 of each jar, as recorded in the package."""
    name = f"jars-{extra}.sha256" if extra else "jars.sha256"
    text = resources.files("personalake.store").joinpath(name).read_text(encoding="ascii")
    pairs = (line.split() for line in text.splitlines() if line.strip())
    return {name: digest for digest, name in pairs}


def jar_paths(folder: Path, extra: str = "") -> list[Path]:
    """Where each of the jars is expected, in the order of their names."""
    return [folder / name for name in sorted(recorded_sums(extra))]


def missing_jars(folder: Path, extra: str = "") -> list[Fault]:
    """One fault for each jar that is not there or is not the recorded one; reads the files, starts nothing."""
    faults = []
    for name, digest in sorted(recorded_sums(extra).items()):
        path = folder / name
        if not path.is_file():
            faults.append(Fault(str(path), "is missing.", fetch_command(extra)))
        elif (found := _sha256(path)) != digest:
            faults.append(
                Fault(
                    str(path),
                    f"has the SHA-256 sum {found}, but {digest} is recorded.",
                    f"Delete it. {fetch_command(extra)}" if extra else "Delete it and run make setup.",
                )
            )
    return faults


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
