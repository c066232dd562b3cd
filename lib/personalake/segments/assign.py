"""Which centre a person is nearest to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from personalake.segments.prepare import Vector


def nearest_centre_by_person(prepared: DataFrame, centres: Vector) -> DataFrame:
    """The nearest centre; of centres equally near, the first.

    Args:
        prepared: person_id, features (array<double>).
        centres: one row per centre, in the same space.

    Returns:
        person_id, centre (int, row of centres), distance (double, Euclidean, rounded to 9 decimals).

    Cost:
        One pass, vectorised; nothing is shuffled.
    """

    def nearest(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            points = batch.column("features").flatten().to_numpy(zero_copy_only=False).reshape(-1, centres.shape[1])
            # Differences, not the expanded square: exact zeros stay zeros.
            squares = np.stack([((points - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
            distances = np.round(np.sqrt(squares), 9)
            best = distances.argmin(axis=1)
            yield pa.RecordBatch.from_arrays(
                [
                    batch.column("person_id"),
                    pa.array(best, pa.int32()),
                    pa.array(distances[np.arange(len(best)), best]),
                ],
                names=["person_id", "centre", "distance"],
            )

    return prepared.mapInArrow(nearest, "person_id string, centre int, distance double")
