"""Gamma-Gamma: what a purchase of a customer is worth on average. Plain numpy.

Fader, P. S. and Hardie, B. G. S. (2013): The Gamma-Gamma Model of Monetary Value. A customer's purchases vary around a
mean of their own (gamma: p), and the means vary over customers (gamma: q, gamma).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, psi

Vector = NDArray[np.float64]

NAMES = ("p", "q", "gamma")
COLUMNS = ("order_days", "mean")


def loss(log_parameters: Vector, rows: Vector) -> Vector:
    """Negative log-likelihood and its gradient by the logarithms of the parameters, summed over the rows.

    Args:
        log_parameters: ln p, ln q, ln gamma.
        rows: n × 3: purchases, their mean (in units of gamma, > 0), person_count.

    Returns:
        The sum, then its three derivatives.
    """
    p, q, gamma = np.exp(log_parameters)
    x, mean, count = rows.T
    px, total = p * x, gamma + x * mean
    spread = gammaln(px + q) - gammaln(px) - gammaln(q)
    value = spread + q * np.log(gamma) + (px - 1) * np.log(mean) + px * np.log(x) - (px + q) * np.log(total)
    by_p = x * (psi(px + q) - psi(px) + np.log(x * mean) - np.log(total))
    by_q = psi(px + q) - psi(q) + np.log(gamma) - np.log(total)
    by_gamma = q / gamma - (px + q) / total
    parts = np.stack([value, by_p * p, by_q * q, by_gamma * gamma])
    return np.asarray(-(parts * count).sum(axis=1), dtype=np.float64)


def expected_spend(parameters: Vector, order_days: Vector, mean: Vector) -> Vector:
    """The mean value of a customer's purchases, given those seen: between their own mean and everybody's.

    Args:
        parameters: p, q, gamma; q > 1, or the mean over customers is infinite.
        order_days: purchases seen, ≥ 1.
        mean: their mean value.
    """
    p, q, gamma = parameters
    return np.asarray(p * (gamma + order_days * mean) / (p * order_days + q - 1), dtype=np.float64)
