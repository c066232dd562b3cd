"""A real standalone cluster from the pip wheel: a master and two workers with folders of their own, loopback only."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyspark

from support.command import INTERPRETED, Ended, environment

SPARK_HOME = Path(pyspark.__file__).parent


@contextmanager
def standalone_cluster(folder: Path, workers: int = 2, cores: int = 1, memory: str = "1500m") -> Iterator[str]:
    """Start the cluster, give its URL, and stop it whatever happens.

    Args:
        folder: where logs and the workers' own folders go.
        workers: how many.
        cores: of each worker.
        memory: of each worker.
    """
    folder.mkdir(parents=True)
    port = _free_port()
    url = f"spark://127.0.0.1:{port}"
    processes = []
    try:
        master = ["master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(_free_port())]
        processes.append(_start(folder, "master", master))
        _wait_for(folder / "master.log", r"New state: ALIVE", 60)
        for number in range(workers):
            own = folder / f"worker-{number}"
            own.mkdir(parents=True)
            arguments = ["--host", "127.0.0.1", "--webui-port", str(_free_port()), "-c", str(cores), "-m", memory]
            processes.append(_start(folder, own.name, ["worker.Worker", *arguments, "-d", str(own), url]))
        for number in range(workers):
            _wait_for(folder / f"worker-{number}.log", r"Successfully registered with master", 60)
        yield url
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def submit(url: str, script: Path, *arguments: str, timeout: int = 1200, **more: str) -> Ended:
    """spark-submit a job to the cluster, and wait for its end."""
    command = [str(SPARK_HOME / "bin" / "spark-submit"), "--master", url, "--driver-memory", "1500m"]
    command += [
        "--executor-memory",
        "1g",
        "--conf",
        "spark.sql.shuffle.partitions=4",
        "--conf",
        "spark.ui.enabled=false",
    ]
    command += ["--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1"]
    command += [word for name, value in INTERPRETED.items() for word in ("--conf", f"{name}={value}")]
    done = subprocess.run(
        [*command, str(script), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=_environment(**more),
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def _start(folder: Path, name: str, command: list[str]) -> subprocess.Popen[bytes]:
    log = (folder / f"{name}.log").open("wb")
    whole = [str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{command[0]}", *command[1:]]
    return subprocess.Popen(whole, stdout=log, stderr=subprocess.STDOUT, env=_environment())


def _environment(**more: str) -> dict[str, str]:
    return environment(
        SPARK_HOME=str(SPARK_HOME),
        SPARK_LOCAL_IP="127.0.0.1",
        PYSPARK_PYTHON=sys.executable,
        PYSPARK_DRIVER_PYTHON=sys.executable,
        SPARK_MASTER_OPTS="-Dspark.master.rest.enabled=false",
        SPARK_DAEMON_MEMORY="256m",
        TZ="UTC",
        **more,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(log: Path, pattern: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not (log.exists() and re.search(pattern, log.read_text(errors="replace"))):
        if time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else "no log"
            raise AssertionError(f"{log.name} did not say {pattern!r} in {seconds:.0f} s:\n{tail}")
        time.sleep(0.2)
