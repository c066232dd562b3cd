"""One method of finding each item's 50 nearest items, in a process of its own: python cosine_methods.py METHOD SET IDS.

Prints one JSON line: session, cold and warm seconds for Spark, read and fit seconds for the others.
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
from workloads import FOLDER, workload

NEIGHBOURS = 50
WARM_RUNS = 3
Clock = Callable[[], float]


def spark_jobs(name: str, ids: str, fit: Callable[[Any, Path], None], warm_runs: int = WARM_RUNS) -> dict[str, Any]:
    """Session start, the first job, and the median of the next ones; each reads, computes and writes Parquet."""
    from personalake.settings import Spark
    from personalake.store.session import open_session

    folder = workload(name, ids)
    began = time.perf_counter()
    spark = open_session(Spark(shuffle_partitions=8, driver_memory="1g"), app="bench")
    session = time.perf_counter() - began
    seconds = []
    for _ in range(1 + warm_runs):
        began = time.perf_counter()
        fit(spark.read.parquet(str(folder)), folder.parent / "out")
        seconds.append(time.perf_counter() - began)
    spark.stop()
    warm = {"warm_seconds": median(seconds[1:]), "runs": seconds[1:]} if warm_runs else {}
    return {"session_seconds": session, "cold_seconds": seconds[0], **warm}


def ours(frame: Any, out: Path) -> None:
    """The product, by the plan that auto takes, its rows checked."""
    from personalake.recommend import ItemCosine

    fitted = ItemCosine(neighbours=NEIGHBOURS).fit(frame)
    fitted.neighbours.write.mode("overwrite").parquet(str(out))
    fitted.unpersist()


def shuffle(frame: Any, out: Path) -> None:
    """The same by the shuffle plan."""
    from personalake.recommend import ItemCosine

    fitted = ItemCosine(neighbours=NEIGHBOURS, plan="shuffle").fit(frame)
    fitted.neighbours.write.mode("overwrite").parquet(str(out))
    fitted.unpersist()


def plain_join(frame: Any, out: Path) -> None:
    """What a team writes in Spark SQL."""
    frame.createOrReplaceTempView("pairs")
    spark = frame.sparkSession
    spark.sql(
        f"""WITH norms AS (SELECT item_id, sqrt(sum(weight * weight)) AS norm FROM pairs GROUP BY item_id),
        dots AS (SELECT a.item_id, b.item_id AS neighbour_id, sum(a.weight * b.weight) AS dot
                 FROM pairs a JOIN pairs b ON a.person_id = b.person_id AND a.item_id <> b.item_id
                 GROUP BY a.item_id, b.item_id),
        alike AS (SELECT d.item_id, d.neighbour_id, dot / (x.norm * y.norm) AS similarity FROM dots d
                  JOIN norms x ON x.item_id = d.item_id JOIN norms y ON y.item_id = d.neighbour_id)
        SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY item_id ORDER BY similarity DESC, neighbour_id) AS rank
                       FROM alike) WHERE rank <= {NEIGHBOURS}"""
    ).write.mode("overwrite").parquet(str(out))


def column_similarities(frame: Any, out: Path) -> None:
    """MLlib's RowMatrix.columnSimilarities, exact; all pairs, not yet cut to the nearest."""
    from pyspark.mllib.linalg import SparseVector
    from pyspark.mllib.linalg.distributed import RowMatrix
    from pyspark.sql import functions as F

    width = frame.agg(F.max("item_id")).first()[0] + 1
    lists = frame.groupBy("person_id").agg(F.sort_array(F.collect_list(F.struct("item_id", "weight"))).alias("h"))
    rows = lists.rdd.map(lambda row: SparseVector(width, [(int(i), float(w)) for i, w in row["h"]]))
    entries = RowMatrix(rows, numCols=width).columnSimilarities().entries
    entries.toDF().write.mode("overwrite").parquet(str(out))


