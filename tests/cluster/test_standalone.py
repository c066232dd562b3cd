"""The flow by spark-submit on a real cluster publishes what the local mode publishes."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from personalake.sample import write_sample
from support.command import QUICK, personalake
from support.standalone import standalone_cluster, submit
from support.warehouse import LEFT, differences, rows_of

PROJECT = Path(__file__).resolve().parents[2]
KEY = "k" * 40
AS_OF = "2026-02-10"
TOLERANCE = 1e-5
RANKED = ("recommendations", "item_neighbours")


@pytest.mark.slow
def test_a_cluster_publishes_what_local_mode_publishes(spark: SparkSession, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    write_sample(spark, str(logs), 150, 60, 40, datetime.date(2026, 1, 1), 7)
    roots = {place: tmp_path / place / "warehouse" for place in ("local", "cluster")}
    common = ("--as-of", AS_OF, "--set", f"raw.root={logs}", "--set", "time_zone=Asia/Shanghai")
    done = personalake("run", *common, "--set", f"warehouse.root={roots['local']}", *QUICK, PERSONALAKE_KEY=KEY)
    assert done.code == 0, done.err
    with standalone_cluster(tmp_path / "cluster-home") as url:
        job = PROJECT / "jobs" / "run_flow.py"
        done = submit(url, job, *common, "--set", f"warehouse.root={roots['cluster']}", PERSONALAKE_KEY=KEY)
    assert done.code == 0, done.err[-4000:]
    assert done.status["state"] == "complete"
    compared = [name for name in LEFT if name not in ("runs", *RANKED)]
    assert [d for name in compared for d in differences(roots["local"], roots["cluster"], name, TOLERANCE)] == []
    assert [d for name in RANKED for d in _ranked_differences(roots["local"], roots["cluster"], name)] == []


def _ranked_differences(left: Path, right: Path, name: str) -> list[str]:
    """Lists are the same but where two scores are so close that the last digits decide."""
    who, what, rank, score = {
        "recommendations": (["person_id", "target_kind"], "target_id", "recommendation_rank", "score"),
        "item_neighbours": (["item_id", "method"], "neighbour_id", "neighbour_rank", "similarity_score"),
    }[name]
    ours, theirs = (rows_of(root, name)[[*who, what, rank, score]] for root in (left, right))
    both = ours.merge(theirs, on=[*who, rank], how="outer", suffixes=("", "_other"), indicator=True)
    alone = both[both["_merge"] != "both"]
    other = both[(both["_merge"] == "both") & (both[what] != both[f"{what}_other"])]
    far = other[(other[score] - other[f"{score}_other"]).abs() > TOLERANCE]
    return [
        f"{name}: {len(rows)} rows {words}" for rows, words in ((alone, "stand alone"), (far, "differ")) if len(rows)
    ]
