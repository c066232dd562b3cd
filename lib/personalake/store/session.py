"""One way to open a Spark session: complete in local mode, modest where spark-submit or a platform has decided."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pyspark import SparkConf, SparkContext
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from personalake.errors import Fault, SetupError
from personalake.settings import Spark
from personalake.store.jars import DELTA_PACKAGE, EXTRA_CLASSES, jar_folder, jar_paths, missing_jars
from personalake.store.machine import check_machine, is_submitted

DELTA_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
_EXTENSIONS, _CATALOG = "spark.sql.extensions", "spark.sql.catalog.spark_catalog"
_JAVA_OPTIONS = "spark.driver.extraJavaOptions"

# Java loggers that quote the record on which a task failed.
_QUOTING = (
    "org.apache.spark.executor.Executor",
    "org.apache.spark.scheduler.DAGScheduler",
    "org.apache.spark.scheduler.TaskSetManager",
    "org.apache.spark.sql.execution.datasources",
    "org.apache.spark.util.Utils",
)
# What every result rests on, wherever the session runs.
ALWAYS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.sources.partitionOverwriteMode": "static",
}
PLANS = {
    # Where rows lie in the order of an aggregate's key they are added up as they come, with no hash map of wide rows.
    "spark.sql.execution.replaceHashWithSortAgg": "true",
    # A stage of portraits is made of some hundred generated classes. Of Spark's own 100 none would still be there when
    # the next task asks for it, so each task would compile all of them once more.
    "spark.sql.codegen.cache.maxEntries": "1000",
}
# What makes small tables on one machine quick and keeps the machine closed to its neighbours.
LOCAL = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
    "spark.executorEnv.TZ": "UTC",
}


def open_session(settings: Spark, app: str = "personalake", warehouse_root: str = "") -> SparkSession:
    """The session of this process: the running one where there is one (set to UTC and ANSI), else a new one.

    Master and memory are set only where no spark-submit did. In local mode the worker Python is this interpreter and
    the zone of this process becomes UTC, so that timestamps that Spark hands to Python are UTC too.

    Args:
        settings: the section `spark`.
        app: the name that Spark's own pages show.
        warehouse_root: local mode: where tables without a path go; empty: Spark's default.

    Returns:
        A session in UTC, with ANSI on and Delta at hand.

    Raises:
        SetupError: the machine is not fit, or the Delta jars are missing or wrong.

    Cost:
        Starts a JVM where none runs: 4 to 9 s on two cores.
    """
    check_machine()
    running = SparkSession.getActiveSession()
    if running is not None:
        for name, value in ALWAYS.items():
            running.conf.set(name, value)
        _silence_quoted_values()
        return running
    conf = _submitted_conf(settings) if is_submitted() else _own_conf(settings, warehouse_root)
    if conf.get("spark.master", "").startswith("local"):
        _settle_process()
    builder = SparkSession.builder.config(conf=conf)
    if not conf.contains("spark.app.name"):
        builder = builder.appName(app)
    spark = builder.getOrCreate()
    _silence_quoted_values()
    return spark


def is_local(spark: SparkSession) -> bool:
    """Whether driver and executors are one process on this machine."""
    return str(spark.conf.get("spark.master", "")).startswith("local")


def _own_conf(settings: Spark, warehouse_root: str) -> SparkConf:
    conf = SparkConf(loadDefaults=False)
    master = settings.master or "local[*]"
    wanted = PLANS | ALWAYS | {"spark.master": master, "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower()}
    # Long lineages are serialised recursively: the default stack of a small JVM overflows on them. And Java never
    # compiles a method of more than 8,000 bytes by itself; that of a wide aggregate is longer, and runs hottest.
    options = ["-Duser.timezone=UTC", "-Xss4m", "-XX:-DontCompileHugeMethods"]
    if master.startswith("local"):
        wanted |= LOCAL | {
            "spark.driver.memory": settings.driver_memory,
            "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        }
        if warehouse_root:
            wanted["spark.sql.warehouse.dir"] = str(_as_uri(warehouse_root))
        options.append(f"-Dlog4j2.configurationFile={_log_settings().as_uri()}")
    wanted |= settings.conf
    if "spark.jars.packages" not in wanted:
        wanted["spark.jars"] = ",".join(
            filter(None, (wanted.get("spark.jars", ""), *_sound_jars(settings, ("", *settings.extras))))
        )
    wanted[_JAVA_OPTIONS] = " ".join(filter(None, (*options, settings.conf.get(_JAVA_OPTIONS, ""))))
    conf.setAll(list(_with_delta(wanted).items()))
    return conf


def _submitted_conf(settings: Spark) -> SparkConf:
    """What the submit said, and what it left open; the JVM runs already, so master and memory are beyond reach."""
    SparkContext._ensure_initialized()
    conf = SparkConf(loadDefaults=True)
    said = dict(conf.getAll())
    is_on_one_machine = said.get("spark.master", "").startswith("local")
    local = LOCAL | {"spark.log.level": "ERROR"} if is_on_one_machine else {}
    wanted = PLANS | ALWAYS | local | settings.conf | said
    missing = [] if is_loadable(DELTA_EXTENSION) else [""]
    missing += [extra for extra in settings.extras if not is_loadable(EXTRA_CLASSES[extra])]
    if missing:
        jars = _sound_jars(settings, missing)
        _put_on_class_path(jars)
        wanted["spark.jars"] = ",".join(filter(None, (said.get("spark.jars", ""), *jars)))
    conf.setAll(list(_with_delta(wanted).items()))
    return conf


def _with_delta(wanted: dict[str, str]) -> dict[str, str]:
    extensions = [name for name in wanted.get(_EXTENSIONS, "").split(",") if name]
    if DELTA_EXTENSION not in extensions:
        extensions.append(DELTA_EXTENSION)
    return {_CATALOG: DELTA_CATALOG} | wanted | {_EXTENSIONS: ",".join(extensions)}


def _sound_jars(settings: Spark, extras: Sequence[str]) -> list[str]:
    """Delta's jars (the empty name) and optional ones, each as recorded."""
    folders = {extra: jar_folder(settings.jars, extra) for extra in extras}
    faults = [fault for extra, folder in folders.items() for fault in missing_jars(folder, extra)]
    if faults:
        hint = Fault("Delta", "is not on Spark's class path.", f"On a cluster: --packages {DELTA_PACKAGE}.")
        raise SetupError(*faults, *([hint] if is_submitted() and "" in extras else []))
    return [path.as_uri() for extra, folder in folders.items() for path in jar_paths(folder, extra)]


