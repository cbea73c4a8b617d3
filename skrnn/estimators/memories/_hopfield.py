"""HopfieldNetwork: patterns of two values as the resting states of a symmetric network."""

from __future__ import annotations

import warnings
from dataclasses import field
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ... import kernels
from ..._bases import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from ...data import unmasked
from ...kernels import row_product
from ..face._declared import parameters
from ..face._guards import seed_of, unchanged_on_error
from ..face._noted import as_fitted, note_parameters
from ..face._state import Fitted
from ._codings import CODINGS, coding_of, from_states, to_states
from ._rules import WEIGHT_RULES, Stored
from ._scores import patterns_meant

Array = NDArray[np.float64]

_NUMBERS = 2**22  # of states that are updated at a time


class Recall(NamedTuple):
    """What became of queries.

    Attributes
    ----------
    states : ndarray of shape (n_queries, n_units)
        Where each came to rest.
    n_sweeps : ndarray of shape (n_queries,)
        Sweeps in which units turned; 0 for a query that was at rest.
    period : ndarray of shape (n_queries,)
        1 for a state at rest, 2 for one of two states that follow each other for ever, 0 where ``max_sweeps`` were not enough to tell.
    """

    states: NDArray[Any]
    n_sweeps: NDArray[np.intp]
    period: NDArray[np.int8]


