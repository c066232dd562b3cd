"""Who is alike: segments of persons, described in words, with names that last."""

from __future__ import annotations

from personalake.segments.kmeans import FittedSegments, fit_segments
from personalake.segments.segment import Segmentation, build_segments
from personalake.segments.settings import FeaturePreparation, Segments

__all__ = [
    "FeaturePreparation",
    "FittedSegments",
    "Segmentation",
    "Segments",
    "build_segments",
    "fit_segments",
]
