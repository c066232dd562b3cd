"""The person × item matrix of the engine cg, gathered on the driver once it is known to fit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from personalake.errors import ConfigError, DataError, Fault
from personalake.recommend.checks import PAIR
from personalake.recommend.packed import fetched
from personalake.recommend.product.matrix import ENTRY_BYTES, Matrix, matrix_of

if TYPE_CHECKING:
    from personalake.recommend.als import Als

# Beyond this a confidence or a rating, squared on its way through float32, loses all beside it.
HEAVIEST = 1e8
_MB = 2**20
# Factors on the driver: as they were, as they come in, as they are turned, and as they are laid down on the nodes.
_FACTOR_COPIES = 4
_FLOAT_BYTES = 4
_SIZES = {"": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40, "p": 50}


def collected_matrix(interactions: DataFrame, settings: Als) -> Matrix:
    """Fetch the interactions as a matrix of float32, once they and the factors are known to fit.

    Args:
        interactions: one row per pair, checked; reads person_id, item_id, weight.
        settings: of the algorithm.

    Returns:
        The matrix; persons are numbered in the order of their ids, items by falling count of persons. Neither depends
        on the order or the partitions of the rows.

    Raises:
        ConfigError: matrix and factors take more than cg_memory_mb, or more than spark.driver.maxResultSize lets by.
        DataError: a weight is too large for float32 sums.

    Cost:
        Two jobs: the size is asked for before the rows are.
    """
    reckoned = _reckoned(interactions)
    if reckoned["rows"]:
        _check_size(interactions, reckoned, settings)
        _check_weights(reckoned["heaviest"], settings)
    table = fetched(interactions.select(*PAIR, F.col("weight").cast("float").alias("weight")))
    return matrix_of(table["person_id"], table["item_id"], table["weight"].to_numpy().astype(np.float32, copy=False))


def _reckoned(interactions: DataFrame) -> Row:
    kinds = interactions.select(*PAIR).dtypes
    id_bytes = [F.octet_length(name) + F.lit(4) if kind == "string" else F.lit(8) for name, kind in kinds]
    counts = [F.approx_count_distinct(name).alias(name.replace("_id", "s")) for name in PAIR]
    total = F.sum(id_bytes[0] + id_bytes[1]).alias("id_bytes")
    found = interactions.agg(F.count(F.lit(1)).alias("rows"), F.max("weight").alias("heaviest"), total, *counts).first()
    if found is None:
        raise RuntimeError("an aggregate without groups gave no row")
    return found


def _check_size(interactions: DataFrame, found: Row, settings: Als) -> None:
    row_bytes = settings.rank * _FLOAT_BYTES
    gathered = found["id_bytes"] + found["rows"] * _FLOAT_BYTES
    factors = (found["persons"] + found["items"]) * row_bytes * _FACTOR_COPIES
    needed = gathered + found["rows"] * ENTRY_BYTES + factors
    faults = []
    if needed > settings.cg_memory_mb * _MB:
        text = f"allows {settings.cg_memory_mb} MiB, and matrix and factors take {needed / _MB:.0f} MiB."
        faults.append(
            Fault("als.cg_memory_mb", text, "Raise it to what driver and nodes can hold, or set engine: mllib.")
        )
    allowed = _bytes_of(interactions.sparkSession.conf.get("spark.driver.maxResultSize", "1g") or "1g")
    widest = max(gathered, max(found["persons"], found["items"]) * row_bytes)
    if 0 < allowed < widest:
        text = f"allows {allowed / _MB:.0f} MiB, and {widest / _MB:.0f} MiB come to the driver at once."
        faults.append(Fault("spark.driver.maxResultSize", text, "Raise it, or set engine: mllib."))
    if faults:
        raise ConfigError(*faults)


def _check_weights(heaviest: float, settings: Als) -> None:
    name, value = ("alpha × weight", settings.alpha * heaviest) if settings.implicit else ("weight", heaviest)
    if value > HEAVIEST:
        text = f"goes up to {heaviest:.3g}; engine cg takes {name} up to {HEAVIEST:.0e}."
        raise DataError(Fault("interactions.weight", text, "Take its logarithm, cap it, or set engine: mllib."))


def _bytes_of(size: str) -> int:
    """A size as Spark writes it, such as 1g or 512m, in bytes; 0 where it sets no bound or cannot be read."""
    found = re.fullmatch(r"(\d+)([bkmgtp]?)b?", size.strip().lower())
    return int(found[1]) << _SIZES[found[2]] if found else 0
