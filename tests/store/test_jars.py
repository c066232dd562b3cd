"""The Delta jars: what is said when they are missing, wrong or cannot be fetched."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from personalake.errors import SetupError
from personalake.store import fetch, jars

ALL_NAMES = sorted(jars.recorded_sums())
BROKEN = hashlib.sha256(b"broken").hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the jars that set-up put where tests look for them."""
    copy = tmp_path / "jars"
    shutil.copytree(jars.jar_folder(), copy)
    return copy


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without Java: whoever starts it fails."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_there_are_seven_and_each_has_its_coordinate():
    files = sorted("{1}-{2}.jar".format(*coordinate.split(":")) for coordinate in jars.COORDINATES)
    assert files == ALL_NAMES
    assert len(ALL_NAMES) == 7


@pytest.mark.parametrize("extra", jars.EXTRAS)
def test_each_optional_jar_has_its_coordinate_its_sum_and_a_class(extra: str):
    files = sorted("{1}-{2}.jar".format(*coordinate.split(":")) for coordinate in jars.EXTRAS[extra])
    assert files == sorted(jars.recorded_sums(extra))
    assert extra in jars.EXTRA_CLASSES


def test_optional_jars_lie_beside_the_others(monkeypatch):
    monkeypatch.setenv(jars.JARS_ENV, "/b/jars")
    assert jars.jar_folder("", "kafka") == Path("/b/jars-kafka")


@pytest.mark.parametrize(
    ("setting", "environment", "expected"),
    [
        ("/a/jars", "/b/jars", "/a/jars"),
        ("", "/b/jars", "/b/jars"),
        ("", "", "/home/someone/.cache/personalake/jars/4.4.0"),
    ],
)
def test_folder_setting_then_environment_then_cache(monkeypatch, setting, environment, expected):
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv(jars.JARS_ENV, environment)
    assert jars.jar_folder(setting) == Path(expected)


def test_sound_jars_have_no_fault_and_need_neither_java_nor_network(folder, no_java):
    assert jars.missing_jars(folder) == []
    fetch.fetch_jars(folder)


def test_a_missing_and_a_wrong_jar_are_told_at_once(folder):
    (folder / ALL_NAMES[0]).unlink()
    (folder / ALL_NAMES[1]).write_bytes(b"not a jar")
    wrong = hashlib.sha256(b"not a jar").hexdigest()
    assert str(SetupError(*jars.missing_jars(folder))) == (
        "This machine is not ready (2 faults):\n"
        f"  - {folder}/{ALL_NAMES[0]}: is missing. Run make setup.\n"
        f"  - {folder}/{ALL_NAMES[1]}: has the SHA-256 sum {wrong}, but {jars.recorded_sums()[ALL_NAMES[1]]} "
        "is recorded. Delete it and run make setup."
    )


def test_fetching_without_java_says_what_to_install(tmp_path, no_java):
    with pytest.raises(SetupError) as caught:
        fetch.fetch_jars(tmp_path / "jars")
    assert str(caught.value) == (
        "This machine is not ready (1 fault):\n"
        "  - Java: no java on PATH and JAVA_HOME is not set. "
        "Install Java 17, e.g. apt-get install openjdk-17-jre-headless."
    )
    assert list(tmp_path.iterdir()) == []


def test_fetching_without_a_network_says_so_and_hides_the_password(tmp_path, monkeypatch):
    monkeypatch.setenv(fetch.REPOSITORY_ENV, "http://me:secret@127.0.0.1:9/maven/")
    with pytest.raises(SetupError) as caught:
        fetch.fetch_jars(tmp_path / "jars")
    said = str(caught.value)
    assert said.startswith(
        "This machine is not ready (1 fault):\n"
        "  - http://127.0.0.1:9/maven/: the Delta 4.4.0 jars could not be fetched ("
    )
    assert "Connection refused" in said
    assert said.endswith(
        "The first set-up needs the network: connect and try again, name a mirror in PERSONALAKE_MAVEN, "
        "or copy the jars from another machine and name their folder in PERSONALAKE_JARS."
    )
    assert "secret" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_repository_with_another_jar_is_refused_and_nothing_is_installed(tmp_path, monkeypatch):
    repository = _repository(tmp_path / "maven", broken="delta-storage")
    monkeypatch.setenv(fetch.REPOSITORY_ENV, repository.as_uri() + "/")
    with pytest.raises(SetupError) as caught:
        fetch.fetch_jars(tmp_path / "installed" / "jars")
    wrong, right = hashlib.sha256(b"broken").hexdigest(), jars.recorded_sums()["delta-storage-4.4.0.jar"]
    assert str(caught.value) == (
        "This machine is not ready (1 fault):\n"
        f"  - {repository.as_uri()}/ delta-storage-4.4.0.jar: has the SHA-256 sum {wrong}, but {right} is recorded. "
        "It was not installed; use another repository."
    )
    assert list((tmp_path / "installed").iterdir()) == []


