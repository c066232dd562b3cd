"""Fetches the Delta jars at set-up: once, by the Ivy that is among Spark's own jars, checked against recorded sums.

`python -m personalake.store.fetch` is what set-up calls; it needs Java and, the first time, a network. With names it
fetches optional jars instead: `python -m personalake.store.fetch kafka postgresql`.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from xml.sax.saxutils import quoteattr

from personalake.errors import Fault, SetupError, near_miss
from personalake.store.jars import COORDINATES, DELTA_VERSION, EXTRAS, JARS_ENV, jar_folder, missing_jars
from personalake.store.machine import find_java

REPOSITORY_ENV = "PERSONALAKE_MAVEN"
MAVEN_CENTRAL = "https://repo1.maven.org/maven2/"

_FETCH_SECONDS = 600
_NO_SPACE = "no space left on device"


def fetch_jars(folder: Path, extra: str = "") -> None:
    """Fill the folder, all or nothing; where all is there and sound, neither network nor Java is touched.

    Args:
        folder: is replaced by a complete one in a single rename; what else lay there is lost only if it is empty
            or holds jars.
        extra: the optional jars of this name in place of Delta's.

    Raises:
        SetupError: no Java, no network, no space, or a jar that is not the recorded one.
    """
    if not missing_jars(folder, extra):
        return
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".jars-", dir=folder.parent) as scratch:
            fetched = Path(scratch) / "jars"
            _resolve(Path(scratch), fetched, extra)
            if faults := missing_jars(fetched, extra):
                raise SetupError(*(_not_as_recorded(fault, fetched) for fault in faults))
            _swap(fetched, folder)
    except OSError as error:
        raise SetupError(_disk_fault(folder, error)) from error


def main(arguments: Sequence[str] = ()) -> int:
    """Fetch the jars into the folders that the environment names, saying in one line each what happened.

    Args:
        arguments: names of optional jars; none: Delta's.
    """
    try:
        if unknown := [name for name in arguments if name not in EXTRAS]:
            raise SetupError(*(Fault(name, "names no optional jars.", near_miss(name, EXTRAS)) for name in unknown))
        for extra in arguments or ("",):
            _fetch_told(extra)
    except SetupError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _fetch_told(extra: str) -> None:
    folder = jar_folder(extra=extra)
    fresh = bool(missing_jars(folder, extra))
    if fresh:
        print(f"Fetching the {_title(extra)} jars into {folder}", flush=True)
    fetch_jars(folder, extra)
    print(f"{extra or 'Delta'} jars: {'fetched and checked' if fresh else 'present and sound'}")


def _title(extra: str) -> str:
    return extra or f"Delta {DELTA_VERSION}"


def _repository() -> str:
    return os.environ.get(REPOSITORY_ENV, "") or MAVEN_CENTRAL


def _repository_shown() -> str:
    """The repository without the name and password that its address may carry."""
    parts = urlsplit(_repository())
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _resolve(scratch: Path, target: Path, extra: str = "") -> None:
    java = find_java()
    module, settings = scratch / "ivy.xml", scratch / "ivysettings.xml"
    module.write_text(_ivy_module(EXTRAS[extra] if extra else COORDINATES), encoding="utf-8")
    settings.write_text(_ivy_settings(_repository()), encoding="utf-8")
    command = [java, f"-Djava.io.tmpdir={scratch}", "-Djava.net.useSystemProxies=true", "-jar", str(_ivy_jar())]
    command += ["-warn", "-settings", str(settings), "-ivy", str(module), "-cache", str(scratch / "cache")]
    command += ["-types", "jar", "-confs", "default", "-retrieve", f"{target}/[artifact]-[revision].[ext]"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise SetupError(_network_fault(extra, f"no end after {_FETCH_SECONDS} s")) from error
    said = done.stdout + done.stderr
    if _NO_SPACE in said.lower():
        raise SetupError(_space_fault(target.parent.parent))
    if done.returncode != 0 or not target.is_dir():
        raise SetupError(_network_fault(extra, _first_reason(said).replace(_repository(), _repository_shown())))


def _ivy_jar() -> Path:
    spec = importlib.util.find_spec("pyspark")
    home = os.environ.get("SPARK_HOME") or (str(Path(spec.origin).parent) if spec and spec.origin else "")
    jars = sorted((Path(home) / "jars").glob("ivy-*.jar")) if home else []
    if not jars:
        raise SetupError(Fault("pyspark", "no Ivy among its jars.", "Install the locked dependencies: make setup."))
    return jars[-1]


def _ivy_module(coordinates: Sequence[str]) -> str:
    rows = "".join(
        '<dependency org="{}" name="{}" rev="{}" transitive="false"/>'.format(*coordinate.split(":"))
        for coordinate in coordinates
    )
    head = '<ivy-module version="2.0"><info organisation="personalake" module="jars"/>'
    return f"{head}<dependencies>{rows}</dependencies></ivy-module>"


def _ivy_settings(repository: str) -> str:
    return (
        '<ivysettings><settings defaultResolver="maven"/><resolvers>'
        f'<ibiblio name="maven" m2compatible="true" root={quoteattr(repository)}/>'
        "</resolvers></ivysettings>"
    )


def _swap(fetched: Path, folder: Path) -> None:
    if folder.exists():
        strangers = sorted(path.name for path in folder.iterdir() if path.suffix != ".jar")
        if strangers:
            raise SetupError(
                Fault(str(folder), f"holds {strangers[0]}, which is no jar.", f"Name another folder in {JARS_ENV}.")
            )
        shutil.rmtree(folder)
    fetched.rename(folder)


def _first_reason(said: str) -> str:
    marks = ("unknownhost", "host ", "connection", "timed out", "ssl", "pkix", "unresolved", "not found", "exception")
    lines = [line.strip(" :\t") for line in said.splitlines()]
    for mark in marks:
        for line in lines:
            if mark in line.lower():
                return line[:200]
    return "Ivy gave no reason"


def _network_fault(extra: str, reason: str) -> Fault:
    return Fault(
        _repository_shown(),
        f"the {_title(extra)} jars could not be fetched ({reason}).",
        f"The first set-up needs the network: connect and try again, name a mirror in {REPOSITORY_ENV}, "
        f"or copy the jars from another machine and name their folder in {JARS_ENV}.",
    )


def _not_as_recorded(fault: Fault, fetched: Path) -> Fault:
    name = Path(fault.where).name
    return Fault(
        f"{_repository_shown()} {name}",
        fault.found if (fetched / name).exists() else "was not delivered.",
        "It was not installed; use another repository.",
    )


def _disk_fault(folder: Path, error: OSError) -> Fault:
    if _NO_SPACE in str(error).lower():
        return _space_fault(folder.parent)
    return Fault(str(folder), f"cannot be written ({error.strerror}).", f"Name another folder in {JARS_ENV}.")


def _space_fault(folder: Path) -> Fault:
    return Fault(str(folder), "the disk is full.", f"Free 50 MB and try again, or name another folder in {JARS_ENV}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
