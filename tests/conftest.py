"""What all tests share: one small Spark session, and the folder of real logs where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from personalake.settings import Spark
from personalake.store.jars import EXTRAS, jar_folder, missing_jars
from personalake.store.session import open_session

TEST_SPARK = Spark(
    master="local[2]",
    driver_memory="2g",
    shuffle_partitions=4,
    # Those that set-up fetched; the tests of the others say why they are skipped.
    extras=tuple(extra for extra in EXTRAS if not missing_jars(jar_folder(extra=extra), extra)),
    conf={
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m",
        # Handfuls of rows: compiling a query would take longer than running it.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    },
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a session, for `make test-fast` to leave out; the scenarios take longest, so they begin."""
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker("spark")
    items.sort(key=lambda item: item.path.parent.name != "scenarios")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One session for the whole run: two cores, four shuffle partitions, UTC, Delta, a scratch warehouse."""
    root = tmp_path_factory.mktemp("warehouse")
    session = open_session(TEST_SPARK, app="personalake-tests", warehouse_root=str(root))
    yield session
    session.stop()


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real logs; tests that want it are skipped where it is absent."""
    named = os.environ.get("PERSONALAKE_DATA", "")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real logs are not here: {folder} is no folder; name it in PERSONALAKE_DATA")
    return folder
