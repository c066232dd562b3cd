"""How fast connected components are found, each way in a process of its own: python benchmarks/components.py [METHOD].

1.3 million links over a million devices and logins: households, persons of several devices, some long chains. Without a
method all are run, one after the other; each prints one JSON line.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from workloads import FOLDER

EDGES, NODES, CHAIN = 1_300_000, 1_000_000, 400
WARM_RUNS = 3
SCHEMA = "left_kind string, left_identifier string, right_kind string, right_identifier string, state string"


def links() -> Path:
    """The folder of the links' Parquet files, written once; 32 hex digits a name, as identifiers are."""
    folder = FOLDER / "links"
    if not (folder / "_whole").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        left, right = _drawn()
        names = pa.array([f"{n * 0x9E3779B97F4A7C15 % (1 << 128):032x}" for n in range(1, NODES + 1)])
        for number, part in enumerate(np.array_split(np.random.default_rng(1).permutation(len(left)), 8)):
            columns = [names.take(pa.array(side[part])) for side in (left, right)]
            kind, state = (pa.array([word] * len(part)) for word in ("device", "used"))
            table = pa.table(
                [kind, columns[0], kind, columns[1], state], names=[c.split()[0] for c in SCHEMA.split(", ")]
            )
            pq.write_table(table, folder / f"part-{number}.parquet")
        (folder / "_whole").touch()
    return folder


def _drawn(seed: int = 7) -> tuple[Any, Any]:
    """Groups of a few nodes, each node linked to a few of its group; and chains that need many rounds."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(rng.geometric(0.25, NODES) + 3, 200)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), NODES))]
    starts = np.cumsum(sizes) - sizes
    group = np.searchsorted(starts, rng.integers(0, starts[-1], EDGES - CHAIN), side="right") - 1
    left = starts[group] + rng.integers(0, 1 << 30, group.size) % sizes[group]
    # One of the next three of its group, which has four or more: no link leads back to where it begins.
    right = starts[group] + (left - starts[group] + 1 + rng.integers(0, 3, group.size)) % sizes[group]
    chain = np.arange(CHAIN + 1) * (NODES // (CHAIN + 2))
    return np.concatenate([left, chain[:-1]]), np.concatenate([right, chain[1:]])


def by_scipy() -> dict[str, Any]:
    """Numbering the names by Arrow, then csgraph, then the names again; reading and writing left out."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    began = time.perf_counter()
    table = pq.read_table(links(), columns=["left_identifier", "right_identifier"])
    read = time.perf_counter() - began
    seconds = []
    for _ in range(1 + WARM_RUNS):
        began = time.perf_counter()
        chunks = [*table["left_identifier"].chunks, *table["right_identifier"].chunks]
        coded = pa.concat_arrays(chunks).dictionary_encode()
        codes, count = coded.indices.to_numpy(), len(coded.dictionary)
        ends = (codes[: table.num_rows], codes[table.num_rows :])
        found, labels = connected_components(
            coo_matrix((np.ones(table.num_rows), ends), (count, count)), directed=False
        )
        coded.dictionary.take(pa.array(np.unique(labels, return_index=True)[1][labels]))
        seconds.append(time.perf_counter() - began)
    return {"read_seconds": read, "warm_seconds": median(seconds[1:]), "runs": seconds, "components": int(found)}


def by_spark(has_stars: bool, warm_runs: int) -> dict[str, Any]:
    """The product: links from Parquet, each node with its component to Parquet."""
    from personalake.identity.components import component_by_node, used_edges
    from personalake.identity.settings import Identity
    from personalake.identity.stars import components_by_stars
    from personalake.settings import Spark
    from personalake.store.session import open_session

    folder = links()
    began = time.perf_counter()
    spark = open_session(Spark(shuffle_partitions=8, driver_memory="3g"), app="bench")
    session = time.perf_counter() - began
    out, seconds = str(folder.parent / "components"), []
    for _ in range(1 + warm_runs):
        began = time.perf_counter()
        rows = spark.read.schema(SCHEMA).parquet(str(folder))
        found = components_by_stars(used_edges(rows), 60) if has_stars else component_by_node(rows, Identity())
        found.write.mode("overwrite").parquet(out)
        seconds.append(time.perf_counter() - began)
    count = spark.read.parquet(out).select("component").distinct().count()
    spark.stop()
    warm = {"warm_seconds": median(seconds[1:])} if warm_runs else {}
    return {"session_seconds": session, "cold_seconds": seconds[0], **warm, "runs": seconds, "components": count}


def by_duckdb() -> dict[str, Any]:
    """The smallest label spreads along the links until nothing changes, in DuckDB."""
    import duckdb

    began = time.perf_counter()
    base = duckdb.connect()
    base.execute(
        f"""CREATE TABLE e AS SELECT DISTINCT left_identifier a, right_identifier b FROM '{links()}/*.parquet'
        UNION SELECT DISTINCT right_identifier, left_identifier FROM '{links()}/*.parquet'"""
    )
    base.execute("CREATE TABLE l AS SELECT DISTINCT a AS n, a AS c FROM e")
    rounds = 0
    while True:
        rounds += 1
        base.execute(
            """CREATE OR REPLACE TABLE m AS SELECT n, min(c) c FROM
            (SELECT n, c FROM l UNION ALL SELECT e.b, l.c FROM e JOIN l ON l.n = e.a) GROUP BY n"""
        )
        base.execute("CREATE OR REPLACE TABLE m AS SELECT m.n, least(m.c, r.c) c FROM m JOIN m r ON r.n = m.c")
        (changed,) = base.execute("SELECT count(*) FROM m JOIN l USING (n) WHERE m.c <> l.c").fetchone() or (0,)
        base.execute("CREATE OR REPLACE TABLE l AS SELECT * FROM m")
        if not changed:
            break
    (count,) = base.execute("SELECT count(DISTINCT c) FROM l").fetchone() or (0,)
    return {"fit_seconds": time.perf_counter() - began, "rounds": rounds, "components": count}


METHODS: dict[str, Callable[[], dict[str, Any]]] = {
    "scipy": by_scipy,
    "ours": lambda: by_spark(False, WARM_RUNS),
    "stars": lambda: by_spark(True, 0),
    "duckdb": by_duckdb,
}


def main(method: str = "") -> None:
    """One method's figures; of all methods, and how ours compares, where none is named."""
    if method:
        print(json.dumps(METHODS[method]()))
        return
    from processes import measured

    links()
    figures = {name: measured(__file__, name) for name in METHODS}
    for name, told in figures.items():
        print(json.dumps({"method": name, **told}))
    ratio = figures["ours"]["warm_seconds"] / figures["scipy"]["warm_seconds"]
    print(json.dumps({"ours_to_scipy_warm": round(ratio, 2), "bar": 2.5}))


if __name__ == "__main__":
    main(*sys.argv[1:])
