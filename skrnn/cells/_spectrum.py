"""The spectral radius of a matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackError, eigs

_DENSE = 300  # rows up to which all eigenvalues take less time than two searches for the largest
_SEARCHES = ((4, 60), (8, 80))  # eigenvalues and vectors of each: one eigenvalue alone is often not the largest
_AGREE = 1e-9  # relative
_RESTARTS = 100  # searches that end take up to 20; where all eigenvalues have the same modulus, as on a weighted cycle, none ends


def spectral_radius(matrix: Any) -> float:
    """The largest modulus of an eigenvalue.

    Exact to rounding. Of a matrix with more than 300 rows, two searches with many vectors have to converge to the same modulus; where they do not,
    all eigenvalues are computed, O(n³). A matrix without cycles, as a delay line, has the radius 0.

    Parameters
    ----------
    matrix : array-like or scipy sparse array of shape (n, n)
        A reservoir's R; or, with leaky units, a R + (1 − a) I, whose radius says how long the units remember.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the matrix is not square.

    References
    ----------
    R. B. Lehoucq, D. C. Sorensen, C. Yang, "ARPACK users' guide", SIAM, 1998.

    Examples
    --------
    >>> from skrnn.cells import spectral_radius
    >>> spectral_radius([[0.0, 2.0], [0.5, 0.0]])
    1.0
    """
    given = sparse.csr_array(matrix, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        raise ValueError(f"The 'matrix' of spectral_radius must be square; got the shape {given.shape}")
    given.eliminate_zeros()
    n_parts, part = connected_components(given, connection="strong")
    sizes = np.bincount(part, minlength=n_parts)
    alone = np.abs(given.diagonal()[sizes[part] == 1])
    cycles = [np.flatnonzero(part == k) for k in np.flatnonzero(sizes > 1)]  # the eigenvalues of all parts are those of the matrix
    return max([0.0, *alone.tolist(), *(_of_part(given[rows][:, rows]) for rows in cycles)])


def _of_part(matrix: Any) -> float:
    if matrix.shape[0] <= _DENSE:
        return _of_all(matrix)
    found: list[float] = []
    for start, search in enumerate(_SEARCHES):
        found.append(_search(matrix, *search, start))
        if not abs(found[-1] - found[0]) <= _AGREE * found[0]:  # nor where one is NaN
            return _of_all(matrix)
    return max(found)


def _search(matrix: Any, n_values: int, n_vectors: int, start: int) -> float:
    """The largest of some eigenvalues, or NaN where they are no eigenvalues; the start of the search is always the same."""
    v0 = np.random.default_rng(start).standard_normal(matrix.shape[0])
    operator = matrix if matrix.nnz < 0.2 * matrix.shape[0] ** 2 else matrix.toarray()
    try:
        values, vectors = eigs(operator, n_values, ncv=n_vectors, v0=v0, tol=1e-11, maxiter=_RESTARTS)
    except ArpackError:
        return np.nan
    residual: NDArray[Any] = np.linalg.norm(operator @ vectors - vectors * values, axis=0)
    return float(np.abs(values).max()) if (residual <= 1e-8 * np.abs(values)).all() else np.nan


def _of_all(matrix: Any) -> float:
    return float(np.abs(np.linalg.eigvals(matrix.toarray())).max())
