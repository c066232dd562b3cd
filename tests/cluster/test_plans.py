"""Arrays reach the nodes of a real cluster, whose workers share no folder; and every plan gives the same lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from personalake.recommend import Als
from support.item_pairs import seeded_pairs
from support.standalone import standalone_cluster, submit

JOB = Path(__file__).with_name("fit_by_each_plan.py")


@pytest.mark.slow
def test_every_plan_gives_the_same_lists_on_two_workers(spark: SparkSession, tmp_path: Path) -> None:
    pairs = seeded_pairs(31)
    pairs.to_parquet(tmp_path / "pairs.parquet")
    with standalone_cluster(tmp_path / "cluster-home") as url:
        done = submit(url, JOB, str(tmp_path / "pairs.parquet"), str(tmp_path / "checkpoints"), timeout=600)
    assert done.code == 0, done.err[-4000:]
    lists, folders = done.status["lists"], done.status["folders"]
    assert len(folders) == 2
    assert all(str(tmp_path / "cluster-home" / "worker-") in folder for folder in folders)
    assert lists["join"] == lists["broadcast"] == lists["shuffle"]
    assert len(lists["join"]) > 100
    # Here on one machine, two tasks; there on two.
    interactions = spark.createDataFrame(pairs)
    fitted = Als(engine="cg", rank=8, iterations=4).fit(interactions)
    rows = fitted.candidates(interactions.select("person_id"), limit=5).collect()
    here = sorted([row.person_id, row.candidate_rank, row.item_id, row.score] for row in rows)
    assert [row[:3] for row in here] == [row[:3] for row in lists["cg"]]
    assert [row[3] for row in here] == pytest.approx([row[3] for row in lists["cg"]], abs=1e-5)
    fitted.unpersist()
