"""The person × item matrix of the engine cg, gathered on the driver once it is known to fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.errors import ConfigError, DataError, Fault
from personalake.recommend.checks import PAIR
from personalake.recommend.node_arrays import shares_disk
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
        ConfigError: matrix and factors take more than cg_memory_mb, or, on a cluster, more than
            spark.driver.maxResultSize lets by.
        DataError: a weight is too large for float32 sums.

    Cost:
        One job in local mode, where the rows are laid down on the disk and looked at there; on a cluster two: the size
        is asked for before the rows are.
    """
    spark = interactions.sparkSession
    if shares_disk(spark):
        table = fetched(interactions.select(*PAIR, "weight"))
        size = _laid_down(table)
        _check(size, 0.0, settings)
    else:
        size = _reckoned(interactions)
        allowed = _bytes_of(spark.conf.get("spark.driver.maxResultSize", "1g") or "1g")
        _check(size, allowed, settings)
        table = fetched(interactions.select(*PAIR, "weight"))
    return matrix_of(table["person_id"], table["item_id"], table["weight"].to_numpy().astype(np.float32))


@dataclass(frozen=True)
class _Size:
    """What there is: rows, distinct ids, the heaviest weight, and what the ids take where they come by the row."""

    rows: int
    persons: int
    items: int
    heaviest: float
    id_bytes: int = 0


def _laid_down(table: pa.Table) -> _Size:
    """The size of rows that lie on this machine's disk already."""
    persons, items = (_distinct(table[name]) for name in PAIR)
    return _Size(table.num_rows, persons, items, pc.max(table["weight"]).as_py() or 0.0)


def _distinct(ids: pa.ChunkedArray) -> int:
    if pa.types.is_dictionary(ids.type):
        return len(ids.unify_dictionaries().chunk(0).dictionary) if ids.num_chunks else 0
    return int(pc.count_distinct(ids).as_py())


def _reckoned(interactions: DataFrame) -> _Size:
    """The size of rows before they come: one job."""
    kinds = interactions.select(*PAIR).dtypes
    id_bytes = [F.octet_length(name) + F.lit(4) if kind == "string" else F.lit(8) for name, kind in kinds]
    counts = [F.approx_count_distinct(name).alias(name.replace("_id", "s")) for name in PAIR]
    sums = (F.max("weight").alias("heaviest"), F.sum(id_bytes[0] + id_bytes[1]).alias("id_bytes"))
    found = interactions.agg(F.count(F.lit(1)).alias("rows"), *counts, *sums).first()
    if found is None:
        raise RuntimeError("an aggregate without groups gave no row")
    return _Size(**{name: value or 0 for name, value in found.asDict().items()})


def _check(size: _Size, allowed: float, settings: Als) -> None:
    """Refuse what does not fit: `allowed` is what may come to the driver at once [bytes], 0 where nothing does."""
    row_bytes = settings.rank * _FLOAT_BYTES
    gathered = size.id_bytes + size.rows * _FLOAT_BYTES
    factors = (size.persons + size.items) * row_bytes * _FACTOR_COPIES
    needed = gathered + size.rows * ENTRY_BYTES + factors
    faults = []
    if needed > settings.cg_memory_mb * _MB:
        text = f"allows {settings.cg_memory_mb} MiB, and matrix and factors take {needed / _MB:.0f} MiB."
        faults.append(
            Fault("als.cg_memory_mb", text, "Raise it to what driver and nodes can hold, or set engine: mllib.")
        )
    widest = max(gathered, max(size.persons, size.items) * row_bytes)
    if 0 < allowed < widest:
        text = f"allows {allowed / _MB:.0f} MiB, and {widest / _MB:.0f} MiB come to the driver at once."
        faults.append(Fault("spark.driver.maxResultSize", text, "Raise it, or set engine: mllib."))
    if faults:
        raise ConfigError(*faults)
    _check_weights(size.heaviest, settings)


def _check_weights(heaviest: float, settings: Als) -> None:
    name, value = ("alpha × weight", settings.alpha * heaviest) if settings.implicit else ("weight", heaviest)
    if value > HEAVIEST:
        text = f"goes up to {heaviest:.3g}; engine cg takes {name} up to {HEAVIEST:.0e}."
        raise DataError(Fault("interactions.weight", text, "Take its logarithm, cap it, or set engine: mllib."))


def _bytes_of(size: str) -> int:
    """A size as Spark writes it, such as 1g or 512m, in bytes; 0 where it sets no bound or cannot be read."""
    found = re.fullmatch(r"(\d+)([bkmgtp]?)b?", size.strip().lower())
    return int(found[1]) << _SIZES[found[2]] if found else 0
