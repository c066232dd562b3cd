"""The closed form of EASE on one machine, in the place of its Gram matrix."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from personalake.recommend.block_kernels import row_blocks
from personalake.recommend.ragged import Doubles


def closed_form(entries: sparse.csr_matrix, regularisation: float) -> Doubles:
    """What each item adds to each other one: Steck 2019, eq. 8.

    Args:
        entries: persons × items.
        regularisation: λ > 0.

    Returns:
        items × items: −P / diag(P) by column, 0 on the diagonal, with P = (XᵀX + λI)⁻¹. One matrix is held, and blocks.
    """
    weights = gram(entries)
    if len(weights) == 0:
        return weights
    weights[np.diag_indices_from(weights)] += regularisation
    # LAPACK counts by columns: of a symmetric matrix that is the same one, and so it is inverted where it lies.
    factor, fault = lapack.dpotrf(weights.T, lower=1, clean=0, overwrite_a=1)
    inverse, fault = (factor, fault) if fault else lapack.dpotri(factor, lower=1, overwrite_c=1)
    if fault:
        raise ArithmeticError(f"the Gram matrix could not be inverted: LAPACK says {fault}")
    for start, stop in row_blocks(len(inverse), 8 * len(inverse)):
        square = inverse[start:stop, start:stop]
        square[:] = np.tril(square) + np.tril(square, -1).T
        inverse[start:stop, stop:] = inverse[stop:, start:stop].T
    # Symmetric again, so its transpose, which lies by rows, is the same matrix.
    weights = np.asarray(inverse.T)
    weights /= -np.diag(weights).copy()
    weights[np.diag_indices_from(weights)] = 0.0
    return weights


def gram(entries: sparse.csr_matrix) -> Doubles:
    """XᵀX, dense, row block by row block: the sparse product is never whole.

    Args:
        entries: persons × items.
    """
    by_item = entries.T.tocsr()
    products = np.empty((by_item.shape[0], by_item.shape[0]))
    for start, stop in row_blocks(len(products), 8 * len(products)):
        products[start:stop] = (by_item[start:stop] @ entries).toarray()
    return products
