"""The small lake, written once, and a session that knows it by name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from personalake.views.register import Registered, register
from support.rows import quick_queries, write_tables
from support.small_lake import TABLES


@pytest.fixture(scope="session")
def small_lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = str(tmp_path_factory.mktemp("small_lake"))
    write_tables(root, TABLES)
    return root


@pytest.fixture(scope="module")
def known(spark: SparkSession, small_lake: str) -> Iterator[Registered]:
    with quick_queries(spark):
        yield register(spark, small_lake)
