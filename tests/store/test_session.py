"""The session is in UTC, strict, closed to the network, and has Delta; under spark-submit it decides less."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest
from pyspark.sql import SparkSession

from personalake.errors import SetupError
from personalake.settings import Spark
from personalake.store import session as sessions
from personalake.store.jars import jar_folder, recorded_sums

LIB = Path(sessions.__file__).resolve().parents[2]

# What a job sees, printed as one line a fact.
_JOB = """
import sys
from personalake.settings import Spark
from personalake.store.session import is_local, open_session

spark = open_session(Spark(driver_memory="7g", shuffle_partitions=3, conf={"spark.sql.shuffle.partitions": "5"}))
for name in ("master", "driver.memory", "sql.shuffle.partitions", "app.name", "sql.session.timeZone"):
    name = "spark." + name
    print(name, spark.conf.get(name, "-"))
spark.range(3).write.format("delta").save(sys.argv[1])
try:
    spark.sql("SELECT CAST(id || 'someone@example.org' AS INT) FROM range(2)").collect()
except Exception as error:
    print(type(error).__name__)
print("rows", spark.read.format("delta").load(sys.argv[1]).count(), "local", is_local(spark))
spark.stop()
"""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spark.sql.session.timeZone", "UTC"),
        ("spark.sql.ansi.enabled", "true"),
        ("spark.sql.shuffle.partitions", "4"),
        ("spark.sql.catalogImplementation", "in-memory"),
        ("spark.driver.bindAddress", "127.0.0.1"),
        ("spark.ui.enabled", "false"),
        ("spark.databricks.delta.snapshotPartitions", "2"),
        ("spark.sql.sources.parallelPartitionDiscovery.parallelism", "4"),
        ("spark.sql.extensions", sessions.DELTA_EXTENSION),
        ("spark.sql.catalog.spark_catalog", sessions.DELTA_CATALOG),
    ],
)
def test_local_session_has(spark: SparkSession, name: str, value: str):
    assert spark.conf.get(name) == value


def test_workers_run_this_python_in_utc(spark: SparkSession):
    def seen(batches):
        import pandas as pd

        for _ in batches:
            yield pd.DataFrame({"python": [sys.executable], "zone": [os.environ.get("TZ", "")]})

    row = spark.range(1).mapInPandas(seen, "python string, zone string").first()
    assert row is not None
    assert row.asDict() == {"python": sys.executable, "zone": "UTC"}


def test_it_is_local_and_opened_once(spark: SparkSession):
    assert sessions.is_local(spark)
    assert sessions.open_session(Spark(master="local[7]")) is spark


def test_missing_jars_are_told_before_a_jvm_starts(tmp_path: Path):
    with pytest.raises(SetupError, match=r"7 faults"):
        sessions._own_conf(Spark(jars=str(tmp_path)), "")


def test_optional_jars_are_on_a_session_that_names_them_and_only_there(tmp_path: Path, monkeypatch):
    content = b"a driver"
    folder = tmp_path / "jars"
    folder.symlink_to(jar_folder())
    beside = tmp_path / "jars-postgresql"
    beside.mkdir()
    (beside / "driver.jar").write_bytes(content)
    sums = {"": recorded_sums(), "postgresql": {"driver.jar": hashlib.sha256(content).hexdigest()}}
    monkeypatch.setattr("personalake.store.jars.recorded_sums", lambda extra="": sums[extra])
    named = dict(sessions._own_conf(Spark(jars=str(folder), extras=("postgresql",)), "").getAll())["spark.jars"]
    assert (named.count(".jar"), named.endswith("jars-postgresql/driver.jar")) == (8, True)
    assert dict(sessions._own_conf(Spark(jars=str(folder)), "").getAll())["spark.jars"].count(".jar") == 7
    (beside / "driver.jar").unlink()
    with pytest.raises(
        SetupError, match=r"driver\.jar: is missing\. Run `python -m personalake\.store\.fetch postgresql`"
    ):
        sessions._own_conf(Spark(jars=str(folder), extras=("postgresql",)), "")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, sessions.DELTA_EXTENSION),
        ({"spark.sql.extensions": "org.other.Extension"}, f"org.other.Extension,{sessions.DELTA_EXTENSION}"),
        ({"spark.sql.extensions": sessions.DELTA_EXTENSION}, sessions.DELTA_EXTENSION),
    ],
)
def test_delta_is_added_only_where_it_is_missing(given: dict[str, str], expected: str):
    assert sessions._with_delta(given)["spark.sql.extensions"] == expected


def test_another_catalog_is_left_alone():
    given = {"spark.sql.catalog.spark_catalog": "org.other.Catalog"}
    assert sessions._with_delta(given)["spark.sql.catalog.spark_catalog"] == "org.other.Catalog"


def test_a_cluster_master_gets_no_local_settings():
    conf = dict(sessions._own_conf(Spark(master="spark://host:7077"), "/w").getAll())
    assert "spark.driver.bindAddress" not in conf
    assert "spark.driver.memory" not in conf
    assert conf["spark.sql.session.timeZone"] == "UTC"
    assert conf["spark.jars"].count(".jar") == 7


def test_further_java_options_are_added_to_ours():
    conf = dict(sessions._own_conf(Spark(conf={"spark.driver.extraJavaOptions": "-Xmn64m"}), "").getAll())
    ours = "-Duser.timezone=UTC -Xss4m -XX:-DontCompileHugeMethods -Dlog4j2.configurationFile=file:"
    assert conf["spark.driver.extraJavaOptions"].startswith(ours)
    assert conf["spark.driver.extraJavaOptions"].endswith(" -Xmn64m")


def test_a_submit_keeps_its_master_memory_and_name_and_gets_delta(tmp_path: Path):
    job = tmp_path / "job.py"
    job.write_text(_JOB, encoding="utf-8")
    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    quick = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"
    options = ["--master", "local[1]", "--driver-memory", "900m", "--name", "theirs", "--driver-java-options", quick]
    done = subprocess.run(
        [submit, *options, job, tmp_path / "table"],
        env=os.environ | {"PYTHONPATH": str(LIB), "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines() == [
        "spark.master local[1]",
        "spark.driver.memory 900m",
        "spark.sql.shuffle.partitions 5",
        "spark.app.name theirs",
        "spark.sql.session.timeZone UTC",
        "NumberFormatException",
        "rows 3 local True",
    ]
    assert "someone@example.org" not in done.stderr


def test_a_failing_expression_does_not_log_its_value(spark: SparkSession, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(Exception, match="CAST_INVALID_INPUT"):
        spark.sql("SELECT CAST(id || 'someone@example.org' AS INT) FROM range(2)").collect()
    assert "someone@example.org" not in "".join(capfd.readouterr())
