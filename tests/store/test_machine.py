"""A machine that cannot run Spark and Delta is told so in whole, plain sentences, before any JVM starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from personalake.errors import SetupError
from personalake.store import machine

PAIR_TODO = "Install pyspark 4.2.x with delta-spark 4.4.0."


def _message() -> str:
    with pytest.raises(SetupError) as caught:
        machine.check_machine()
    return str(caught.value)


def _fake_java(folder: Path, version: str) -> None:
    java = folder / "java"
    java.write_text(f"#!/bin/sh\necho '{version}' >&2\n", encoding="utf-8")
    java.chmod(0o755)


@pytest.fixture(autouse=True)
def _unsubmitted(monkeypatch):
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT", raising=False)


def test_this_machine_is_fit():
    machine.check_machine()


def test_no_java(monkeypatch, tmp_path):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _message() == (
        "This machine is not ready (1 fault):\n"
        "  - Java: no java on PATH and JAVA_HOME is not set. "
        "Install Java 17, e.g. apt-get install openjdk-17-jre-headless."
    )


def test_a_java_home_without_java(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert _message() == (
        "This machine is not ready (1 fault):\n"
        f"  - Java: no bin/java in JAVA_HOME ({tmp_path}). "
        "Install Java 17, e.g. apt-get install openjdk-17-jre-headless."
    )


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ('openjdk version "1.8.0_392"', "is version 8."),
        ('openjdk version "11.0.21" 2023-10-17', "is version 11."),
        ("Segmentation fault", "does not tell its version."),
    ],
)
def test_wrong_java(monkeypatch, tmp_path, said, found):
    _fake_java(tmp_path, said)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert _message() == (
        "This machine is not ready (1 fault):\n"
        f"  - Java: {tmp_path}/java {found} Install Java 17 or 21 and point JAVA_HOME at it."
    )


@pytest.mark.parametrize(
    ("text", "major"),
    [
        ('java version "1.8.0_392"', 8),
        ('openjdk version "17" 2021-09-14', 17),
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('openjdk version "21.0.1" 2023-10-17', 21),
        ("no such thing", None),
    ],
)
def test_java_major(text, major):
    assert machine.java_major(text) == major


@pytest.mark.parametrize(
    ("spark", "delta"),
    [("4.3.0", "4.4.0"), ("4.2.0", "4.4.1"), ("3.5.3", "3.2.0"), ("4.1.0", "4.4.0")],
)
def test_a_pair_that_does_not_belong_together(monkeypatch, spark, delta):
    monkeypatch.setattr(machine, "_version", {"pyspark": spark, "delta-spark": delta}.get)
    assert _message() == (
        "This machine is not ready (1 fault):\n"
        f"  - Spark and Delta: pyspark {spark} with delta-spark {delta} is not a supported pair. {PAIR_TODO}"
    )


def test_a_later_spark_of_the_same_line_is_welcome(monkeypatch):
    monkeypatch.setattr(machine, "_version", {"pyspark": "4.2.1", "delta-spark": "4.4.0"}.get)
    machine.check_machine()


def test_no_delta_at_all(monkeypatch):
    monkeypatch.setattr(machine, "_version", {"pyspark": "4.2.0"}.get)
    monkeypatch.setattr(machine.importlib.util, "find_spec", lambda name: None if name == "delta" else object())
    assert _message() == (
        "This machine is not ready (1 fault):\n"
        f"  - Spark and Delta: the Python package delta is not installed. {PAIR_TODO}"
    )


@pytest.mark.parametrize(("found", "is_fit"), [("4.0.2", True), ("4.1.0", True), ("3.5.3", False)])
def test_a_platform_that_brings_its_own_delta(monkeypatch, found, is_fit):
    monkeypatch.setattr(machine, "_version", lambda _: None)
    monkeypatch.setattr(machine, "_imported_version", lambda: found)
    if is_fit:
        machine.check_machine()
    else:
        assert _message().endswith(f"this platform's Spark is {found}. Use one with Spark 4.0 or later.")


def test_an_old_python_and_everything_else_at_once(monkeypatch, tmp_path):
    monkeypatch.setattr(machine.sys, "version_info", (3, 10, 4, "final", 0))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(machine, "_version", {"pyspark": "4.3.0", "delta-spark": "4.4.1"}.get)
    assert _message() == (
        "This machine is not ready (3 faults):\n"
        "  - Python: 3.10.4 is too old. Use Python 3.11 or later.\n"
        "  - Java: no java on PATH and JAVA_HOME is not set. "
        "Install Java 17, e.g. apt-get install openjdk-17-jre-headless.\n"
        f"  - Spark and Delta: pyspark 4.3.0 with delta-spark 4.4.1 is not a supported pair. {PAIR_TODO}"
    )
