"""Settings of the stage evaluate."""

from __future__ import annotations

from pydantic import Field, field_validator

from personalake.settings import Section


class Evaluate(Section):
    """How lists are measured: trained as of test_days before the day, tested on the days up to it."""

    test_days: int = Field(default=14, ge=1, description="Days at the end that lists are tested on")
    ks: tuple[int, ...] = Field(default=(5, 10, 20), description="Lengths at which lists are cut and measured")
    only_new: bool = Field(default=True, description="Count only items the person had not met before the test days")
    seed: int = Field(default=7, description="Seed of the random lists to compare with")

    @field_validator("ks")
    @classmethod
    def _positive(cls, ks: tuple[int, ...]) -> tuple[int, ...]:
        if not ks or min(ks) < 1 or len(set(ks)) != len(ks):
            raise ValueError("give one or more different lengths from 1")
        return ks
