"""Customers who are alike, by Splink: found, kept apart, and joined only where conf says from where."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError
from pyspark.sql import SparkSession

from identity.seen import START
from personalake.errors import ConfigError, DataError
from personalake.identity.evidence import Evidence
from personalake.identity.fuzzy import PAIRS, alike_pairs, attribute_records, check_splink, fuzzy_links
from personalake.identity.settings import Fuzzy
from personalake.tables.identity import IDENTITY_LINKS
from personalake.tables.ingest import CUSTOMERS
from support.rows import frame

SEED, PERSONS, TWICE = 3, 300, 60
HOW: dict[str, Any] = {
    "is_on": True,
    "attributes": {"birth_year": "exact", "gender": "exact", "region": "exact", "attributes.name": "similar"},
    "block_on": (("birth_year",), ("attributes.name",)),
    "prior": 0.001,
}
CUTS = "left_kind string, left_identifier string, right_kind string, right_identifier string"
COLUMNS = ["login_id", "birth_year", "gender", "region", "attributes_name"]


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Three hundred persons; sixty registered twice, the region left out or the name spelled otherwise."""
    rng = random.Random(SEED)
    rows = []
    for person in range(PERSONS):
        name = "".join(rng.choice("abcdefghij") for _ in range(8))
        said = [str(rng.randrange(1940, 2005)), rng.choice("mf"), rng.choice("nsewc"), name]
        rows.append((f"l{person}-0", *said))
        if person < TWICE:
            again: list[str | None] = list(said)
            again[2:] = [again[2], name[:7] + "x"] if rng.random() < 0.5 else [None, name]
            rows.append((f"l{person}-1", *again))
    rng.shuffle(rows)
    return written(tmp_path / "records.parquet", rows)


def written(path: Path, rows: list[Any]) -> str:
    columns = [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)]
    pq.write_table(pa.table(columns, names=COLUMNS), path)
    return str(path)


def test_those_registered_twice_are_found_and_the_same_every_time(file: str, tmp_path: Path) -> None:
    pytest.importorskip("splink", reason="probabilistic evidence is an extra: pip install 'personalake[fuzzy]'")
    found = alike_pairs([file], Fuzzy(**HOW))
    pairs = list(zip(*(found[name].to_pylist() for name in ("left_identifier", "right_identifier")), strict=True))
    right = {pair for pair in pairs if pair[0].split("-")[0] == pair[1].split("-")[0]}
    print(f"{len(right)} of {TWICE} found, {len(pairs)} pairs")
    assert len(right) >= 0.9 * TWICE and len(right) >= 0.9 * len(pairs), f"seed {SEED}"
    assert all(left < right for left, right in pairs) and min(found["score"].to_pylist()) >= 0.5
    table = pq.read_table(file)
    backwards = str(tmp_path / "backwards.parquet")
    pq.write_table(table.take(pa.array(range(table.num_rows))[::-1]), backwards)
    assert alike_pairs([backwards], Fuzzy(**HOW)).equals(found)


def test_a_block_that_is_too_large_is_told_before_it_is_compared(file: str) -> None:
    pytest.importorskip("splink", reason="probabilistic evidence is an extra: pip install 'personalake[fuzzy]'")
    with pytest.raises(DataError, match=r"block_on: birth_year agree in [\d,]+ pairs of customers"):
        alike_pairs([file], Fuzzy(**HOW, most_pairs=10))


def test_nobody_or_one_is_like_nobody(tmp_path: Path) -> None:
    pytest.importorskip("splink", reason="probabilistic evidence is an extra: pip install 'personalake[fuzzy]'")
    one = written(tmp_path / "one.parquet", [("l0", "1980", "m", "n", "abc")])
    assert alike_pairs([one], Fuzzy(**HOW)).num_rows == alike_pairs([], Fuzzy(**HOW)).num_rows == 0


def test_what_lies_elsewhere_cannot_be_compared() -> None:
    with pytest.raises(ConfigError, match="works on this machine's disk alone"):
        alike_pairs(["s3://lake/_scratch/records.parquet"], Fuzzy(**HOW))


def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs Splink. pip install 'personalake\[fuzzy\]'"):
        check_splink()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"attributes": {}}, "attributes and block_on must be named where is_on is true"),
        ({"block_on": ()}, "attributes and block_on must be named where is_on is true"),
        ({"block_on": (("income_band",),)}, "block_on names income_band, which is not among attributes"),
        ({"attributes": {"region; DROP": "exact"}}, "region; DROP is no column of customers and no attributes.NAME"),
    ],
)
def test_what_the_settings_refuse(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told.split(";", maxsplit=1)[0]) as refused:
        Fuzzy(**(HOW | changes))
    assert told in str(refused.value)


def test_records_and_links_are_built_from_customers(spark: SparkSession) -> None:
    known = {"effective_at": START, "attributes": {"name": "Ann"}}
    customers = frame(
        spark, CUSTOMERS, {"login_id": "a", "birth_year": 1980, **known}, {"login_id": "b", **known},
        {"login_id": "c", "effective_at": START},
    ).drop("run_id")  # fmt: skip
    records = attribute_records(customers, Fuzzy(**HOW))
    assert [tuple(row) for row in records.orderBy("login_id").collect()] == [
        ("a", "1980", None, None, "Ann"),
        ("b", None, None, None, "Ann"),
    ]
    pairs = spark.createDataFrame(pa.table([["a", "a", "a"], ["b", "c", "gone"], [0.99, 0.6, 0.9]], schema=PAIRS))
    apart = fuzzy_links(pairs, customers, Fuzzy(**HOW))
    joined = fuzzy_links(pairs, customers, Fuzzy(**HOW, join_from=0.9))
    assert [(f.name, f.dataType) for f in apart.schema] == [(c.name, c.type) for c in IDENTITY_LINKS.cols]
    cuts = spark.createDataFrame([("login", "b", "login", "a")], CUTS)
    words = spark.createDataFrame(
        [("login", "c", False)], "identifier_kind string, identifier string, is_granted boolean"
    )
    heard = fuzzy_links(pairs, customers, Fuzzy(**HOW, join_from=0.1), Evidence(cuts=cuts, words=words))
    assert {(row.right_identifier, row.state) for row in heard.collect()} == {
        ("b", "cut_operator"),
        ("c", "cut_no_consent"),
    }
    rows = apart.unionByName(joined).collect()
    assert {row.evidence_kind for row in rows} == {"attributes_alike"}
    found = sorted((row.right_identifier, row.strength_score, row.state) for row in rows)
    assert found == [
        ("b", 0.99, "cut_fuzzy"),
        ("b", 0.99, "used"),
        ("c", 0.6, "cut_fuzzy"),
        ("c", 0.6, "cut_fuzzy"),
    ]
