"""Finding the segments: k from conf or chosen by silhouette and stability, the same under any partitioning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.storagelevel import StorageLevel

from personalake.segments.assign import persons_by_segment
from personalake.segments.fitted import Candidate, FittedSegments, mean_rows, nothing_fitted
from personalake.segments.methods import AnyMethod
from personalake.segments.placement import Cells, Densest, Nearest, Placement, Rows, tuples
from personalake.segments.points import Effort, Points, drawn, pinned
from personalake.segments.prepare import fit_preparation
from personalake.segments.rfm_grid import RFM_LABELS
from personalake.segments.settings import Segments
from personalake.segments.stability import silhouette, stabilities

_TOLERANCE = 1e-9


def fit_segments(profiles: DataFrame, settings: Segments, seed: int, method: str | None = None) -> FittedSegments:
    """Find the segments of the persons.

    With fewer distinct persons than k there are as many segments as distinct persons; without persons, none.

    Args:
        profiles: one row per person as of one day; reads person_id, the features that settings name, and what the
            method reads beside them.
        settings: features, methods, k or its bounds, iterations, how k is chosen.
        seed: of MLlib's start.
        method: name of one of settings.methods; None: settings.method.

    Cost:
        The persons are sorted within fixed partitions and cached while the fit lasts. For each k one fit, two more per
        resample on half of them, and a silhouette; all these on measure_persons at most. Where persons are more, the
        chosen k is fitted once on all of them.
    """
    name = method or settings.method
    how = settings.methods[name]
    preparation = fit_preparation(profiles, settings)
    if not preparation.features:
        return nothing_fitted(name)
    points = pinned(preparation.prepared(profiles, how.raw_columns), preparation.names)
    points.frame.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        placement, candidates = _best_fit(points, how, settings, seed)
        placement, centres, counts = _in_order(points, placement)
    finally:
        points.frame.unpersist()
    value = next((c.silhouette for c in candidates if c.is_chosen), None)
    labels = RFM_LABELS if isinstance(placement, Cells) else None
    return FittedSegments(
        name, preparation, placement, tuple(how.raw_columns), centres, counts, value, candidates, labels
    )


def chosen(candidates: Sequence[Candidate], stability_min: float) -> Candidate:
    """The number of segments that stands.

    Of those that are stable enough the highest silhouette; where none is, the most stable. Of equals the smallest k.

    Args:
        candidates: what was tried. Where the stability of some was measured, those where it could not be are no choice:
            too few persons a segment say nothing for them. Where that of none was, the silhouette decides.
        stability_min: stable enough.
    """
    measured = [c for c in candidates if c.stability is not None]
    stable = (
        [c for c in measured if c.stability is not None and c.stability >= stability_min] if measured else candidates
    )
    if stable:
        return min(stable, key=lambda c: (-(c.silhouette if c.silhouette is not None else -1.0), c.k))
    return min(measured, key=lambda c: (-(c.stability or 0.0), c.k))


def _best_fit(
    points: Points, method: AnyMethod, settings: Segments, seed: int
) -> tuple[Placement, tuple[Candidate, ...]]:
    """The fit that stands, and every k that was tried."""
    effort = Effort(settings.iterations, _TOLERANCE, seed)
    if points.person_count <= settings.measure_persons:
        return _tried(points, method, settings, effort, None)
    sample = drawn(points, settings.measure_persons).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        return _tried(Points(sample, sample.count(), points.names), method, settings, effort, points)
    finally:
        sample.unpersist()


def _tried(
    points: Points, method: AnyMethod, settings: Segments, effort: Effort, everyone: Points | None
) -> tuple[Placement, tuple[Candidate, ...]]:
    """Each k fitted and measured on some persons; the chosen one fitted on everyone where those are more."""
    ks = _ks(points.frame, settings) if method.has_k else [0]
    fits = {k: method.fit(points, k, effort) for k in ks}
    stable = stabilities(points, method, ks, settings.resamples if _is_fitted(fits[ks[0]]) else 0, effort)
    tried = [_measured(points, k, fits[k], stable[k]) for k in ks]
    best = chosen(tried, settings.stability_min)
    placement = fits[best.k]
    if everyone is not None and _is_fitted(placement):
        placement = method.fit(everyone, best.k, effort)
        again = _measured(points, best.k, placement, best.stability)
        tried = [again if c.k == best.k else c for c in tried]
    return placement, tuple(replace(c, is_chosen=c.k == best.k, k=c.k or c.segment_count) for c in tried)


def _is_fitted(placement: Placement) -> bool:
    return not isinstance(placement, Cells)


def _measured(points: Points, k: int, placement: Placement, stability: float | None) -> Candidate:
    value, counts = silhouette(points.frame, placement)
    smallest = counts[0] / sum(counts) if counts else 0.0
    return Candidate(k, value, stability, len(counts), smallest, sum(counts))


def _ks(points: DataFrame, settings: Segments) -> list[int]:
    """The numbers of segments to try, none above the number of distinct points."""
    wanted = [settings.k] if settings.k else list(range(settings.k_min, settings.k_max + 1))
    distinct = points.select("features").distinct().limit(max(wanted)).count()
    return sorted({min(k, distinct) for k in wanted})


def _in_order(points: Points, placement: Placement) -> tuple[Placement, Rows, tuple[int, ...]]:
    """The segments that anybody is in, the most populous first, and their persons; a grid keeps its own order."""
    found = {row["centre"]: row for row in persons_by_segment(points.frame, placement).collect()}
    size = len(points.names)
    if isinstance(placement, Cells):
        counts = [found[n]["person_count"] if n in found else 0 for n in range(len(RFM_LABELS))]
        sums = [found[n]["sums"] if n in found else [0.0] * size for n in range(len(RFM_LABELS))]
        return placement, tuples(mean_rows(sums, counts)), tuple(counts)
    counted = {n: row["person_count"] for n, row in found.items()}
    if isinstance(placement, Nearest | Densest):
        centres = {n: placement.centres[n] for n in found}
    else:
        rows = tuples(mean_rows([found[n]["sums"] for n in found], [counted[n] for n in found]))
        centres = dict(zip(found, rows, strict=True))
    order = sorted(found, key=lambda n: (-counted[n], centres[n]))
    return placement.only(order), tuple(centres[n] for n in order), tuple(counted[n] for n in order)
