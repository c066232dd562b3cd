"""Long fits have a checkpoint folder, and leave none behind."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from personalake.errors import ConfigError
from personalake.recommend.checkpoints import checkpointed


class Context:
    """As much of a Spark context as is asked."""

    def __init__(self, master: str, folder: str | None = None) -> None:
        self.master, self.folder = master, folder

    def getCheckpointDir(self) -> str | None:
        return self.folder

    def setCheckpointDir(self, folder: str) -> None:
        self.folder = folder


def session(master: str, folder: str | None = None) -> Any:
    return SimpleNamespace(sparkContext=Context(master, folder))


def test_local_mode_gets_a_scratch_folder_each_time_and_keeps_none() -> None:
    spark, used = session("local[2]"), []
    for _ in range(2):
        with checkpointed(spark, 15):
            used.append(Path(spark.sparkContext.folder))
            assert used[-1].is_dir()
    assert used[0] != used[1] and not any(folder.exists() for folder in used)


def test_the_folder_of_the_session_is_used_and_left_alone(tmp_path: Path) -> None:
    for master in ("local[2]", "spark://host:7077"):
        spark = session(master, str(tmp_path))
        with checkpointed(spark, 15):
            assert spark.sparkContext.folder == str(tmp_path)
        assert tmp_path.is_dir()


def test_a_cluster_without_a_folder_may_take_ten_iterations() -> None:
    with checkpointed(session("yarn"), 10):
        pass
    said = r"als.iterations: is 11, and the session has no checkpoint folder"
    with pytest.raises(ConfigError, match=said), checkpointed(session("yarn"), 11):
        pass
