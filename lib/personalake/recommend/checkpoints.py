"""Where long iterations cut their lineage: without it a task of the fifteenth iteration no longer fits its stack."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from personalake.errors import ConfigError, Fault
from personalake.recommend.node_arrays import shares_disk

# MLlib's own default: as far as the plain lineage carries.
UNCHECKED_ITERATIONS = 10
_OURS = "personalake-checkpoints-"


@contextmanager
def checkpointed(spark: SparkSession, iterations: int) -> Iterator[None]:
    """Make sure that there is a checkpoint folder while a model is fitted.

    The session's own folder is used, and left alone, where it has one. In local mode a scratch folder serves, and is
    removed afterwards.

    Args:
        spark: the session that fits.
        iterations: how many there will be.

    Raises:
        ConfigError: on a cluster, for more than 10 iterations, where the session has no checkpoint folder.
    """
    context = spark.sparkContext
    folder = context.getCheckpointDir()
    if folder is not None and _OURS not in folder:
        yield
        return
    if not shares_disk(spark):
        if iterations > UNCHECKED_ITERATIONS:
            todo = "Set spark.checkpoint.dir to a folder that every node reaches, or take 10 iterations at most."
            raise ConfigError(
                Fault("als.iterations", f"is {iterations}, and the session has no checkpoint folder.", todo)
            )
        yield
        return
    scratch = tempfile.mkdtemp(prefix=_OURS)
    try:
        context.setCheckpointDir(scratch)
        yield
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
