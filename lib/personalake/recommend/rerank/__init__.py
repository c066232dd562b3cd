"""Another order for a list's candidates: diverse, calibrated to a person's taste, capped by brand and category."""

from __future__ import annotations

from personalake.recommend.rerank.settings import Rerank

__all__ = ["Rerank"]
