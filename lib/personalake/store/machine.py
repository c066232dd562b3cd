"""Is this machine fit to run: Python, Java, and a pair of Spark and Delta that belong together."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from personalake.errors import Fault, SetupError
from personalake.store.jars import DELTA_VERSION

OLDEST_PYTHON = (3, 11)
OLDEST_JAVA = 17
SPARK_LINE = "4.2"
OLDEST_PLATFORM_SPARK = (4, 0)
_GATEWAY = "PYSPARK_GATEWAY_PORT"


def is_submitted() -> bool:
    """Whether spark-submit (or a notebook) started the JVM that this Python belongs to."""
    return _GATEWAY in os.environ


def check_machine() -> None:
    """Refuse a machine on which Spark or Delta would fail later and less plainly; costs one `java -version`.

    Raises:
        SetupError: every fault at once: Python, Java, the pair of pyspark and delta-spark.
    """
    faults = [fault for fault in (_python_fault(), _java_fault(), _pair_fault()) if fault]
    if faults:
        raise SetupError(*faults)


def check_java() -> None:
    """The part of `check_machine` that needs nothing installed, for set-up.

    Raises:
        SetupError: no Java, or one before 17.
    """
    if fault := _java_fault():
        raise SetupError(fault)


def find_java() -> str:
    """The java that Spark would start: of JAVA_HOME, else of PATH.

    Raises:
        SetupError: there is none.
    """
    home = os.environ.get("JAVA_HOME", "")
    found = shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java")
    if found is None:
        where = f"no bin/java in JAVA_HOME ({home})" if home else "no java on PATH and JAVA_HOME is not set"
        raise SetupError(Fault("Java", f"{where}.", "Install Java 17, e.g. apt-get install openjdk-17-jre-headless."))
    return found


def java_major(version_text: str) -> int | None:
    """The major version in what `java -version` prints (`1.8.0_392` is 8), or None where there is none."""
    match = re.search(r'version "(\d+)(?:\.(\d+))?', version_text)
    if not match:
        return None
    first, second = int(match[1]), int(match[2] or 0)
    return second if first == 1 else first


def _python_fault() -> Fault | None:
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return None
    found = ".".join(str(part) for part in sys.version_info[:3])
    return Fault("Python", f"{found} is too old.", "Use Python 3.11 or later.")


def _java_fault() -> Fault | None:
    if is_submitted():
        return None
    try:
        java = find_java()
    except SetupError as error:
        return error.faults[0] if isinstance(error.faults[0], Fault) else Fault("Java", str(error.faults[0]))
    todo = "Install Java 17 or 21 and point JAVA_HOME at it."
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
    except (OSError, subprocess.TimeoutExpired):
        return Fault("Java", f"{java} cannot be run.", todo)
    major = java_major(said)
    if major is None:
        return Fault("Java", f"{java} does not tell its version.", todo)
    return Fault("Java", f"{java} is version {major}.", todo) if major < OLDEST_JAVA else None


def _pair_fault() -> Fault | None:
    spark, delta = _version("pyspark"), _version("delta-spark")
    allowed = f"Install pyspark {SPARK_LINE}.x with delta-spark {DELTA_VERSION}."
    if spark is None or delta is None:
        return _platform_fault(spark, allowed)
    if spark.rpartition(".")[0] == SPARK_LINE and delta == DELTA_VERSION:
        return None
    return Fault("Spark and Delta", f"pyspark {spark} with delta-spark {delta} is not a supported pair.", allowed)


def _platform_fault(spark: str | None, allowed: str) -> Fault | None:
    """Platforms such as Databricks and EMR bring both, not always as distributions; then Spark 4 is enough."""
    for module in ("pyspark", "delta"):
        if importlib.util.find_spec(module) is None:
            return Fault("Spark and Delta", f"the Python package {module} is not installed.", allowed)
    found = spark or _imported_version()
    if tuple(int(part) for part in re.findall(r"\d+", found)[:2]) >= OLDEST_PLATFORM_SPARK:
        return None
    return Fault("Spark and Delta", f"this platform's Spark is {found}.", "Use one with Spark 4.0 or later.")


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _imported_version() -> str:
    import pyspark

    return str(pyspark.__version__)


if __name__ == "__main__":
    try:
        check_java()
    except SetupError as error:
        sys.exit(str(error))