@parameters
class HopfieldNetwork(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Store patterns of two values and find them again from noisy or partial ones (Hopfield, 1982).

    For what a symmetric network of n units can hold, and for how it fails: Hebb's rule holds some 0.14 n random patterns, with a few bits wrong, and
    then loses all of them; the rule of Storkey holds more, one pattern after another; the pseudo-inverse holds n that are linearly independent, also
    alike ones, as pictures of letters are. For real numbers, and for more patterns than units, :class:`ModernHopfield`.

    Parameters
    ----------
    rule : {"hebb", "storkey", "pinv"}, default="hebb"
        How weights are learned. "hebb" adds the products of each two units; "storkey" (Storkey, 1997) takes off what is known already, and depends a
        little on the order of the patterns; "pinv" (Personnaz et al., 1985) projects onto the space of the patterns.
    update : {"async", "sync"}, default="async"
        Units turn one after another, in a random order that is the same for all queries, until none does: the energy falls with each of them.
        Or all at once, which may end in two states that follow each other for ever.
    threshold : float or array-like of shape (n_units,), default=0.0
        θ, for units of −1 and 1, in units of their fields: the larger, the more units are at the lower value. For patterns in which one value is
        rare.
    max_sweeps : int, default=1000
        Updates of all units after which recall stops, with a warning where units still turn.
    coding : {"auto", "bipolar", "binary", "sign"}, default="auto"
        Which values patterns have: −1 and 1, 0 and 1, or any, of which those above 0 stand for 1 and the others for −1. "auto" sees in ``fit`` which
        of the first two it is (ones alone are "bipolar"), warns if the numbers are others and takes their signs, and refuses two values that are
        neither, as well as −1, 0 and 1 in one.
    random_state : int, RandomState instance or None, default=None
        Source of the order in which units turn. ``None`` differs from fit to fit. Global generators are never touched.

    Raises
    ------
    ValueError
        If patterns have other values than those of the coding, or ``threshold`` has not one number for each unit.

    Notes
    -----
    For patterns x of n units of −1 and 1, with h = W x before each of them::

        hebb     w_ij ← w_ij + x_i x_j / n
        storkey  w_ij ← w_ij + (x_i x_j − x_i h_ji − h_ij x_j) / n,  h_ij = h_i − w_ij x_j
        pinv     W = X⁺ X
        update   s_i ← sign(Σ_j w_ij s_j − θ_i),  s_i stays where the sum is θ_i
        energy   E = −½ sᵀ W s + θᵀ s

    The diagonal of W is 0, but for "pinv" with all units at once, which keeps it. Patterns of 0 and 1 are stored as 2 x − 1: the same network, whose
    weights act on 0 and 1 with the thresholds ½ (Σ_j w_ij + θ_i), which ``thresholds_`` has. With a pattern its opposite is stored as well.
    Learning takes n² multiplications for each pattern ("pinv": n p² for p at once), recall n² for each query and n for each unit that turns.

    References
    ----------
    J. J. Hopfield, "Neural networks and physical systems with emergent collective computational abilities", PNAS 79(8), 1982.
    L. Personnaz, I. Guyon, G. Dreyfus, "Information storage and retrieval in spin-glass like neural networks", Journal de Physique Lettres 46, 1985.
    A. Storkey, "Increasing the capacity of a Hopfield network without sacrificing functionality", ICANN 1997.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import HopfieldNetwork
    >>> patterns = np.random.default_rng(0).choice([-1, 1], size=(5, 100))
    >>> network = HopfieldNetwork(random_state=0).fit(patterns)
    >>> noisy = patterns.copy()
    >>> noisy[:, :20] = 1
    >>> bool((network.predict(noisy) == patterns).all())
    True
    """

    rule: str = field(default="hebb", kw_only=False)
    update: str = "async"
    threshold: Any = 0.0
    max_sweeps: int = 1000
    coding: str = "auto"
    random_state: Any = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "rule": [StrOptions(set(WEIGHT_RULES))],
        "update": [StrOptions({"async", "sync"})],
        "threshold": [Real, "array-like"],
        "max_sweeps": [Interval(Integral, 1, None, closed="left")],
        "coding": [StrOptions({"auto", *CODINGS})],
        "random_state": ["random_state"],
    }
    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("weights_", "ndarray", ("n_units", "n_units"), "W, symmetric."),
        Fitted(
            "thresholds_",
            "ndarray",
            ("n_units",),
            "What Σ_j w_ij x_j must exceed for x_i to be the upper value, in the patterns' coding.",
        ),
        Fitted("coding_", "str", (), 'How patterns are coded: "bipolar", "binary" or "sign".'),
        Fitted("n_patterns_", "int", (), "Patterns stored so far, those that came twice twice."),
        Fitted("n_features_in_", "int", (), "Units."),
        Fitted("feature_names_in_", "ndarray", ("n_features",), "Column names, if X was a frame."),
        Fitted("_diagonal", "ndarray", ("n_units",)),
        Fitted("_theta", "ndarray", ("n_units",)),
        Fitted("_seed", "int"),
        Fitted("_fitted_with", "dict"),
    )

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Store patterns, and forget those of before.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_units)
            Patterns of −1 and 1, or of 0 and 1.
        y : ignored

        Returns
        -------
        self : HopfieldNetwork
        """
        with unchanged_on_error(self):
            patterns = self._read(X, reset=True)
            self._seed = seed_of(self.random_state)
            self._store(patterns, Stored.nothing(patterns.shape[1]), 0)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Store further patterns: the weights are those of :meth:`fit` to all so far, but for rounding.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_units)
            Patterns, in the coding of those before.
        y : ignored

        Returns
        -------
        self : HopfieldNetwork
        """
        if "weights_" not in vars(self):
            return self.fit(X)
        then = vars(self)["_fitted_with"]["rule"]
        if self.rule != then:
            raise ValueError(f"'rule' of HopfieldNetwork must stay between calls of partial_fit; got {self.rule!r} after {then!r}: call fit")
        with unchanged_on_error(self):
            self._store(self._read(X, reset=False), Stored(self.weights_, self._diagonal), self.n_patterns_)
        return self

    def recall(self, X: ArrayLike) -> Recall:
        """Update queries until they rest, and say how that went.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_units)
            Patterns with noise, or in part; whatever is not known may have any value.

        Returns
        -------
        Recall
            ``states`` (n_queries, n_units) in the coding of the patterns, ``n_sweeps`` (n_queries,) in which units turned, and ``period``
            (n_queries,): 1 at rest, 2 for one of two states that follow each other for ever, 0 where ``max_sweeps`` were not enough.
        """
        check_is_fitted(self)
        model: HopfieldNetwork = as_fitted(self)
        queries = model._queries(X)
        states = to_states(queries, self.coding_)
        n_sweeps, period = np.zeros(len(states), np.intp), np.zeros(len(states), np.int8)
        for part in gen_batches(len(states), max(1, _NUMBERS // states.shape[1])):
            model._settle(states[part], n_sweeps[part], period[part])
        if not period.all():
            warnings.warn(
                f"{np.count_nonzero(period == 0)} of {len(period)} queries did not come to rest within max_sweeps={model.max_sweeps}",
                ConvergenceWarning,
                stacklevel=2,
            )
        return Recall(from_states(states, self.coding_, queries.dtype), n_sweeps, period)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The patterns that queries come to rest in.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_units)
            Patterns with noise, or in part.

        Returns
        -------
        patterns : ndarray of shape (n_queries, n_units)
            In the coding of the patterns.
        """
        return self.recall(X).states

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """The patterns that queries come to rest in, as :meth:`predict`.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_units)
            Patterns with noise, or in part.

        Returns
        -------
        patterns : ndarray of shape (n_queries, n_units)
            In the coding of the patterns.
        """
        return self.recall(X).states

    def energy(self, X: ArrayLike) -> Array:
        """The energy of states as they are, without recall; it is the same in each coding.

        Parameters
        ----------
        X : array-like of shape (n_states, n_units)

        Returns
        -------
        ndarray of shape (n_states,)
        """
        check_is_fitted(self)
        states = to_states(self._queries(X), self.coding_)
        fields = row_product(states, self.weights_, -2 * self._theta)
        return np.asarray(-0.5 * (states * fields).sum(axis=1))

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
            Mean of \\|Σ_i s_i x_i\\| / n over the queries, with units of −1 and 1: the opposite of a pattern counts as the pattern.
        """
        check_is_fitted(self)
        queries = self._queries(X)
        recalled = to_states(self.recall(queries).states, self.coding_)
        meant = to_states(patterns_meant(queries, y), self.coding_, "y")
        return float(np.abs((recalled * meant).sum(axis=1)).mean() / meant.shape[1])

    def _read(self, X: Any, *, reset: bool) -> Array:
        """Patterns to learn, as −1 and 1."""
        patterns = validate_data(self, unmasked(X), reset=reset)
        if reset:
            self.coding_ = coding_of(patterns) if self.coding == "auto" else self.coding
        return to_states(patterns, self.coding_)

    def _queries(self, X: Any) -> NDArray[Any]:
        queries: NDArray[Any] = validate_data(self, unmasked(X), reset=False)
        return queries

    def _store(self, patterns: Array, before: Stored, n_before: int) -> None:
        stored = WEIGHT_RULES[self.rule](patterns, before)
        self._theta = self._thresholds(patterns.shape[1])
        self._diagonal, keeps = stored.diagonal, self.update == "sync"
        self.weights_ = stored.weights + np.diag(stored.diagonal) if keeps else stored.weights
        self.thresholds_ = (self.weights_.sum(axis=1) + self._theta) / 2 if self.coding_ == "binary" else self._theta.copy()
        self.n_patterns_ = n_before + len(patterns)
        note_parameters(self)

    def _thresholds(self, n_units: int) -> Array:
        given = np.asarray(self.threshold)
        if given.shape not in ((), (n_units,)) or given.dtype.kind not in "biuf" or not np.isfinite(given).all():
            raise ValueError(f"'threshold' of HopfieldNetwork must be a finite number, or one for each of {n_units} units; got {self.threshold!r}")
        return np.full(n_units, given, np.float64)

    def _settle(self, states: Array, n_sweeps: NDArray[np.intp], period: NDArray[np.int8]) -> None:
        """Update rows of states, which are written in place, until they rest."""
        weights, n = self.weights_, states.shape[1]
        fields = row_product(states, weights, -self._theta)
        sizes = np.abs(weights).sum(axis=1) + np.abs(self._theta) + self._diagonal  # where all is on the diagonal, the rest is rounding
        tie = n * np.finfo(np.float64).eps * float(sizes.max())
        turned, rng = np.zeros(states.shape, np.bool_), np.random.default_rng(self._seed)
        for sweep in range(self.max_sweeps):
            n_sweeps[period == 0] = sweep
            if self.update == "sync":
                kernels.update_together(turned, weights, tie, states, fields, period)
            else:
                kernels.update_in_turn(rng.permutation(n), weights, tie, states, fields, period)
            if period.all():
                return
        n_sweeps[period == 0] = self.max_sweeps
