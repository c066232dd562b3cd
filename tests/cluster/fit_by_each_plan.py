"""A job for the cluster: fit by each plan, and say what came out and where the tasks found their arrays."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyspark import SparkFiles
from pyspark.sql import SparkSession

from personalake.recommend import Algorithm, Als, ItemCosine


def lists(algorithm: Algorithm, spark: SparkSession, path: str) -> list[list[object]]:
    """Candidates of everyone, as rows that JSON can hold."""
    interactions = spark.read.parquet(path)
    fitted = algorithm.fit(interactions)
    rows = fitted.candidates(interactions.select("person_id"), limit=5).collect()
    fitted.unpersist()
    return sorted([row.person_id, row.candidate_rank, row.item_id, row.score] for row in rows)


def folders(spark: SparkSession) -> list[str]:
    """Where shipped files lie, as each task sees it."""

    def here(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            folder = str(Path(SparkFiles.getRootDirectory()).resolve())
            yield pa.RecordBatch.from_arrays([pa.array([folder])], names=["folder"])

    return sorted({row.folder for row in spark.range(0, 16, 1, 16).mapInArrow(here, "folder string").collect()})


if __name__ == "__main__":
    session = SparkSession.builder.getOrCreate()
    session.sparkContext.setCheckpointDir(sys.argv[2])
    found = {
        plan: lists(ItemCosine(neighbours=9, plan=plan), session, sys.argv[1])
        for plan in ("join", "broadcast", "shuffle")
    }
    found["cg"] = lists(Als(engine="cg", rank=8, iterations=4), session, sys.argv[1])
    print(json.dumps({"lists": found, "folders": folders(session)}))
    session.stop()
