"""Ridge regression from normal equations: one penalty, all penalties at once, and which one to choose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.linalg.lapack import dpocon

from ._normal_equations import Array, FoldMoments, NormalEquations, checked_rows, few_threads

CRITERIA = ("block_cv", "gcv")
_COLUMNS = 256  # solutions that are multiplied at once
_PANEL = 64  # columns that a factorisation treats at once: BLAS threads meet after each such step
_EPS = float(np.finfo(np.float64).eps)


class Choice(NamedTuple):
    """A penalty and what it was compared with.

    Attributes
    ----------
    alpha : float or ndarray of shape (n_targets,)
        The penalty with the least score; the largest of equals.
    alphas : ndarray of shape (n_alphas,)
        All that were tried.
    scores : ndarray of shape (n_alphas,) or (n_alphas, n_targets)
        Their mean squared errors, estimated.
    """

    alpha: float | Array
    alphas: Array
    scores: Array


class _Spectrum(NamedTuple):
    """Eigenvalues and vectors of Z'Z, and Z'Y in their coordinates."""

    values: Array
    vectors: Array
    cross: Array

    @classmethod
    def of(cls, moments: FoldMoments) -> _Spectrum:
        with few_threads(_PANEL * len(moments.gram) ** 2):
            values, vectors = np.linalg.eigh(moments.gram, UPLO="U")
            return cls(np.maximum(values, 0), vectors, vectors.T @ moments.cross)

    @property
    def noise(self) -> float:
        """Below it an eigenvalue is a rounding error."""
        return len(self.values) * _EPS * float(self.values.max())

    def coefficients(self, alphas: Array) -> Array:
        """Solutions (n_alphas, n_targets, n_features) for penalties (n_alphas, 1 or n_targets)."""
        with np.errstate(divide="ignore"):
            gain = np.where((alphas[:, None] > 0) | (self.values[:, None] > self.noise), 1 / (self.values[:, None] + alphas[:, None]), 0.0)
        return np.moveaxis(gain * self.cross, 1, 2) @ self.vectors.T


def solve(equations: NormalEquations, alpha: float | ArrayLike, *, fit_intercept: bool = True) -> tuple[Array, Array]:
    """Ridge regression (Hoerl & Kennard, 1970): coefficients and intercept for one penalty.

    Parameters
    ----------
    equations : NormalEquations
        All folds count.
    alpha : float or array-like of shape (n_targets,)
        Penalty, as in scikit-learn's ``Ridge``; larger shrinks the coefficients. 0 is least squares, of least norm where it is not unique.
    fit_intercept : bool, default=True
        Whether there is an intercept; it is not penalised.

    Returns
    -------
    coef : ndarray of shape (n_targets, n_features)
    intercept : ndarray of shape (n_targets,)

    Raises
    ------
    ValueError
        If a penalty is negative or not finite, or no row has weight.

    Notes
    -----
    With z and y less their weighted means, the coefficients b of a target minimise ::

        Σ w (y − b z)² + alpha b b'

    A Cholesky factorisation, p³ / 6 multiplications; where the matrix is singular to working precision or targets have penalties of their own,
    an eigendecomposition, some 9 p³. Penalties below 1e-14 of the mean eigenvalue are lost in the normal equations: see :func:`svd_path`.

    References
    ----------
    A. E. Hoerl, R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12(1), 1970.
    """
    penalty = _penalties(alpha, "alpha")
    if penalty.shape not in ((1,), (equations.n_targets,)):
        raise ValueError(f"alpha must be one number, or one for each of the {equations.n_targets} targets; got {alpha!r}")
    moments = _all_rows(equations, None, fit_intercept)
    coef = _by_cholesky(moments, float(penalty[0])) if len(np.unique(penalty)) == 1 else None
    if coef is None:
        coef = _Spectrum.of(moments).coefficients(penalty[None])[0]
    return coef, moments.mean_y - coef @ moments.mean_z


def solve_path(equations: NormalEquations, alphas: ArrayLike, *, fit_intercept: bool = True) -> tuple[Array, Array]:
    """Coefficients and intercepts for many penalties, from one eigendecomposition.

    Parameters
    ----------
    equations : NormalEquations
        All folds count; ``equations.without(k)`` leaves out one.
    alphas : array-like of shape (n_alphas,)
        Penalties.
    fit_intercept : bool, default=True
        Whether there is an intercept; it is not penalised.

    Returns
    -------
    coef : ndarray of shape (n_alphas, n_targets, n_features)
    intercept : ndarray of shape (n_alphas, n_targets)

    Raises
    ------
    ValueError
        If a penalty is negative or not finite, or no row has weight.
    """
    moments = _all_rows(equations, None, fit_intercept)
    coef = _Spectrum.of(moments).coefficients(_penalties(alphas, "alphas")[:, None])
    return coef, moments.mean_y - coef @ moments.mean_z


def svd_path(Z: ArrayLike, Y: ArrayLike, alphas: ArrayLike, sample_weight: ArrayLike | None = None) -> tuple[Array, Array]:
    """Coefficients and intercepts for many penalties, from the singular values of the features themselves.

    For penalties below 1e-14 of the mean eigenvalue, which generative reservoirs ask for: squaring the features would lose them. Needs all rows
    in memory, in float64.

    Parameters
    ----------
    Z : array-like of shape (n_rows, n_features)
        Features.
    Y : array-like of shape (n_rows, n_targets)
        Targets.
    alphas : array-like of shape (n_alphas,)
        Penalties.
    sample_weight : array-like of shape (n_rows,), default=None
        How often each row counts.

    Returns
    -------
    coef : ndarray of shape (n_alphas, n_targets, n_features)
    intercept : ndarray of shape (n_alphas, n_targets)

    Raises
    ------
    ValueError
        If shapes do not fit, a penalty or weight is negative, or a number is not finite.

    Notes
    -----
    With Q R the factors of the rows (Z, Y) less their means and times the roots of their weights, and U S V' the singular value decomposition of
    the columns R(Z), the coefficients are V S / (S² + alpha) U' R(Y). 2 n (p + k)² operations for n rows, and about 20 p³.
    """
    penalties = _penalties(alphas, "alphas")[:, None, None]
    p, k = np.shape(Z)[-1], np.shape(Y)[-1]
    z, y, weight = checked_rows(Z, Y, sample_weight, p, k)
    if not (len(z) if weight is None else weight.sum()):
        raise ValueError(f"there must be rows with weight; got {len(z)} rows with a sum of weights of 0")
    rows = np.concatenate((z, y), axis=1, dtype=np.float64)
    mean = np.average(rows, axis=0, weights=weight)
    if not np.isfinite(mean).all():
        raise ValueError("Z, Y and sample_weight must hold finite numbers; got NaN or infinity")
    rows -= mean
    if weight is not None:
        rows *= np.sqrt(weight)[:, None]
    with few_threads(_PANEL * len(rows) * (p + k)):
        R = np.asarray(np.linalg.qr(rows, mode="r"))
        U, s, Vt = np.linalg.svd(R[:, :p], full_matrices=False)
        cross = U.T @ R[:, p:]
    least = max(len(rows), p) * _EPS * s.max()
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where((penalties > 0) | (s[:, None] > least), s[:, None] / (s[:, None] ** 2 + penalties), 0.0)
    coef = np.moveaxis(gain * cross, 1, 2) @ Vt
    return coef, mean[p:] - coef @ mean[:p]


def choose_alpha(
    equations: NormalEquations, how: str = "block_cv", alphas: ArrayLike | None = None, *, per_target: bool = False, fit_intercept: bool = True
) -> Choice:
    """Choose a penalty without a second pass over the rows.

    "block_cv" holds out each fold in turn and is the choice for time series, whose errors are alike at neighbouring steps. "gcv", generalised
    cross-validation (Golub, Heath & Wahba, 1979), takes the rows for independent; it needs one eigendecomposition in place of one a fold, and may
    choose far too small a penalty for a time series.

    Parameters
    ----------
    equations : NormalEquations
        For "block_cv" of at least two folds; see :func:`contiguous_folds`.
    how : {"block_cv", "gcv"}, default="block_cv"
        What is compared.
    alphas : array-like of shape (n_alphas,), default=None
        Penalties to compare. None is 25 from 1e-12 to 100 times the mean eigenvalue of Z'Z, so that the scale of the features does not matter.
    per_target : bool, default=False
        Choose one for each target; else the mean over targets is compared, in which targets of large scale count most.
    fit_intercept : bool, default=True
        Whether there is an intercept; it is not penalised.

    Returns
    -------
    choice : Choice
        ``alpha``, ``alphas`` and ``scores``.

    Raises
    ------
    ValueError
        If fewer than two folds have rows with weight, or no penalty has a finite score.

    Notes
    -----
    The score of "block_cv" is the weighted mean of squared errors over the rows of all folds, each predicted from the other folds. Errors below
    rounding, 2e-16 of the target's variance, are equal. The score of "gcv", with n the sum of the weights and λ the eigenvalues of Z'Z, is ::

        n Σ w (y − ŷ)² / (n − 1 − Σ λ / (λ + alpha))²

    in which the weights count rows. Without an intercept the 1 is 0.

    References
    ----------
    G. H. Golub, M. Heath, G. Wahba, "Generalized cross-validation as a method for choosing a good ridge parameter", Technometrics 21(2), 1979.
    M. Lukoševičius, A. Uselis, "Efficient implementations of echo state network cross-validation", Cognitive Computation, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.training import (
    ...     NormalEquations,
    ...     choose_alpha,
    ...     contiguous_folds,
    ... )
    >>> rng = np.random.default_rng(0)
    >>> Z, noise = rng.normal(size=(100, 20)), rng.normal(size=(100, 1))
    >>> equations = NormalEquations(20, 1, n_folds=5).add(
    ...     Z, Z[:, :1] + noise, fold=contiguous_folds(100, 5)
    ... )
    >>> choose_alpha(equations, alphas=[0.1, 10.0, 1000.0]).alpha
    10.0
    """
    if how not in CRITERIA:
        raise ValueError(f"how must be one of {list(CRITERIA)}; got {how!r}")
    penalties = _default_alphas(equations, fit_intercept) if alphas is None else _penalties(alphas, "alphas")
    errors = (_held_out_errors if how == "block_cv" else _gcv)(equations, penalties, fit_intercept)
    scores = errors if per_target else errors.mean(1)
    if not np.isfinite(scores).any(axis=0).all():
        found = f"got {equations.weight:g} of n_samples = {equations.n_rows}"
        raise ValueError(f"{how} needs a sum of weights that is greater than the rank of the features and the intercept; {found}")
    best = np.where(scores == scores.min(0), np.expand_dims(penalties, tuple(range(1, scores.ndim))), -1.0).max(0)
    return Choice(best if per_target else float(best), penalties, scores)


def _default_alphas(equations: NormalEquations, fit_intercept: bool) -> Array:
    mean = np.trace(_all_rows(equations, None, fit_intercept).gram) / equations.n_features
    return np.logspace(-12, 2, 25) * (mean if mean > 0 else 1.0)


def _held_out_errors(equations: NormalEquations, alphas: Array, fit_intercept: bool) -> Array:
    """Mean squared error (n_alphas, n_targets) of rows predicted from the other folds, from the moments of each fold alone."""
    weighted = [k for k, moments in enumerate(equations.folds) if moments.weight > 0]
    if len(weighted) < 2:
        raise ValueError(f"block_cv needs at least 2 folds that have rows with weight; got {len(weighted)} of n_samples = {equations.n_rows}")
    errors = np.zeros((len(alphas), equations.n_targets))
    n_together = max(1, _COLUMNS // equations.n_targets)
    for k in weighted:
        held, known = equations.folds[k], _all_rows(equations, k, fit_intercept)
        spectrum, gram = _Spectrum.of(known), held.full_gram
        for low in range(0, len(alphas), n_together):
            coef = spectrum.coefficients(alphas[low : low + n_together, None])
            flat = coef.reshape(-1, equations.n_features)
            with few_threads(flat.size * equations.n_features):
                squares = np.einsum("ap,ap->a", flat @ gram, flat).reshape(coef.shape[:2])
            gap = held.mean_y - known.mean_y - coef @ (held.mean_z - known.mean_z)
            errors[low : low + n_together] += held.square - 2 * np.einsum("akp,pk->ak", coef, held.cross) + squares + held.weight * gap**2
    total = _all_rows(equations, None, fit_intercept)
    return np.maximum(errors, _EPS * total.square) / total.weight


def _gcv(equations: NormalEquations, alphas: Array, fit_intercept: bool) -> Array:
    moments = _all_rows(equations, None, fit_intercept)
    spectrum, n = _Spectrum.of(moments), moments.weight
    seen = spectrum.values > spectrum.noise
    values, explained = spectrum.values[seen, None], spectrum.cross[seen] ** 2 / spectrum.values[seen, None]
    kept_back = (alphas / (values + alphas)).T  # (n_alphas, rank)
    # A residual that is nothing but rounding counts as equal for all penalties, so that the largest of them is chosen.
    noise = equations.n_features * _EPS * moments.square
    left = moments.square - explained.sum(0)
    residual = np.maximum(np.where(left > noise, left, 0) + kept_back**2 @ explained, noise)
    freedom = n - fit_intercept - len(values) + kept_back.sum(1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(freedom > n * _EPS, n * residual / freedom**2, np.inf)


def _all_rows(equations: NormalEquations, fold: int | None, fit_intercept: bool) -> FoldMoments:
    """A copy of the moments of all rows but those of a fold."""
    (moments,) = equations.without(fold).folds
    if moments.weight == 0:
        raise ValueError(f"there must be rows with weight; got {equations.n_rows} rows with a sum of weights of 0")
    return moments if fit_intercept else moments.about_zero()


def _by_cholesky(moments: FoldMoments, alpha: float) -> Array | None:
    """Coefficients, or None where the matrix, its diagonal scaled to ones, is singular to working precision.

    The errors are a hundredth of those of an eigendecomposition, which cannot be scaled, and less the worse the matrix is conditioned.
    """
    diagonal = np.diag(moments.gram) + alpha
    if not (diagonal > 0).all():
        return None
    scale = 1 / np.sqrt(diagonal)
    with few_threads(_PANEL * len(scale) ** 2):
        matrix = np.triu(moments.gram, 1) * scale * scale[:, None]
        norm = 1 + float((np.abs(matrix).sum(0) + np.abs(matrix).sum(1)).max())
        matrix[np.diag_indices_from(matrix)] = 1
        try:
            factor = cho_factor(matrix, overwrite_a=True, check_finite=False)
        except LinAlgError:
            return None
        inverse_condition, _ = dpocon(factor[0], norm)
        if inverse_condition < _EPS:
            return None
        return (scale[:, None] * cho_solve(factor, scale[:, None] * moments.cross, check_finite=False)).T


def _penalties(alphas: ArrayLike, name: str) -> NDArray[np.float64]:
    """As a 1-D array, checked."""
    given = np.atleast_1d(np.asarray(alphas, dtype=np.float64))
    if given.ndim != 1 or not given.size or not (np.isfinite(given) & (given >= 0)).all():
        raise ValueError(f"{name} must be finite and at least 0; got {alphas!r}")
    return given
