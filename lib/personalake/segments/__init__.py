"""Who is alike: segments of persons, described in words, with names that last."""

from __future__ import annotations

from personalake.segments.fit import fit_segments
from personalake.segments.fitted import Candidate, FittedSegments
from personalake.segments.models import place_again, usable_model
from personalake.segments.segment import Segmentation, build_segments
from personalake.segments.settings import FeaturePreparation, Segments

__all__ = [
    "Candidate",
    "FeaturePreparation",
    "FittedSegments",
    "Segmentation",
    "Segments",
    "build_segments",
    "fit_segments",
    "place_again",
    "usable_model",
]
