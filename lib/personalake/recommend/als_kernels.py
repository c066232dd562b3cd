"""The arithmetic of ALS on numpy arrays: fold-in of a history."""

from __future__ import annotations

import numpy as np

from personalake.recommend.ragged import Doubles


def half_step(
    factors: Doubles, gram: Doubles, weights: Doubles, regularisation: float, alpha: float, implicit: bool
) -> Doubles:
    """One person's factors from the factors of the items of a history: the ALS normal equations, as MLlib has them.

    Implicit: (YᵀY + Σ α r y yᵀ + λ n I) x = Σ (1 + α r) y, Hu, Koren, Volinsky 2008 with λ scaled by the length n of
    the history; explicit: (Σ y yᵀ + λ n I) x = Σ r y.

    Args:
        factors: n × rank, the items of the history.
        gram: rank × rank, YᵀY over all items; read where implicit.
        weights: n, r > 0.
        regularisation: λ.
        alpha: α, how much confidence a unit of weight adds.
        implicit: which of the two forms.

    Returns:
        rank numbers.
    """
    ridge = regularisation * len(weights) * np.eye(factors.shape[1])
    if implicit:
        left = gram + (factors.T * (alpha * weights)) @ factors + ridge
        right = factors.T @ (1.0 + alpha * weights)
    else:
        left = factors.T @ factors + ridge
        right = factors.T @ weights
    try:
        solved = np.linalg.solve(left, right)
    except np.linalg.LinAlgError:  # without a ridge a short history leaves directions open: the shortest solution
        solved = np.linalg.lstsq(left, right, rcond=None)[0]
    return np.asarray(solved, dtype=np.float64)
