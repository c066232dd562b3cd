"""How well a clustering comes out: its silhouette, and whether both halves of the persons give the same one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
from pyspark.ml.evaluation import ClusteringEvaluator
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from personalake.segments.assign import arrays_of, persons_by_segment
from personalake.segments.methods import AnyMethod
from personalake.segments.placement import DECIMALS, Placement
from personalake.segments.points import Effort, Points, half

PERSONS_PER_SEGMENT = 10
"""With fewer persons a segment than this, halves say nothing."""

_AT_ONCE = 2
_HALF_TOLERANCE = 1e-4


def silhouette(points: DataFrame, placement: Placement) -> tuple[float | None, tuple[int, ...]]:
    """The mean silhouette, squared Euclidean, and the persons of each segment that has any.

    Args:
        points: person_id, features, raw.
        placement: of the clustering.

    Returns:
        The silhouette by MLlib's ClusteringEvaluator, rounded to 9 decimals, None with fewer than two segments; and
        the counts.

    Source:
        Rousseeuw (1987), in the form that needs one pass over squared distances.
    """
    counts = tuple(sorted(row["person_count"] for row in persons_by_segment(points, placement).collect()))
    if len(counts) < 2:
        return None, counts

    def place(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            labels = pa.array(placement.labels(*arrays_of(batch)), pa.int32())
            yield pa.RecordBatch.from_arrays([batch.column("features"), labels], names=["features", "centre"])

    placed = points.mapInArrow(place, "features array<double>, centre int")
    evaluator = ClusteringEvaluator(featuresCol="vector", predictionCol="centre", distanceMeasure="squaredEuclidean")
    value = evaluator.evaluate(placed.select(array_to_vector(F.col("features")).alias("vector"), "centre"))
    return round(value, DECIMALS), counts


def stabilities(
    points: Points, method: AnyMethod, ks: Sequence[int], turns: int, effort: Effort
) -> dict[int, float | None]:
    """How much alike the clusterings of two halves of the persons are, by k.

    Each turn halves the persons by hash, fits each half alone, and places everybody by both: the adjusted Rand index
    between the two, averaged over the turns. 1: the same; 0: no more than chance.

    Args:
        points: the persons.
        method: what is fitted.
        ks: numbers of segments.
        turns: how often; 0: nothing is measured.
        effort: of the fits; they may end early.

    Returns:
        k → stability, rounded to 9 decimals; None where not measured, or with too few persons.

    Cost:
        Two fits on half of the persons per k and turn, two at a time; one pass for all.

    Source:
        Halves: Lange, Roth, Braun and Buhmann (2004), "Stability-based validation of clustering solutions". Index:
        Hubert and Arabie (1985).
    """
    asked = [k for k in ks if 1 < k <= points.person_count // PERSONS_PER_SEGMENT or not method.has_k]
    jobs = [(k, turn, side) for k in asked for turn in range(turns) for side in (0, 1)]
    quick = Effort(effort.iterations, max(effort.tolerance, _HALF_TOLERANCE), effort.seed)
    halves = {
        (turn, side): Points(half(points.frame, turn, side), points.person_count // 2, points.names)
        for turn in range(turns)
        for side in (0, 1)
    }
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        fitted = dict(zip(jobs, pool.map(lambda job: method.fit(halves[job[1:]], job[0], quick), jobs), strict=True))
    pairs = [(k, turn) for k in asked for turn in range(turns)]
    tables = contingencies(points.frame, [(fitted[(*pair, 0)], fitted[(*pair, 1)]) for pair in pairs])
    by_k: dict[int, list[float]] = defaultdict(list)
    for n, (k, _) in enumerate(pairs):
        by_k[k].append(adjusted_rand(tables.get(n, {})))
    return {k: round(float(np.mean(by_k[k])), DECIMALS) if by_k[k] else None for k in ks}


def contingencies(
    points: DataFrame, pairs: Sequence[tuple[Placement, Placement]]
) -> dict[int, dict[tuple[int, int], int]]:
    """How many persons two clusterings put where, for each pair of them.

    Returns:
        Number of the pair → (label of the first, label of the second) → persons.

    Cost:
        One pass; a row per pair and pair of labels comes back.
    """
    if not pairs:
        return {}

    def count(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            features, raw = arrays_of(batch)
            for n, (left, right) in enumerate(pairs):
                both = np.stack([left.labels(features, raw), right.labels(features, raw)])
                cells, counts = np.unique(both, axis=1, return_counts=True)
                columns = [np.full(len(counts), n), *cells, counts]
                arrays = [pa.array(column.astype(np.int64)) for column in columns]
                yield pa.RecordBatch.from_arrays(arrays, names=["pair", "a", "b", "person_count"])

    counted = points.mapInArrow(count, "pair bigint, a bigint, b bigint, person_count bigint")
    rows = counted.groupBy("pair", "a", "b").agg(F.sum("person_count").alias("person_count")).collect()
    tables: dict[int, dict[tuple[int, int], int]] = defaultdict(dict)
    for row in rows:
        tables[row["pair"]][row["a"], row["b"]] = row["person_count"]
    return tables


def adjusted_rand(table: Mapping[tuple[int, int], int]) -> float:
    """The adjusted Rand index of two clusterings: 1 where they are the same, about 0 where only chance agrees.

    Args:
        table: (label of the first, label of the second) → persons.

    Source:
        Hubert and Arabie (1985), equation 5.
    """
    rows: dict[int, int] = defaultdict(int)
    columns: dict[int, int] = defaultdict(int)
    for (a, b), count in table.items():
        rows[a] += count
        columns[b] += count
    together = sum(map(_pairs, table.values()))
    left, right, every = sum(map(_pairs, rows.values())), sum(map(_pairs, columns.values())), _pairs(sum(rows.values()))
    expected = left * right / every if every else 0.0
    most = (left + right) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def _pairs(count: int) -> int:
    return count * (count - 1) // 2
