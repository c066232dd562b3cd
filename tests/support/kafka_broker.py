"""A Kafka broker of the tests' own: one node, from Maven's jars, which are fetched once into the user's cache."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark
import pytest

VERSION = "4.1.0"
_MODULE = f"""<ivy-module version="2.0"><info organisation="personalake" module="broker"/>
<configurations><conf name="default"/></configurations>
<dependencies><dependency org="org.apache.kafka" name="kafka_2.13" rev="{VERSION}" conf="default->runtime,master"/>
</dependencies></ivy-module>"""
_SETTINGS = """<ivysettings><settings defaultResolver="maven"/><resolvers>
<ibiblio name="maven" m2compatible="true" root="https://repo1.maven.org/maven2/"/></resolvers></ivysettings>"""
_PROPERTIES = """process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
controller.listener.names=CONTROLLER
log.dirs={folder}/logs
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
auto.create.topics.enable=false
"""


@contextmanager
def kafka_broker() -> Iterator[str]:
    """Start a broker, give its host:port, and stop it whatever happens; skip where its jars cannot be had."""
    jars = _jars()
    folder = Path(tempfile.mkdtemp(prefix="personalake-kafka-"))
    port, controller = _free_port(), _free_port()
    properties = folder / "server.properties"
    properties.write_text(_PROPERTIES.format(port=port, controller=controller, folder=folder))
    java = ["java", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
    format_it = ["kafka.tools.StorageTool", "format", "--standalone", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c"]
    done = subprocess.run([*java, *format_it, str(properties)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()[-2000:]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*java, "kafka.Kafka", str(properties)], stdout=log, stderr=log)
    try:
        _wait_for(port, process, folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _jars() -> Path:
    """The folder of the broker's jars."""
    folder = Path.home() / ".cache" / "personalake" / "test-jars" / f"kafka-{VERSION}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        scratch = Path(name)
        (scratch / "ivy.xml").write_text(_MODULE)
        (scratch / "settings.xml").write_text(_SETTINGS)
        ivy = str(next((Path(pyspark.__file__).parent / "jars").glob("ivy-*.jar")))
        command = ["java", "-Djava.net.useSystemProxies=true", "-jar", ivy, "-warn"]
        command += ["-settings", f"{scratch}/settings.xml", "-ivy", f"{scratch}/ivy.xml", "-cache", f"{scratch}/cache"]
        command += ["-types", "jar", "bundle", "-confs", "default"]
        command += ["-retrieve", f"{scratch}/jars/[artifact]-[revision].[ext]"]
        done = subprocess.run(command, capture_output=True, timeout=600, check=False)
        if done.returncode != 0:
            pytest.skip(f"the jars of a Kafka broker {VERSION} cannot be fetched from Maven Central")
        if not folder.exists():
            (scratch / "jars").rename(folder)
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"the broker did not come up:\n{log.read_text(errors='replace')[-2000:]}")