def _loader() -> Any:
    jvm: Any = SparkContext._jvm
    return jvm.java.lang.Thread.currentThread().getContextClassLoader()


def is_loadable(name: str) -> bool:
    """Whether the JVM of this process finds a class."""
    return _loader().getResource(name.replace(".", "/") + ".class") is not None


def _put_on_class_path(jars: list[str]) -> None:
    """The driver's JVM was started without Delta: its class loader takes the jars, executors get them by spark.jars."""
    jvm: Any = SparkContext._jvm
    for jar in jars:
        _loader().addURL(jvm.java.net.URI(jar).toURL())


def _settle_process() -> None:
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ["TZ"] = "UTC"
    time.tzset()


def _silence_quoted_values() -> None:
    """Spark logs each failed task and expression with the value it failed on; the raised error is told, the log not."""
    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True
    jvm: Any = SparkContext._jvm
    if jvm is not None:
        log4j = jvm.org.apache.logging.log4j
        for name in _QUOTING:
            log4j.core.config.Configurator.setLevel(name, log4j.Level.OFF)


def _log_settings() -> Path:
    return Path(str(resources.files("personalake.store").joinpath("log4j2.properties")))


def _as_uri(root: str) -> str:
    return root if "://" in root else Path(root).expanduser().absolute().as_uri()