def test_a_broken_folder_is_replaced_by_a_sound_one(tmp_path, monkeypatch, folder):
    monkeypatch.setenv(fetch.REPOSITORY_ENV, _repository(tmp_path / "maven").as_uri() + "/")
    (folder / ALL_NAMES[2]).write_bytes(b"cut")
    fetch.fetch_jars(folder)
    assert jars.missing_jars(folder) == []
    assert sorted(path.name for path in folder.iterdir()) == ALL_NAMES


def test_a_folder_with_other_files_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv(fetch.REPOSITORY_ENV, _repository(tmp_path / "maven").as_uri() + "/")
    home = tmp_path / "home"
    home.mkdir()
    (home / "diary.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(SetupError, match=r"holds diary\.txt, which is no jar\. Name another folder"):
        fetch.fetch_jars(home)
    assert (home / "diary.txt").read_text(encoding="utf-8") == "mine"


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch, "_resolve", full)
    with pytest.raises(SetupError) as caught:
        fetch.fetch_jars(tmp_path / "jars")
    assert str(caught.value) == (
        "This machine is not ready (1 fault):\n"
        f"  - {tmp_path}: the disk is full. Free 50 MB and try again, or name another folder in PERSONALAKE_JARS."
    )


def test_optional_jars_that_are_missing_name_the_command_that_fetches_them(tmp_path):
    assert [str(fault) for fault in jars.missing_jars(tmp_path, "postgresql")] == [
        f"{tmp_path}/postgresql-42.7.8.jar: is missing. Run `python -m personalake.store.fetch postgresql`; on a "
        "cluster: --packages org.postgresql:postgresql:42.7.8."
    ]


def test_optional_jars_are_fetched_by_name_and_checked(tmp_path, monkeypatch, capsys):
    place = tmp_path / "maven" / "org/postgresql/postgresql/42.7.8"
    place.mkdir(parents=True)
    place.joinpath("postgresql-42.7.8.pom").write_text(_pom("org.postgresql", "postgresql", "42.7.8"))
    place.joinpath("postgresql-42.7.8.jar").write_bytes(b"broken")
    monkeypatch.setenv(fetch.REPOSITORY_ENV, (tmp_path / "maven").as_uri() + "/")
    monkeypatch.setenv(jars.JARS_ENV, str(tmp_path / "jars"))
    assert fetch.main(["postgresql"]) == SetupError.exit_code
    said = capsys.readouterr()
    assert said.out == f"Fetching the postgresql jars into {tmp_path}/jars-postgresql\n"
    assert "postgresql-42.7.8.jar: has the SHA-256 sum " in said.err
    monkeypatch.setattr(jars, "recorded_sums", lambda extra="": {"postgresql-42.7.8.jar": BROKEN})
    assert fetch.main(["postgresql"]) == 0
    assert capsys.readouterr().out.endswith("postgresql jars: fetched and checked\n")
    assert fetch.main(["postgresql"]) == 0
    assert capsys.readouterr().out == "postgresql jars: present and sound\n"


def test_a_name_that_is_none_of_the_optional_jars_is_told(capsys):
    assert fetch.main(["postgres"]) == SetupError.exit_code
    assert "postgres: names no optional jars. Did you mean postgresql?" in capsys.readouterr().err


def _pom(group: str, name: str, version: str) -> str:
    return (
        "<project><modelVersion>4.0.0</modelVersion>"
        f"<groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></project>"
    )


def _repository(root: Path, broken: str = "") -> Path:
    """A Maven repository in a folder, filled from the jars that are here."""
    for coordinate in jars.COORDINATES:
        group, name, version = coordinate.split(":")
        place = root.joinpath(*group.split("."), name, version)
        place.mkdir(parents=True)
        stem = f"{name}-{version}"
        place.joinpath(f"{stem}.pom").write_text(_pom(group, name, version), encoding="utf-8")
        if name == broken:
            place.joinpath(f"{stem}.jar").write_bytes(b"broken")
        else:
            shutil.copy(jars.jar_folder() / f"{stem}.jar", place)
    return root
