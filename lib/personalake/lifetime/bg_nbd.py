"""BG/NBD: how many purchases come, and whether a customer still is one. Plain numpy.

Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005): "Counting Your Customers" the Easy Way: An Alternative to the
Pareto/NBD Model. Marketing Science 24(2), 275-284. While active a customer buys at a rate of their own (gamma over
customers: r, alpha), and leaves after any purchase with a probability of their own (beta: a, b).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, hyp2f1

Vector = NDArray[np.float64]

NAMES = ("r", "alpha", "a", "b")
COLUMNS = ("frequency", "recency", "age")
_NEAR_ONE = 1e-6


def loss(log_parameters: Vector, rows: Vector) -> Vector:
    """Negative log-likelihood and its gradient by the logarithms of the parameters, summed over the rows.

    Args:
        log_parameters: ln r, ln alpha, ln a, ln b.
        rows: n × 4: frequency, recency, age (time in units of alpha), person_count.

    Returns:
        The sum, then its four derivatives.
    """
    r, alpha, a, b = np.exp(log_parameters)
    x, recency, age, count = rows.T
    by_x = _by_frequency(int(x.max()), r, alpha, a, b)[:, x.astype(np.intp)]
    repeats = x > 0
    last = np.where(repeats, b + x - 1, 1.0)  # not read where there is no repeat
    log_age, log_recency = np.log(alpha + age), np.log(alpha + recency)
    alive = -(r + x) * log_age
    left = np.where(repeats, np.log(a) - np.log(last) - (r + x) * log_recency, -np.inf)
    w = np.where(repeats, expit(left - alive), 0.0)  # of the two ways to see this history, the share of having left
    value = by_x[0] + np.logaddexp(alive, left)
    by_r = by_x[1] - (1 - w) * log_age - w * log_recency
    by_alpha = r / alpha - (r + x) * ((1 - w) / (alpha + age) + w / (alpha + recency))
    by_a = by_x[2] + w / a
    by_b = by_x[3] - np.where(repeats, w / last, 0.0)
    parts = np.stack([value, by_r * r, by_alpha * alpha, by_a * a, by_b * b])
    return np.asarray(-(parts * count).sum(axis=1), dtype=np.float64)


def _by_frequency(greatest: int, r: float, alpha: float, a: float, b: float) -> Vector:
    """What the frequency alone decides of the log-likelihood and of its slopes by r, a and b: 4 × (0 … greatest).

    Frequencies are whole, so each ratio of gamma functions is a product: no special function, and nothing that cancels
    out where b is large.
    """
    n = np.arange(greatest)
    steps = np.stack([np.log(r + n) + np.log1p(-a / (a + b + n)), 1 / (r + n), -1 / (a + b + n), 1 / (b + n)])
    value, by_r, by_a, by_b = np.concatenate([np.zeros((4, 1)), steps.cumsum(axis=1)], axis=1)
    return np.stack([value + r * np.log(alpha), by_r + np.log(alpha), by_a, by_a + by_b])


def alive_probability(parameters: Vector, frequency: Vector, recency: Vector, age: Vector) -> Vector:
    """The probability that a customer has not left by the end of the age; 1 for who bought once.

    Fader, Hardie and Lee (2008): Computing P(alive) Using the BG/NBD Model. Who bought once had no purchase to leave
    after but the first, which the model does not count.

    Args:
        parameters: r, alpha, a, b.
        frequency: repeat purchases.
        recency: time of the last one since the first purchase.
        age: time since the first purchase.
    """
    r, alpha, a, b = parameters
    repeats = frequency > 0
    last = np.where(repeats, b + frequency - 1, 1.0)
    odds = np.log(a) - np.log(last) + (r + frequency) * (np.log(alpha + age) - np.log(alpha + recency))
    return np.where(repeats, expit(-odds), 1.0)


def expected_purchases(parameters: Vector, frequency: Vector, recency: Vector, age: Vector, ahead: float) -> Vector:
    """The purchases expected in the time ahead, given the history: equation 10 of the paper.

    The hypergeometric function is taken after Euler's transformation, F(A, B; C; z) = (1-z)^(C-A-B) F(C-A, C-B; C; z):
    then no power of the frequency stands before it, and it does not overflow for who buys daily.

    Args:
        parameters: r, alpha, a, b.
        frequency: repeat purchases.
        recency: time of the last one since the first purchase.
        age: time since the first purchase.
        ahead: how far ahead, > 0.
    """
    r, alpha, a, b = parameters
    if abs(a - 1) < _NEAR_ONE:  # the formula divides by a - 1; its limit lies between the sides
        a = 1 + _NEAR_ONE
    z = ahead / (alpha + age + ahead)
    series = (1 - z) ** (a - 1) * hyp2f1(a + b - 1 - r, a - 1, a + b + frequency - 1, z)
    while_alive = (a + b + frequency - 1) / (a - 1) * (1 - series)
    return np.asarray(while_alive * alive_probability(parameters, frequency, recency, age), dtype=np.float64)
