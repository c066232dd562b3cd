"""Every person in a segment, and every segment's persons counted: one vectorised pass each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.segments.placement import DECIMALS, Placement, Vector


def arrays_of(batch: pa.RecordBatch) -> tuple[Vector, Vector]:
    """The features and the raw columns of a batch of points, one row a person; NaN where a raw one is null."""
    return _rows(batch, "features"), _rows(batch, "raw")


def segment_by_person(points: DataFrame, placement: Placement, centres: Vector) -> DataFrame:
    """Where each person belongs.

    Args:
        points: person_id, features (array<double>), raw (array<double>).
        placement: of the model.
        centres: one row per segment, in the same space.

    Returns:
        person_id, centre (int, row of centres), distance (double, Euclidean, to that centre, rounded to 9 decimals).

    Cost:
        One pass, vectorised; nothing is shuffled.
    """

    def place(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            features, raw = arrays_of(batch)
            labels = placement.labels(features, raw)
            away = np.sqrt(((features - centres[labels]) ** 2).sum(axis=1)).round(DECIMALS)
            columns = [batch.column("person_id"), pa.array(labels, pa.int32()), pa.array(away)]
            yield pa.RecordBatch.from_arrays(columns, names=["person_id", "centre", "distance"])

    return points.mapInArrow(place, "person_id string, centre int, distance double")


def persons_by_segment(points: DataFrame, placement: Placement) -> DataFrame:
    """How many persons are where, and the sums of their features.

    Args:
        points: as in `segment_by_person`.
        placement: of the model.

    Returns:
        centre (int), person_count (bigint), sums (array<double>); segments of nobody have no row.

    Cost:
        One vectorised pass that leaves a row per segment and batch, summed in one shuffle.
    """

    def add(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            features, raw = arrays_of(batch)
            labels = placement.labels(features, raw)
            there = np.unique(labels)
            counts = [int((labels == label).sum()) for label in there]
            sums = [features[labels == label].sum(axis=0).tolist() for label in there]
            columns = [
                pa.array(there, pa.int32()),
                pa.array(counts, pa.int64()),
                pa.array(sums, pa.list_(pa.float64())),
            ]
            yield pa.RecordBatch.from_arrays(columns, names=["centre", "person_count", "sums"])

    found = points.mapInArrow(add, "centre int, person_count bigint, sums array<double>")
    each = found.select("centre", "person_count", F.posexplode("sums").alias("_place", "_sum"))
    by_place = each.groupBy("centre", "_place").agg(
        F.sum("person_count").alias("person_count"), F.sum("_sum").alias("_sum")
    )
    in_place = F.transform(F.array_sort(F.collect_list(F.struct("_place", "_sum"))), lambda pair: pair["_sum"])
    return by_place.groupBy("centre").agg(F.max("person_count").alias("person_count"), in_place.alias("sums"))


def _rows(batch: pa.RecordBatch, name: str) -> Vector:
    flat: Vector = batch.column(name).flatten().to_numpy(zero_copy_only=False)
    count = len(batch)
    return flat.astype(np.float64).reshape(count, len(flat) // count if count else 0)
