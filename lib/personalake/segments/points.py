"""The persons as points, lying the same way whatever way they came, and parts of them drawn by hash."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

PERSONS_PER_PARTITION = 50_000
"""Partitions follow from the number of persons, never from how the input lies: MLlib's start depends on them."""

_PARTS = 1_000_000


@dataclass(frozen=True)
class Points:
    """Persons in the comparable space.

    Args:
        frame: person_id, features, raw (arrays of doubles), vector (MLlib's).
        person_count: how many.
        names: of the features, in order.
    """

    frame: DataFrame
    person_count: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Effort:
    """How hard a fit tries.

    Args:
        iterations: most steps.
        tolerance: it ends when no centre moves further [deviations].
        seed: of what MLlib draws.
    """

    iterations: int
    tolerance: float
    seed: int


def pinned(prepared: DataFrame, names: tuple[str, ...]) -> Points:
    """The points in partitions and an order of their own.

    Args:
        prepared: person_id, features, raw.
        names: of the features, in order.

    Cost:
        A count, one shuffle, and a sort within each partition.
    """
    person_count = prepared.count()
    parts = max(1, person_count // PERSONS_PER_PARTITION)
    points = prepared.repartition(parts, "person_id").sortWithinPartitions("person_id")
    return Points(points.withColumn("vector", array_to_vector(F.col("features"))), person_count, names)


def drawn(points: Points, limit: int) -> DataFrame:
    """About so many of the persons, drawn by the hash of their ids."""
    share = round(_PARTS * limit / max(points.person_count, 1))
    return points.frame.where(F.pmod(F.xxhash64("person_id"), F.lit(_PARTS)) < share)


def half(points: DataFrame, turn: int, side: int) -> DataFrame:
    """One half of the persons, by the hash of their ids: other halves each turn."""
    return points.where(F.pmod(F.xxhash64(F.lit(turn), F.col("person_id")), F.lit(2)) == side)
