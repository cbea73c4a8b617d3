"""RidgeReadout: ridge regression of states that chooses its penalty on held-out stretches of time."""

from __future__ import annotations

from dataclasses import field
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..._bases import BaseEstimator, MultiOutputMixin, RegressorMixin, _fit_context
from ...data import unmasked
from ...training import CRITERIA, GrowingFolds, NormalEquations, choose_alpha, solve
from ..face._declared import parameters
from ..face._state import Fitted
from ._readouts import linear_outputs


@parameters
class RidgeReadout(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Ridge regression (Hoerl & Kennard, 1970) whose penalty is chosen on held-out stretches of time.

    The readout of a reservoir, and a replacement of scikit-learn's ``RidgeCV`` where rows are time steps or there are many of them: 25 penalties
    cost little more than one, :meth:`partial_fit` adds rows exactly, features may be float32 while all sums are float64, and the intercept is not
    penalised.

    Parameters
    ----------
    alpha : {"block_cv", "gcv"} or float, default="block_cv"
        Penalty, as in ``Ridge``: larger shrinks the coefficients. Or how to choose it: "block_cv" by cross-validation over contiguous blocks of rows,
        right for time series; "gcv" by generalised cross-validation, faster, for independent rows.
    alphas : array-like of shape (n_alphas,) or None, default=None
        Penalties to choose from. None is 25 from 1e-12 to 100 times the mean eigenvalue of the centred Gram matrix.
    n_folds : int, default=5
        Blocks of "block_cv". More leave more rows to train on and cost an eigendecomposition each.
    alpha_per_target : bool, default=False
        Choose a penalty for each target.
    fit_intercept : bool, default=True
        Whether there is an intercept.

    Raises
    ------
    ValueError
        If there are fewer than two blocks with weight for "block_cv".

    Notes
    -----
    The blocks depend on the order and number of rows alone, whether they come at once or in pieces: pieces of 2^m rows, joined in pairs as the stream
    grows, so that the longest block has at most twice the pieces of the shortest. The weight of a row is how often it counts; blocks are counted in
    rows. For n rows and p features: n p² / 2 multiplications, and some 9 p³ for each eigendecomposition; memory 2 n_folds p² numbers ("gcv" and a
    given penalty: p²), which the fitted estimator keeps for :meth:`partial_fit`.

    References
    ----------
    A. E. Hoerl, R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12(1), 1970.
    M. Lukoševičius, A. Uselis, "Efficient implementations of echo state network cross-validation", Cognitive Computation, 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.estimators import RidgeReadout
    >>> rng = np.random.default_rng(0)
    >>> X, noise = rng.normal(size=(200, 20)), rng.normal(size=200)
    >>> readout = RidgeReadout(alphas=[0.1, 10.0, 1000.0]).fit(
    ...     X, X[:, 0] + noise
    ... )
    >>> readout.alpha_, round(readout.score(X, X[:, 0]), 2)
    (10.0, 0.9)
    """

    alpha: Any = field(default="block_cv", kw_only=False)
    alphas: Any = None
    n_folds: int = 5
    alpha_per_target: bool = False
    fit_intercept: bool = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alpha": [StrOptions(set(CRITERIA)), Interval(Real, 0, None, closed="left")],
        "alphas": ["array-like", None],
        "n_folds": [Interval(Integral, 2, None, closed="left")],
        "alpha_per_target": ["boolean"],
        "fit_intercept": ["boolean"],
    }
    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("coef_", "ndarray", ("[n_targets]", "n_features"), "Coefficients, float64; 1-D for a 1-D y."),
        Fitted("intercept_", "float or ndarray", ("n_targets",), "Intercept."),
        Fitted("alpha_", "float or ndarray", ("n_targets",), "Penalty used."),
        Fitted("alphas_", "ndarray", ("n_alphas",), "Penalties compared."),
        Fitted("scores_", "ndarray or None", ("n_alphas", "[n_targets]"), "Their estimated mean squared errors; None for a penalty that was given."),
        Fitted("n_features_in_", "int", (), "Columns of X."),
        Fitted("feature_names_in_", "ndarray", ("n_features",), "Column names, if X was a frame."),
        Fitted("_rows", "GrowingFolds or NormalEquations"),
    )

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Fit to rows in the order of time.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            States.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each row counts.

        Returns
        -------
        self : RidgeReadout
        """
        return self._add(X, y, sample_weight, first=True)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Add the next rows: the result is that of :meth:`fit` to all rows so far.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
            The next rows.

        Returns
        -------
        self : RidgeReadout
        """
        return self._add(X, y, sample_weight, first="_rows" not in vars(self))

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict targets of rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            States.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_targets)
            Predicted targets.
        """
        check_is_fitted(self)
        rows: NDArray[np.floating] = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        outputs = linear_outputs(rows, np.atleast_2d(self.coef_), np.atleast_1d(self.intercept_))
        return outputs if self.coef_.ndim == 2 else outputs[:, 0]

    def _add(self, X: Any, y: Any, sample_weight: Any, *, first: bool) -> Self:
        X, y = validate_data(self, unmasked(X), unmasked(y), reset=first, dtype=(np.float64, np.float32), multi_output=True, y_numeric=True)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        targets = y.reshape(len(y), -1)
        rows = self._nothing_yet(X.shape[1], targets.shape[1]) if first else self._rows_before(targets.shape[1])
        rows.add(X, targets, weight)
        coef, intercept = self._solve(rows.equations if isinstance(rows, GrowingFolds) else rows)
        self._rows = rows
        self.coef_: NDArray[np.float64] = coef if y.ndim == 2 else coef[0]
        self.intercept_: NDArray[np.float64] | float = intercept if y.ndim == 2 else float(intercept[0])
        return self

    def _solve(self, equations: NormalEquations) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if isinstance(self.alpha, str):
            choice: Any = choose_alpha(equations, self.alpha, self.alphas, per_target=self.alpha_per_target, fit_intercept=self.fit_intercept)
        else:
            choice = float(self.alpha), np.array([self.alpha], dtype=np.float64), None
        self.alpha_, self.alphas_, self.scores_ = choice
        return solve(equations, self.alpha_, fit_intercept=self.fit_intercept)

    def _nothing_yet(self, n_features: int, n_targets: int) -> GrowingFolds | NormalEquations:
        return GrowingFolds(n_features, n_targets, self.n_folds) if self.alpha == "block_cv" else NormalEquations(n_features, n_targets)

    def _rows_before(self, n_targets: int) -> GrowingFolds | NormalEquations:
        """What earlier calls gathered, if this one can go on with it."""
        rows = self._rows
        if n_targets != rows.n_targets:
            raise ValueError(f"y has {n_targets} targets, but RidgeReadout was fitted with {rows.n_targets}")
        if isinstance(rows, GrowingFolds) != (self.alpha == "block_cv") or (isinstance(rows, GrowingFolds) and rows.n_folds != self.n_folds):
            raise ValueError("'alpha' and 'n_folds' of RidgeReadout must stay between calls of partial_fit, as rows are kept by fold; call fit")
        return rows
