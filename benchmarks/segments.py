"""KMeans with the choice of k over synthetic persons: the time of each part.

python benchmarks/segments.py --persons 1000000
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.segments import Segments, build_segments, fit_segments
from personalake.settings import Spark
from personalake.store.session import open_session
from personalake.tables.segments import SEGMENT_FEATURES, SEGMENT_PROFILES, SEGMENTS

DAY = date(2026, 3, 2)
KINDS = 5


def made_profiles(spark: SparkSession, persons: int) -> DataFrame:
    """Five kinds of persons, each with means of its own and long tails; by hash, so the same each time."""
    kind = F.pmod(F.xxhash64("id", F.lit("kind")), F.lit(KINDS))
    columns = []
    for n, name in enumerate(SEGMENT_FEATURES):
        # The sum of four even numbers is nearly normal.
        parts = [F.pmod(F.xxhash64("id", F.lit(f"{name}{i}")), F.lit(10_000)) / 10_000 for i in range(4)]
        noise = sum(parts[1:], parts[0]) / 4
        level = F.pmod(F.xxhash64(kind, F.lit(n)), F.lit(100)) / 100
        value = (level * 0.6 + noise * 0.4) if name.endswith("_share") else F.exp(level * 4 + noise * 3)
        columns.append(value.alias(name))
    return spark.range(persons).select(F.col("id").cast("string").alias("person_id"), *columns)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--method", default="kmeans")
    parser.add_argument("--cores", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spark = open_session(
            Spark(master=f"local[{given.cores}]", driver_memory="3g"), app="bench", warehouse_root=folder
        )
        made_profiles(spark, given.persons).write.parquet(f"{folder}/profiles")
        profiles = spark.read.parquet(f"{folder}/profiles")
        settings = Segments(method=given.method)
        began = time.perf_counter()
        fitted = fit_segments(profiles, settings, seed=7)
        fit = time.perf_counter() - began
        empty = [spark.createDataFrame([], table.row_schema) for table in (SEGMENT_PROFILES, SEGMENTS)]
        built = build_segments(profiles, fitted, *empty, DAY, settings)
        built.segments.write.parquet(f"{folder}/segments")
        told = {
            "persons": given.persons,
            "method": given.method,
            "fit_seconds": round(fit, 1),
            "place_seconds": round(time.perf_counter() - began - fit, 1),
            "segments": len(fitted.centres),
            "tried": [[c.k, c.silhouette, c.stability] for c in fitted.candidates],
        }
        print(json.dumps(told))
        spark.stop()


if __name__ == "__main__":
    main()
