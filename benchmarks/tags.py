"""Several hundred tag rules over synthetic persons: the plan and the time of each way to evaluate them.

python benchmarks/tags.py --persons 1000000 --rules 300
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from personalake.settings import Spark
from personalake.store.session import open_session
from personalake.tables.profile_features import FEATURES
from personalake.tables.segments import SEGMENTS
from personalake.tables.tags import TAGS
from personalake.tags import build_tags, fit_thresholds, parse_rules

DAY = date(2026, 3, 2)
NUMBERS = [f.name for f in FEATURES if f.is_number]


def made_profiles(spark: SparkSession, persons: int) -> DataFrame:
    """Numbers with long tails, shares evenly spread, some missing; by hash, so that they are the same each time."""
    spread = [F.pmod(F.xxhash64("id", F.lit(f.name)), F.lit(10_000)) / 10_000 for f in FEATURES]
    columns = []
    for feature, u in zip(FEATURES, spread, strict=True):
        if feature.is_number:
            value = u if feature.name.endswith("_share") else F.floor(F.exp(u * 8) - 1)
            columns.append(F.when(u > 0.02, value).cast(feature.type).alias(feature.name))
        elif feature.type.typeName() == "string":
            columns.append(F.concat(F.lit("v"), F.floor(u * 5)).alias(feature.name))
        else:
            columns.append(F.lit(None).cast(feature.type).alias(feature.name))
    return spark.range(persons).select(F.col("id").cast("string").alias("person_id"), *columns)


def made_rules(count: int) -> Any:
    """Thresholds and quantiles over all numbers, each rule of one to three comparisons; few persons hold each."""
    rules = []
    for n in range(count):
        first, second, third = (NUMBERS[(n * step + step) % len(NUMBERS)] for step in (1, 7, 11))
        leaves = [
            {"feature": first, "at_least": {"quantile": 0.8 + n % 19 / 100}},
            {"feature": second, "above": 0.4},
            {"not": {"feature": third, "between": [0.1, 0.3]}},
        ][: 1 + n % 3]
        rules.append({"tag": f"t{n}", "label": f"Tag {n}", "label_zh": f"标签 {n}", "when": {"all": leaves}})
    return parse_rules({"tags": rules}, "made up")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--persons", type=int, default=1_000_000)
    parser.add_argument("--rules", type=int, default=300)
    parser.add_argument("--cores", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spark = open_session(
            Spark(master=f"local[{given.cores}]", driver_memory="3g"), app="bench", warehouse_root=folder
        )
        made_profiles(spark, given.persons).write.parquet(f"{folder}/profiles")
        profiles = spark.read.parquet(f"{folder}/profiles")
        rules = made_rules(given.rules)
        empty = [spark.createDataFrame([], table.row_schema) for table in (SEGMENTS, TAGS)]
        began = time.perf_counter()
        thresholds = fit_thresholds(profiles, rules)
        fitted = time.perf_counter() - began
        tags = build_tags(profiles, empty[0], rules, thresholds, empty[1], DAY)
        tags.write.mode("overwrite").parquet(f"{folder}/tags")
        built = time.perf_counter() - began - fitted
        plan = tags._jdf.queryExecution().executedPlan().toString()
        rows = spark.read.parquet(f"{folder}/tags").count()
        told = {"persons": given.persons, "rules": given.rules, "tag_rows": rows, "threshold_seconds": round(fitted, 1),
                "tag_seconds": round(built, 1), "scans_of_profiles": plan.count("FileScan")}  # fmt: skip
        print(json.dumps(told))
        print(plan[:6000])
        spark.stop()


if __name__ == "__main__":
    main()
