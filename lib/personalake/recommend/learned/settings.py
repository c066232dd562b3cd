"""How a blend is learned."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from personalake.settings import Section


class Learned(Section):
    """What the learned blend is trained on: candidates as of some days ago, and whether they were taken up since."""

    model: Literal["logistic", "gbt"] = Field(
        default="logistic", description="logistic regression, or gradient-boosted trees"
    )
    days: int = Field(default=7, ge=1, description="Days at the end that tell which candidates were taken up")
    train_persons: int = Field(
        default=2000,
        ge=1,
        description="Most persons trained on: those whose ids hash lowest of all who took something up",
    )
    least_positives: int = Field(
        default=100, ge=1, description="Candidates taken up that training needs; with fewer, reciprocal_rank blends"
    )
    regularisation: float = Field(default=0.001, ge=0, description="logistic: ridge on standardised features")
    seed: int = Field(default=7, description="gbt: seed")
