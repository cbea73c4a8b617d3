"""ModernHopfield: patterns of real numbers, found by attention."""

from __future__ import annotations

from dataclasses import field
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from ..._bases import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from ...data import unmasked
from ...kernels import row_product, row_softmax
from ..face._declared import parameters
from ..face._guards import unchanged_on_error
from ..face._noted import as_fitted, note_parameters
from ..face._state import Fitted
from ._scores import cosines, patterns_meant

_NUMBERS = 2**22  # of weights of patterns that are there at a time
_DTYPES = (np.float64, np.float32)


@parameters
class ModernHopfield(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Store patterns of real numbers and find them again by a step of attention (Ramsauer et al., 2021).

    It holds far more patterns than they have numbers, as long as they lie apart: a query becomes the mean of the patterns, weighted by how much they
    are like it. One step is enough where ``beta`` is large for the distance of the patterns; where it is small, patterns that are alike, in the end
    all, are found as their mean. For patterns of two values, and few of them, :class:`HopfieldNetwork`; as a layer of a network,
    ``RNNClassifier(pooling="hopfield")``.

    Parameters
    ----------
    beta : float, default=1.0
        β, the inverse temperature, in units of 1 / (scalar product of patterns): the larger, the more the nearest pattern alone counts; the smaller,
        the more recall gives means of patterns.
    n_iter : int, default=1
        Steps of recall.

    Raises
    ------
    ValueError
        If a parameter or X is not as described, or numbers are so large that scalar products overflow.

    Notes
    -----
    With the N patterns as the rows of X, M the length of the longest, and a query ξ::

        ξ ← Xᵀ softmax(β X ξ)
        E(ξ) = −β⁻¹ log Σ_i exp(β x_i · ξ) + ½ ξ · ξ + β⁻¹ log N + ½ M²

    The energy is never negative, and no step makes it larger. A step takes 2 N multiplications for each number of a query. Numbers are float32 if the
    patterns were so in ``fit``, else float64.

    References
    ----------
    H. Ramsauer et al., "Hopfield networks is all you need", ICLR 2021, equations (2) and (3).

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import ModernHopfield
    >>> rng = np.random.default_rng(0)
    >>> patterns = rng.normal(size=(200, 64))
    >>> noisy = patterns + 0.5 * rng.normal(size=(200, 64))
    >>> found = ModernHopfield(beta=1.0).fit(patterns).predict(noisy)
    >>> bool(np.allclose(found, patterns, atol=0.01))
    True
    """

    beta: float = field(default=1.0, kw_only=False)
    n_iter: int = 1

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "beta": [Interval(Real, 0, None, closed="neither")],
        "n_iter": [Interval(Integral, 1, None, closed="left")],
    }
    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("patterns_", "ndarray", ("n_patterns", "n_units"), "The stored patterns."),
        Fitted("n_features_in_", "int", (), "Numbers of a pattern."),
        Fitted("feature_names_in_", "ndarray", ("n_features",), "Column names, if X was a frame."),
        Fitted("_fitted_with", "dict"),
    )

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Store patterns, and forget those of before.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_units)
            Patterns; of one scale, best standardised.
        y : ignored

        Returns
        -------
        self : ModernHopfield
        """
        with unchanged_on_error(self):
            self.patterns_: NDArray[np.floating] = np.array(validate_data(self, unmasked(X), dtype=_DTYPES), order="C")
            note_parameters(self)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Store further patterns.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_units)
            Patterns.
        y : ignored

        Returns
        -------
        self : ModernHopfield
        """
        if "patterns_" not in vars(self):
            return self.fit(X)
        with unchanged_on_error(self):
            self.patterns_ = np.concatenate([self.patterns_, self._read(X)])
            note_parameters(self)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.floating]:
        """What queries become.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_units)
            Patterns with noise, or in part, with zeros for what is not known.

        Returns
        -------
        patterns : ndarray of shape (n_queries, n_units)
        """
        check_is_fitted(self)
        return as_fitted(self)._recalled(self._read(X))

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """What queries become, as :meth:`predict`.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_units)
            Patterns with noise, or in part, with zeros for what is not known.

        Returns
        -------
        patterns : ndarray of shape (n_queries, n_units)
        """
        return self.predict(X)

    def energy(self, X: ArrayLike) -> NDArray[np.float64]:
        """The energy of states as they are, without recall.

        Parameters
        ----------
        X : array-like of shape (n_states, n_units)

        Returns
        -------
        ndarray of shape (n_states,)
        """
        check_is_fitted(self)
        beta = as_fitted(self).beta
        states, patterns = self._read(X).astype(np.float64), self.patterns_.astype(np.float64)  # what is left is small beside its parts
        likeness = _products(states, patterns)
        spread = np.log(_shares(likeness, beta).max(axis=1))  # −log Σ_i exp(β (x_i · ξ − the largest of them))
        above = np.log(len(patterns)) / beta + np.square(patterns).sum(axis=1).max() / 2
        return np.asarray(spread / beta - likeness.max(axis=1) + np.square(states).sum(axis=1) / 2 + above)

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Mean overlap of what is recalled with what was meant: 1 if all of it is, some 0 for patterns that have nothing to do with each other.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_units)
            Queries.
        y : array-like of shape (n_queries, n_units) or None, default=None
            Patterns that they stand for; ``None`` is the queries themselves: how well they are kept. Labels, one for each row, do not count.

        Returns
        -------
        float
            Mean over the queries of the cosine of the angle between what is recalled and what was meant.
        """
        check_is_fitted(self)
        queries = self._read(X)
        return float(cosines(as_fitted(self)._recalled(queries), patterns_meant(queries, y)).mean())

    def _read(self, X: Any) -> NDArray[np.floating]:
        rows: NDArray[np.floating] = validate_data(self, unmasked(X), reset=False, dtype=_DTYPES)
        return rows.astype(self.patterns_.dtype, copy=False)

    def _recalled(self, states: NDArray[np.floating]) -> NDArray[np.floating]:
        columns, out = np.ascontiguousarray(self.patterns_.T), np.empty(states.shape, states.dtype)
        for part in gen_batches(len(states), max(1, _NUMBERS // len(self.patterns_))):
            now = states[part]
            for _ in range(self.n_iter):
                now = row_product(_shares(_products(now, self.patterns_), self.beta), columns)
            out[part] = now
        return out


def _products(states: NDArray[np.floating], patterns: NDArray[np.floating]) -> NDArray[np.floating]:
    """Scalar products of each state with each pattern."""
    likeness = row_product(states, patterns)
    if not np.isfinite(likeness).all():
        raise ValueError(f"X is too large: scalar products with the patterns are not finite in {likeness.dtype}; scale patterns and queries")
    return likeness


def _shares(likeness: NDArray[np.floating], beta: float) -> NDArray[np.floating]:
    """softmax(β likeness) in each row, for a β of any size."""
    return row_softmax(beta * (likeness - likeness.max(axis=1, keepdims=True)))
