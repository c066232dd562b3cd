"""Components against networkx, by each of the ways they are computed."""

from __future__ import annotations

import random
from itertools import pairwise

import networkx as nx
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from identity.seen import labels_of
from personalake.errors import DataError
from personalake.identity.components import build_components, fit_components
from personalake.identity.in_memory import components_in_memory
from personalake.identity.settings import Identity

Edges = list[tuple[str, str]]


def random_edges(seed: int) -> Edges:
    """Paths, stars, rings, pairs and clusters of random size, under shuffled names."""
    rng = random.Random(seed)
    edges: list[tuple[int, int]] = []
    base = 0
    for _ in range(rng.randint(0, 6)):
        size = rng.randint(2, 14)
        nodes = range(base, base + size)
        shape = rng.choice(("path", "star", "ring", "dense"))
        if shape == "star":
            edges += [(base, node) for node in nodes[1:]]
        elif shape == "dense":
            edges += [(rng.choice(nodes), rng.choice(nodes)) for _ in range(2 * size)]
        else:
            edges += list(pairwise(nodes)) + ([(nodes[-1], base)] if shape == "ring" else [])
        base += size
    names = [f"g{seed}n{name}" for name in rng.sample(range(1000), base)]
    named = [(names[a], names[b]) if rng.random() < 0.5 else (names[b], names[a]) for a, b in edges]
    rng.shuffle(named)
    return named


def oracle(edges: Edges) -> dict[str, str]:
    return {node: min(nodes) for nodes in nx.connected_components(nx.Graph(edges)) for node in nodes}


def batches(edges: Edges, size: int, hashes: int = 1 << 62) -> list[pa.RecordBatch]:
    """The links as tasks get them; with few hashes most names share theirs with others."""
    columns: dict[str, pa.Array] = {}
    for place, end in enumerate(("left", "right")):
        names = [edge[place] for edge in edges]
        columns[end] = pa.array(names, pa.string())
        columns[f"{end}_hash"] = pa.array([hash(name) % hashes for name in names], pa.int64())
    return pa.table(columns).to_batches(max_chunksize=size)


def table_of(found: list[pa.RecordBatch]) -> list[tuple[str, str]]:
    return [tuple(row.values()) for batch in found for row in batch.to_pylist()]


@pytest.mark.parametrize("seed", range(200))
def test_in_memory_components_are_those_of_networkx(seed: int) -> None:
    edges = random_edges(seed)
    found = table_of(list(components_in_memory(batches(edges, 5), limit=1000)))
    assert dict(found) == oracle(edges), f"seed {seed}"
    assert len(found) == len(dict(found)), f"seed {seed}: a node comes twice"


@pytest.mark.parametrize("hashes", [1, 2, 7])
def test_names_that_share_a_hash_stay_apart(hashes: int) -> None:
    for seed in range(20):
        edges = random_edges(seed)
        found = table_of(list(components_in_memory(batches(edges, 5, hashes), limit=1000)))
        assert dict(found) == oracle(edges), f"seed {seed}"


def test_the_same_link_many_times_is_one_link() -> None:
    assert dict(table_of(list(components_in_memory(batches([("b", "a")] * 256, 50), limit=1000)))) == {
        "a": "a",
        "b": "a",
    }


def test_a_task_refuses_more_than_it_may_hold() -> None:
    with pytest.raises(DataError, match="edges_in_one_task: more than 3 links"):
        list(components_in_memory(batches([("b", "a")] * 4, 2), limit=3))


ALL_EDGES = [edge for seed in range(20) for edge in random_edges(seed)] + [
    *pairwise(f"long{n:03}" for n in range(40)),
    *(("hub", f"leaf{n}") for n in range(50)),
    *(("长", f"长{n}") for n in range(3)),
]


@pytest.fixture(scope="module")
def links(spark: SparkSession) -> DataFrame:
    used = [("device", a, "device", b, "used") for a, b in ALL_EDGES]
    cut = [("device", "long000", "device", "hub", "cut_shared_device")]
    schema = "left_kind string, left_identifier string, right_kind string, right_identifier string, state string"
    return spark.createDataFrame(used + cut, schema)


@pytest.fixture(scope="module")
def identifiers(spark: SparkSession, links: DataFrame) -> DataFrame:
    left = links.selectExpr("left_kind identifier_kind", "left_identifier identifier")
    right = links.selectExpr("right_kind identifier_kind", "right_identifier identifier")
    alone = spark.sql("SELECT 'login', 'hub'")  # another kind is another identifier
    return left.union(right).union(alone).distinct()


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    edges = [(f"device:{a}", f"device:{b}") for a, b in ALL_EDGES]
    return {**oracle(edges), "login:hub": "login:hub"}


def test_components_of_many_graphs_are_those_of_networkx(
    identifiers: DataFrame, links: DataFrame, expected: dict[str, str]
) -> None:
    found = labels_of(build_components(identifiers, links, Identity()))
    assert dict(found) == expected
    assert len(found) == len(expected)


def test_neither_order_nor_partitions_change_them(
    identifiers: DataFrame, links: DataFrame, expected: dict[str, str]
) -> None:
    shuffled = links.orderBy("right_identifier").repartition(7, "left_identifier")
    assert dict(labels_of(build_components(identifiers.repartition(3), shuffled, Identity()))) == expected


def test_rounds_of_stars_give_the_same(identifiers: DataFrame, links: DataFrame, expected: dict[str, str]) -> None:
    found = labels_of(fit_components(identifiers, links, Identity(edges_in_one_task=10)))
    assert dict(found) == expected
    assert len(found) == len(expected)


def test_rounds_of_stars_give_up_with_a_plain_word(identifiers: DataFrame, links: DataFrame) -> None:
    with pytest.raises(DataError, match="star_rounds: components are not complete after 1 rounds"):
        fit_components(identifiers, links, Identity(edges_in_one_task=10, star_rounds=1))
