"""What a customer will do next and is worth: BG/NBD for the number of purchases, Gamma-Gamma for their value."""

from __future__ import annotations

from personalake.lifetime.calibration import calibration_by_frequency
from personalake.lifetime.fit import Fit
from personalake.lifetime.histories import order_histories
from personalake.lifetime.model import FittedLifetime, fit_lifetime, with_lifetime
from personalake.lifetime.settings import Lifetime

__all__ = [
    "Fit",
    "FittedLifetime",
    "Lifetime",
    "calibration_by_frequency",
    "fit_lifetime",
    "order_histories",
    "with_lifetime",
]