def read_matrix(name: str, ids: str) -> tuple[Any, float]:
    """Items × persons for the single-machine libraries, and how long reading and numbering took."""
    import pandas as pd
    from scipy.sparse import csr_matrix

    began = time.perf_counter()
    frame = pd.read_parquet(workload(name, ids))
    persons, items = frame["person_id"].to_numpy(), frame["item_id"].to_numpy()
    if ids == "string":
        persons, items = pd.factorize(frame["person_id"])[0], pd.factorize(frame["item_id"])[0]
    return csr_matrix((frame["weight"].to_numpy(), (items, persons))), time.perf_counter() - began


def written(similarities: Any) -> float:
    """Write a matrix of similarities, the item itself left out, as the Spark methods do; how long that took."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    began = time.perf_counter()
    entries = similarities.tocoo()
    other = entries.row != entries.col
    columns = [entries.row[other], entries.col[other], entries.data[other]]
    out = FOLDER / "out.parquet"
    pq.write_table(pa.table([pa.array(column) for column in columns], names=["item_id", "neighbour_id", "score"]), out)
    return time.perf_counter() - began


def implicit(name: str, ids: str) -> dict[str, Any]:
    """CosineRecommender, every core; it counts the item itself among the K."""
    from implicit.nearest_neighbours import CosineRecommender

    matrix, read = read_matrix(name, ids)
    began = time.perf_counter()
    model = CosineRecommender(K=NEIGHBOURS + 1)
    model.fit(matrix.T.tocsr(), show_progress=False)
    fit = time.perf_counter() - began
    return {"read_seconds": read, "fit_seconds": fit, "write_seconds": written(model.similarity)}


def sparse_dot_topn(name: str, ids: str) -> dict[str, Any]:
    """One sparse product cut to its largest, every core, float32."""
    import os

    from scipy.sparse import diags
    from sparse_dot_topn import sp_matmul_topn

    matrix, read = read_matrix(name, ids)
    began = time.perf_counter()
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scaled = (diags(1 / np.where(norms > 0, norms, 1)) @ matrix).astype(np.float32).tocsr()
    found = sp_matmul_topn(scaled, scaled.T.tocsr(), top_n=NEIGHBOURS + 1, n_threads=os.cpu_count())
    return {"read_seconds": read, "fit_seconds": time.perf_counter() - began, "write_seconds": written(found)}


def duckdb(name: str, ids: str) -> dict[str, Any]:
    """The self-join in DuckDB."""
    import duckdb as library

    files = workload(name, ids) / "*.parquet"
    began = time.perf_counter()
    library.execute(
        f"""CREATE TABLE out AS WITH pairs AS (SELECT * FROM '{files}'),
        norms AS (SELECT item_id, sqrt(sum(weight * weight)) AS norm FROM pairs GROUP BY item_id),
        dots AS (SELECT a.item_id, b.item_id AS other, sum(a.weight * b.weight) AS dot FROM pairs a
                 JOIN pairs b ON a.person_id = b.person_id AND a.item_id <> b.item_id GROUP BY ALL)
        SELECT d.item_id, d.other, dot / (x.norm * y.norm) AS similarity FROM dots d
        JOIN norms x ON x.item_id = d.item_id JOIN norms y ON y.item_id = d.other
        QUALIFY row_number() OVER (PARTITION BY d.item_id ORDER BY similarity DESC, d.other) <= {NEIGHBOURS}"""
    )
    return {"fit_seconds": time.perf_counter() - began}


SPARK = {"ours": ours, "shuffle": shuffle, "plain_join": plain_join, "column_similarities": column_similarities}
OTHERS = {"implicit": implicit, "sparse_dot_topn": sparse_dot_topn, "duckdb": duckdb}


def main(method: str, name: str, ids: str, warm_runs: str = str(WARM_RUNS)) -> None:
    """Run one method and print its figures."""
    if method in SPARK:
        figures = spark_jobs(name, ids, SPARK[method], int(warm_runs))
    else:
        figures = OTHERS[method](name, ids)
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
