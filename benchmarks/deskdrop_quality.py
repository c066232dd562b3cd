"""Recall of every algorithm on a real log, beside what is known of it: python benchmarks/deskdrop_quality.py [SEED …].

Deskdrop's protocol (tests/support/deskdrop_ranking.py): 80/20 per person, each positive among 100 articles that the
person never met. Prints a Markdown table, and says why where the log is not here. Content is not asked: the log has no
text.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from personalake.recommend import Algorithm, Als, Ease, ItemCosine, Popular, UserKnn, blend
from personalake.settings import Spark
from personalake.store.session import open_session

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support import deskdrop_logs
from support.deskdrop_ranking import recall_at, trial, weighted_pairs

ALGORITHMS: dict[str, Algorithm] = {
    "popular": Popular(),
    "item cosine": ItemCosine(),
    "item cosine, shrink 10": ItemCosine(shrink=10),
    "user-kNN, Pearson (default)": UserKnn(),
    "user-kNN, cosine": UserKnn(measure="cosine"),
    "EASE": Ease(),
    "ALS by MLlib": Als(),
    "ALS by cg": Als(engine="cg"),
}
BLENDED = ("item cosine", "ALS by MLlib")
# Counted from this very log by plain programs: popularity, plain item cosine, an SVD with 15 factors.
KNOWN = {
    "popular": (".243-.254", ".363-.385"),
    "item cosine": (".264-.276", ".394-.405"),
    "ALS by MLlib": (".328-.334 (SVD)", ".462-.467 (SVD)"),
}


def main(seeds: list[int]) -> None:
    """Measure every algorithm on each split and print the ranges."""
    if not deskdrop_logs.ROOT.is_dir():
        print(f"Nothing is measured: {deskdrop_logs.ROOT} is not here. PERSONALAKE_DATA names its folder.")
        return
    spark = open_session(Spark(master="local[2]", driver_memory="4g", shuffle_partitions=4), "deskdrop_quality")
    pairs = weighted_pairs()
    found: dict[str, list[tuple[float, ...]]] = {}
    for seed in seeds:
        for name, recalls in measured(spark, pairs, seed).items():
            print(f"seed {seed}: {name} {np.round(recalls, 3)}", file=sys.stderr, flush=True)
            found.setdefault(name, []).append(recalls)
    print(f"{pairs['person_id'].nunique():,} persons, {len(pairs):,} pairs, seeds {', '.join(map(str, seeds))}\n")
    print("| algorithm | recall@5 | recall@10 | known @5 | known @10 |\n|---|---|---|---|---|")
    for name, recalls in found.items():
        cells = [span(values) for values in zip(*recalls, strict=True)]
        print("|", " | ".join([name, *cells, *KNOWN.get(name, ("", ""))]), "|")


def measured(spark: SparkSession, pairs: pd.DataFrame, seed: int) -> dict[str, tuple[float, ...]]:
    """Recall at 5 and 10 of each algorithm and of the default blend, on one split."""
    split = trial(pairs, seed)
    train, asked = (spark.createDataFrame(frame).localCheckpoint() for frame in split)
    scores = {}
    for name, algorithm in ALGORITHMS.items():
        fitted = algorithm.fit(train)
        scores[name] = fitted.score(asked).select("trial", "item_id", "is_positive", "score").localCheckpoint()
        fitted.unpersist()
    blended = blend({name: ranked(scores[name]) for name in BLENDED}).select(
        F.col("person_id").alias("trial"), "item_id", "score"
    )
    name = f"blend of {' and '.join(BLENDED)}"
    scores[name] = asked.select("trial", "item_id", "is_positive").join(blended, on=["trial", "item_id"], how="left")
    return {name: recall_at(frame.toPandas()) for name, frame in scores.items()}


def ranked(scores: DataFrame) -> DataFrame:
    """The questions as lists of candidates: each trial is a person of its own, what has no score is no candidate."""
    order = Window.partitionBy("trial").orderBy(F.desc("score"), "item_id")
    rank = F.row_number().over(order).alias("candidate_rank")
    known = scores.where(F.col("score").isNotNull())
    return known.select(F.col("trial").alias("person_id"), "item_id", "score", rank)


def span(values: tuple[float, ...]) -> str:
    """The least and the largest, as .123-.456."""
    least, most = (f"{value:.3f}".lstrip("0") for value in (min(values), max(values)))
    return least if least == most else f"{least}-{most}"


if __name__ == "__main__":
    main([int(seed) for seed in sys.argv[1:]] or [1, 2, 3])
