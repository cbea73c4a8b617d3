"""Conceptors: soft projections onto the directions that the states of a network take, and a logic of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .._constraints import POSITIVE, satisfies
from ..data._sequences import Array, Sequences
from ._containers import give_back, read_series
from ._transformer import SequenceTransformer

Matrix = npt.NDArray[np.float64]
_COMMON_NULL = 1e-13  # singular values below this share of the largest are 0: what is lost is as small


class Conceptor(SequenceTransformer):
    """Conceptor: keeps the directions in which states vary much, and damps the others (Jaeger, 2014).

    Fit it to the states that a reservoir takes under one kind of input. It then passes states of that kind and weakens others, so that
    ``x · C x`` says how well a state fits; ``conceptor_`` can be combined by `conceptor_and`, `conceptor_or` and `conceptor_not`, mixed
    by `conceptor_morph`, and made wider by `conceptor_adapt_aperture`.

    Parameters
    ----------
    aperture : float, default=10.0
        Above 0. Growing it lets more directions through: to 0 the conceptor goes to zero, to infinity to the projection onto all
        directions that occur.

    Attributes
    ----------
    conceptor_ : ndarray of float64 of shape (n_features, n_features)
        The symmetric matrix C, with eigenvalues from 0 to below 1.
    singular_values_ : ndarray of float64 of shape (n_features,)
        The eigenvalues of C, largest first; their mean is the quota, the share of the state space that is in use.
    n_features_in_ : int
        Number of units, the channels of the states.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a 2-D frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        An aperture that is no number above 0, and what `as_sequences` refuses (NaN among it).

    Notes
    -----
    Of all T states x, centred or not as they come::

        R = Σ x xᵀ / T
        C = R (R + aperture⁻² I)⁻¹
        output = C x

    C is the matrix with the least ``mean |x − C x|² + aperture⁻² |C|²``. It is computed in float64 in O(T H² + H³) for H units. A
    2-D `X` holds one state in each row; of sequences all steps count alike. What comes back is in the container that came.

    References
    ----------
    H. Jaeger, "Controlling recurrent neural networks by conceptors", arXiv:1403.3369, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import Conceptor
    >>> states = np.array([[1.0, 0.0], [-1.0, 0.0], [2.0, 0.0], [-2.0, 0.0]])
    >>> Conceptor(aperture=2.0).fit(states).conceptor_.round(3)
    array([[0.909, 0.   ],
           [0.   , 0.   ]])
    """

    _parameter_constraints = {"aperture": [POSITIVE]}

    def __init__(self, aperture: float = 10.0) -> None:
        self.aperture = aperture

    _read = read_series

    def _learn(self, sequences: Sequences, y: Any) -> None:
        states = sequences.values.astype(np.float64, copy=False)
        power, directions = np.linalg.eigh(states.T @ states / len(states))
        kept = _eigenvalues(np.maximum(power, 0), self.aperture)
        self.conceptor_ = _from_eigen(kept, directions)
        self.singular_values_ = kept[::-1]

    def _change(self, sequences: Sequences, layout: str) -> Any:
        values = sequences.values @ self.conceptor_  # C is its own transpose
        return give_back(sequences.with_values(values.astype(sequences.dtype, copy=False)), layout)

    def _names(self, names: Array) -> Array:
        return names


def conceptor_not(C: npt.ArrayLike) -> Matrix:
    """NOT of a conceptor: lets through what it does not (Jaeger, 2014).

    Parameters
    ----------
    C : array-like of shape (n_features, n_features)
        A conceptor.

    Returns
    -------
    ndarray of shape (n_features, n_features)
        ``I − C``.

    Examples
    --------
    >>> from skrnn.preprocessing import conceptor_not
    >>> conceptor_not([[0.75, 0.0], [0.0, 0.0]])
    array([[0.25, 0.  ],
           [0.  , 1.  ]])
    """
    C = _checked("C", C)
    return np.eye(len(C)) - C


def conceptor_and(C: npt.ArrayLike, B: npt.ArrayLike) -> Matrix:
    """AND of two conceptors: lets through what both do (Jaeger, 2014).

    Parameters
    ----------
    C, B : array-like of shape (n_features, n_features)
        The conceptors, which may be singular.

    Returns
    -------
    ndarray of shape (n_features, n_features)
        Symmetric; lets nothing through that C or B does not.

    Notes
    -----
    Jaeger's ``(C⁻¹ + B⁻¹ − I)⁻¹``, on the intersection of the ranges of C and B and 0 elsewhere. Computed as ``B (C + B − C B)⁺ C``,
    which is the same, also where C or B has no inverse: C + B − C B vanishes only where both do. O(H³).

    Examples
    --------
    >>> from skrnn.preprocessing import conceptor_and
    >>> conceptor_and(
    ...     [[0.5, 0.0], [0.0, 0.0]], [[0.5, 0.0], [0.0, 1.0]]
    ... ).round(3)
    array([[0.333, 0.   ],
           [0.   , 0.   ]])
    """
    C, B = _checked("C", C), _checked("B", B)
    if C.shape != B.shape:
        raise ValueError(f"B must have the shape of C, {C.shape}; got {B.shape}")
    # The small factors stand on both sides of the inverse: what rounding does to it is damped again.
    both = B @ np.linalg.lstsq(C + B - C @ B, C, rcond=_COMMON_NULL)[0]
    return (both + both.T) / 2


def conceptor_or(C: npt.ArrayLike, B: npt.ArrayLike) -> Matrix:
    """OR of two conceptors: lets through what either does (Jaeger, 2014).

    Of conceptors of the same aperture it is the conceptor of the summed correlations R of their states.

    Parameters
    ----------
    C, B : array-like of shape (n_features, n_features)
        The conceptors, which may be singular.

    Returns
    -------
    ndarray of shape (n_features, n_features)
        Symmetric; lets all through that C or B does.

    Notes
    -----
    ``NOT (NOT C AND NOT B)``.

    Examples
    --------
    >>> from skrnn.preprocessing import conceptor_or
    >>> conceptor_or([[0.5, 0.0], [0.0, 0.0]], [[0.5, 0.0], [0.0, 1.0]]).round(
    ...     3
    ... )
    array([[0.667, 0.   ],
           [0.   , 1.   ]])
    """
    return conceptor_not(conceptor_and(conceptor_not(C), conceptor_not(B)))


def conceptor_adapt_aperture(C: npt.ArrayLike, factor: float) -> Matrix:
    """The conceptor of the same states with another aperture (Jaeger, 2014).

    Parameters
    ----------
    C : array-like of shape (n_features, n_features)
        A conceptor.
    factor : float
        What the aperture is multiplied by; above 0. Growing it lets more through.

    Returns
    -------
    ndarray of shape (n_features, n_features)
        ``C (C + factor⁻² (I − C))⁻¹``.

    Examples
    --------
    >>> from skrnn.preprocessing import conceptor_adapt_aperture
    >>> conceptor_adapt_aperture([[0.5, 0.0], [0.0, 1.0]], 2.0)
    array([[0.8, 0. ],
           [0. , 1. ]])
    """
    if not satisfies(factor, POSITIVE):
        raise ValueError(f"factor must be a positive number; got {factor!r}")
    kept, directions = np.linalg.eigh(_checked("C", C))
    kept = np.clip(kept, 0, 1)
    with np.errstate(divide="ignore"):
        odds = kept / (1 - kept)
    return _from_eigen(_eigenvalues(odds, factor), directions)


def conceptor_morph(conceptors: Sequence[npt.ArrayLike], weights: npt.ArrayLike) -> Matrix:
    """Morph conceptors: a weighted sum, under which a network mixes the patterns that it was shown (Jaeger, 2014).

    Parameters
    ----------
    conceptors : sequence of array-like of shape (n_features, n_features)
        The conceptors.
    weights : array-like of shape (n_conceptors,)
        One number for each, which add up to 1. Some below 0 extrapolate; then the sum need be no conceptor any more.

    Returns
    -------
    ndarray of shape (n_features, n_features)

    Examples
    --------
    >>> from skrnn.preprocessing import conceptor_morph
    >>> conceptor_morph([[[1.0]], [[0.5]]], [0.25, 0.75])
    array([[0.625]])
    """
    matrices = [_checked(f"conceptors[{k}]", C) for k, C in enumerate(conceptors)]
    if not matrices or any(C.shape != matrices[0].shape for C in matrices):
        raise ValueError(f"conceptors must be matrices of the same shape, and at least one; got shapes {[C.shape for C in matrices]}")
    mix = np.asarray(weights, dtype=np.float64)
    if mix.shape != (len(matrices),) or not math.isclose(mix.sum(), 1, abs_tol=1e-8):
        raise ValueError(f"weights must be {len(matrices)} numbers, which add up to 1; got {mix.tolist()}")
    return np.tensordot(mix, np.stack(matrices), axes=1)


def _eigenvalues(power: Matrix, aperture: float) -> Matrix:
    """``power / (power + aperture⁻²)``, also where they are 0 or infinite."""
    with np.errstate(divide="ignore", over="ignore"):
        return 1 / (1 + 1 / (power * aperture * aperture))


def _from_eigen(values: Matrix, directions: Matrix) -> Matrix:
    matrix = (directions * values) @ directions.T
    return (matrix + matrix.T) / 2


def _checked(name: str, C: npt.ArrayLike) -> Matrix:
    """A conceptor in float64: square, symmetric, with eigenvalues from 0 to 1, all but for rounding."""
    matrix = np.asarray(C, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(f"{name} must be a square matrix; got shape {matrix.shape}")
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, rtol=0, atol=1e-6):
        raise ValueError(f"{name} must be a finite and symmetric matrix")
    lowest, highest = np.linalg.eigvalsh(matrix)[[0, -1]]
    if lowest < -1e-6 or highest > 1 + 1e-6:
        raise ValueError(f"{name} must have eigenvalues from 0 to 1; got from {lowest:.3g} to {highest:.3g}")
    return matrix
