"""Linear readouts that learn while the data come."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from .. import kernels
from .._constraints import COUNT, POSITIVE, check_parameters
from ..kernels import row_product
from ._normal_equations import Array, checked_rows


@dataclass(eq=False)
class RecursiveLeastSquares:
    """Ridge regression one row at a time (Plackett, 1950), with or without forgetting.

    Choose it for a readout that has to be right at every step: data that drift, or an output that is fed back while it is learned. The latter is
    FORCE (Sussillo & Abbott, 2009): call :meth:`update_step` with the state of the reservoir at every step and feed back what it returns, without
    intercept and without forgetting. Without forgetting it ends where ridge regression of all rows ends, which costs less from
    :class:`NormalEquations`.

    Parameters
    ----------
    n_features : int
        Columns p of the features Z.
    n_targets : int
        Columns k of the targets Y.
    alpha : float, default=1.0
        Penalty of the coefficients. Small learns faster at first; FORCE takes 1 to 100.
    forgetting : float, default=1.0
        What the weight of a row is multiplied by at every later row, in (0, 1]; 1 forgets nothing, 0.99 most of what is 100 rows old. The
        penalty fades alike, so directions in which the features have not moved for long are learned from noise.
    fit_intercept : bool, default=True
        Whether there is an intercept; it is not penalised.

    Attributes
    ----------
    coef : ndarray of shape (n_targets, n_features)
        Coefficients now.
    intercept : ndarray of shape (n_targets,)
        Intercept now.

    Raises
    ------
    ValueError
        If a parameter is out of its range, if shapes do not fit or a number is not finite.

    Notes
    -----
    With λ = forgetting and d, e the differences of a row z, y from the means m(z), m(y) of the N discounted rows before it::

        r = λ N / (λ N + 1),   g = P d,   q = r / (λ + r d' g)
        coef ← coef + q (e − coef d) g',   P ← (P − q g g') / λ
        m ← m + (z − m) / (λ N + 1),   N ← λ N + 1

    from P = I / alpha, which makes the intercept exact: after n rows they minimise Σ λ^(n − i) (y − coef z − intercept)² + λ^n alpha ‖coef‖².
    Without an intercept m = 0 and r = 1. p² + 2 k p multiplications a row; P is one triangle, so it stays symmetric.

    References
    ----------
    R. L. Plackett, "Some theorems in least squares", Biometrika 37, 1950.
    D. Sussillo, L. F. Abbott, "Generating coherent patterns of activity from chaotic neural networks", Neuron 63(4), 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.training import RecursiveLeastSquares
    >>> Z = np.random.default_rng(0).normal(size=(100, 2))
    >>> readout = RecursiveLeastSquares(2, 1, alpha=1e-6)
    >>> _ = readout.update(Z, Z @ [[1.0], [2.0]] + 3.0)
    >>> readout.coef.round(4).tolist(), readout.intercept.round(4).tolist()
    ([[1.0, 2.0]], [3.0])
    """

    _parameter_constraints = {
        "n_features": [COUNT],
        "n_targets": [COUNT],
        "alpha": [POSITIVE],
        "forgetting": [Interval(Real, 0, 1, closed="right")],
        "fit_intercept": ["boolean"],
    }
    n_features: int
    n_targets: int
    alpha: float = 1.0
    forgetting: float = 1.0
    fit_intercept: bool = True
    state: kernels.RLSState = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_parameters(self)
        self.state = kernels.RLSState.start(self.n_features, self.n_targets, self.alpha)

    @property
    def coef(self) -> Array:
        return self.state.coef.copy()

    @property
    def intercept(self) -> Array:
        return self.state.mean_y - self.state.coef @ self.state.mean_z

    def update(self, Z: ArrayLike, Y: ArrayLike) -> Array:
        """Learn from rows, one after the other.

        Parameters
        ----------
        Z : array-like of shape (n_rows, n_features)
            Features.
        Y : array-like of shape (n_rows, n_targets)
            Targets.

        Returns
        -------
        predicted : ndarray of shape (n_rows, n_targets)
            What was predicted for each row before it was learned.
        """
        z, y, _ = checked_rows(Z, Y, None, self.n_features, self.n_targets)
        z, y = (np.ascontiguousarray(values, dtype=np.float64) for values in (z, y))
        if not (np.isfinite(z).all() and np.isfinite(y).all()):
            raise ValueError("Z and Y must hold finite numbers; got NaN or infinity")
        predicted = np.empty_like(y)
        kernels.rls(self.state, z, y, float(self.forgetting), bool(self.fit_intercept), predicted)
        return predicted

    def update_step(self, z: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Learn from one row.

        Parameters
        ----------
        z : array-like of shape (n_features,)
            Features.
        y : array-like of shape (n_targets,)
            Targets.

        Returns
        -------
        predicted : ndarray of shape (n_targets,)
            What was predicted before the row was learned.
        """
        return self.update(np.asarray(z)[None], np.asarray(y)[None])[0]

    def predict(self, Z: ArrayLike) -> Array:
        """Predict with the coefficients of now.

        Parameters
        ----------
        Z : array-like of shape (n_rows, n_features)
            Features.

        Returns
        -------
        predicted : ndarray of shape (n_rows, n_targets)
        """
        return row_product(np.asarray(Z, dtype=np.float64), self.state.coef, self.intercept)
