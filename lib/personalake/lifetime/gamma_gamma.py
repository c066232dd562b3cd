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
    days, mean, count = rows.T
    log_total = np.log(gamma + days * mean)
    # What depends on the number of purchases alone is computed once for each number; the rest is summed by it.
    number = days.astype(np.intp)
    persons, log_mean, log_total, inverse = (
        np.bincount(number, weights=count * each)
        for each in (np.ones(len(rows)), np.log(mean), log_total, 1 / (gamma + days * mean))
    )
    x = np.flatnonzero(persons)
    persons, log_mean, log_total, inverse = persons[x], log_mean[x], log_total[x], inverse[x]
    px, log_x, log_gamma = p * x, np.log(x), np.log(gamma)
    psi_all = psi(px + q)
    spread = gammaln(px + q) - gammaln(px) - gammaln(q) + q * log_gamma + px * log_x
    value = persons * spread + (px - 1) * log_mean - (px + q) * log_total
    by_p = x * (persons * (psi_all - psi(px) + log_x) + log_mean - log_total)
    by_q = persons * (psi_all - psi(q) + log_gamma) - log_total
    by_gamma = persons * (q / gamma) - (px + q) * inverse
    parts = np.stack([value, by_p * p, by_q * q, by_gamma * gamma])
    return np.asarray(-parts.sum(axis=1), dtype=np.float64)


def expected_spend(parameters: Vector, order_days: Vector, mean: Vector) -> Vector:
    """The mean value of a customer's purchases, given those seen: between their own mean and everybody's.

    Args:
        parameters: p, q, gamma; q > 1, or the mean over customers is infinite.
        order_days: purchases seen, ≥ 1.
        mean: their mean value.
    """
    p, q, gamma = parameters
    return np.asarray(p * (gamma + order_days * mean) / (p * order_days + q - 1), dtype=np.float64)
