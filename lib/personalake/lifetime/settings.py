"""What lifetime can be told."""

from __future__ import annotations

from pydantic import Field

from personalake.settings import Section


class Lifetime(Section):
    """How buyers' futures are reckoned: BG/NBD and Gamma-Gamma, fitted on everybody's days with an order."""

    is_on: bool = Field(True, description="Whether the models are fitted; where not, their features are empty")
    period_days: int = Field(7, ge=1, description="Unit of time of the BG/NBD parameters; 7: weeks [days]")
    horizon_days: int = Field(30, ge=1, description="How far ahead profiles look [days]")
    least_buyers: int = Field(50, ge=2, description="Buyers that a fit needs; with fewer the features are empty")
    least_repeaters: int = Field(
        20, ge=1, description="Buyers with a second day of orders that a fit needs; with fewer the features are empty"
    )
    fit_rows: int = Field(
        200_000, ge=1, description="Distinct histories up to so many are fitted on the driver, more by a job a step"
    )
    calibration_days: int = Field(
        30, ge=0, description="Days at the end on which expectations are held against what came; 0: not measured"
    )
