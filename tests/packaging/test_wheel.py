"""What `pip install .` brings: the package, its data, the packaged conf, the command."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from personalake.packaged import conf_folder

ROOT = Path(__file__).resolve().parents[2]

# Run in an interpreter that sees only the unpacked wheel, then only a zip of it.
_PROBE = """
import sys
sys.path.insert(0, sys.argv[1])
import personalake.packaged as packaged
from personalake.store.jars import recorded_sums
assert packaged.__file__.startswith(sys.argv[1]), packaged.__file__
print(len(recorded_sums()), (packaged.conf_folder() / "base.yaml").read_text(encoding="utf-8"), end="")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built from a copy of what goes into it, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("lib", "conf", "setup.py", "pyproject.toml", "README.md"):
        if (ROOT / name).exists():
            _copy(ROOT / name, source / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        folder,
        source,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_source_file_and_its_data_are_in_it(names):
    sources = {
        path.relative_to(ROOT / "lib").as_posix()
        for path in (ROOT / "lib" / "personalake").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sources - names == set()


def test_the_packaged_conf_is_in_it(names):
    conf = {
        f"personalake/conf/{path.relative_to(ROOT / 'conf').as_posix()}" for path in (ROOT / "conf").rglob("*.yaml")
    }
    assert conf, "conf/ holds no YAML file"
    assert conf - names == set()


def test_no_tests_or_jobs_are_in_it(names):
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"personalake"}


def test_it_tells_what_it_needs_and_brings_the_command(wheel, names):
    with zipfile.ZipFile(wheel) as archive:
        (told,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        (entries,) = (name for name in names if name.endswith(".dist-info/entry_points.txt"))
        metadata = Parser().parsestr(archive.read(told).decode())
        assert "personalake = personalake.cli:main" in archive.read(entries).decode()
    assert metadata["Name"] == "personalake"
    assert metadata["Requires-Python"] == ">=3.11"
    assert {"pyspark==4.2.0", "delta-spark==4.4.0"} <= set(metadata.get_all("Requires-Dist") or [])
    assert set(metadata.get_all("Provides-Extra") or []) == {"bench", "dev", "fuzzy", "test"}


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_installed_or_zipped_it_finds_its_conf_and_sums(wheel, tmp_path, form):
    place = tmp_path / "unpacked"
    if form == "folder":
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place)
    else:
        place = wheel
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, str(place)], cwd=tmp_path, capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "7 " + (ROOT / "conf" / "base.yaml").read_text(encoding="utf-8")


def test_a_checkout_uses_its_own_conf():
    assert conf_folder() == ROOT / "conf"


def _copy(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
        return
    for path in source.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and not any(p.endswith(".egg-info") for p in path.parts):
            _copy(path, target / path.relative_to(source))
