"""How candidates are re-ranked."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from personalake.settings import Section

Kind = Literal["category", "brand", "price_band"]


class Rerank(Section):
    """Trades a little relevance for diversity and for a list that is like the person's taste; off by default."""

    mmr_lambda: float = Field(
        default=1.0, ge=0, le=1, description="Share of relevance against unlikeness to what stands above; 1: off"
    )
    calibration: float = Field(
        default=0.0, ge=0, lt=1, description="Weight of being like the person's taste against relevance; 0: off"
    )
    calibrate_by: Kind = Field(default="category", description="What a taste is a distribution of")
    calibration_smoothing: float = Field(
        default=0.01, gt=0, lt=1, description="Share of the taste mixed into the list's distribution, as Steck's alpha"
    )

    @property
    def is_on(self) -> bool:
        """Whether anything is re-ranked."""
        return self.mmr_lambda < 1 or self.calibration > 0
