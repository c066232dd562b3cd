"""What a source that is no file lacks before it can be asked: jars, a secret, the columns that it names."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from personalake.errors import ConfigError
from personalake.stages import connected
from support.connected_lake import ConnectedLake

DATABASE = {"kind": "jdbc", "url": "jdbc:postgresql://127.0.0.1:9/shop", "table": "orders", "rising": "id"}
SCHEMA = "id bigint, ts string, visitor string, uid string, act string, item string"


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> ConnectedLake:
    return ConnectedLake(spark, tmp_path_factory.mktemp("faults"))


def test_jars_that_are_not_there_name_the_command_that_fetches_them(lake, monkeypatch):
    monkeypatch.setattr(connected, "is_loadable", lambda name: False)
    lake.source("clicks", {"kind": "kafka", "servers": ["broker:9092"], "topics": ["clicks"]})
    lake.source("shop", DATABASE, schema=SCHEMA)
    assert lake.faults() == [
        "source clicks: the jars of kafka are not on Spark's class path. Run `python -m personalake.store.fetch "
        "kafka`; on a cluster: --packages org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0.",
        "source shop: the jars of postgresql are not on Spark's class path. Run `python -m personalake.store.fetch "
        "postgresql`; on a cluster: --packages org.postgresql:postgresql:42.7.8.",
    ]
    (lake.folder / "conf" / "clicks.yaml").unlink()


def test_a_secret_that_is_not_set_names_its_variable(lake, monkeypatch):
    monkeypatch.setattr(connected, "is_loadable", lambda name: True)
    monkeypatch.delenv("SHOP_PASSWORD", raising=False)
    lake.source("shop", DATABASE | {"password_env": "SHOP_PASSWORD"}, schema=SCHEMA)
    assert lake.faults() == [
        "source shop: the environment variable SHOP_PASSWORD is not set. Set it where the command runs."
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rising": "idd"}, "connect.rising: idd is not in the schema. Did you mean id?"),
        (
            {"rising": "ts"},
            "connect.rising: ts is string. A whole number, a date or a timestamp can rise and be split.",
        ),
        (
            {"partition_column": "item", "partitions": 2},
            "connect.partition_column: item is string. A whole number, a date or a timestamp can rise and be split.",
        ),
    ],
)
def test_columns_that_it_names_are_tried_before_anything_is_asked(lake, changes, told):
    lake.source("shop", DATABASE | changes, schema=SCHEMA)
    with pytest.raises(ConfigError) as refused:
        lake.run()
    path = Path(lake.settings.sources.folder) / "shop.yaml"
    assert [str(fault) for fault in refused.value.faults] == [f"{path}: {told}"]
