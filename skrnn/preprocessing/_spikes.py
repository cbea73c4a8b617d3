"""Encoders: sequences of numbers become sequences of spikes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils.validation import check_is_fitted

from ..data._checks import check_sequences_and_layout
from ..data._sequences import Sequences
from ._containers import give_back, names_in

Array = npt.NDArray[Any]


class _Stretched(TransformerMixin, BaseEstimator, ABC, auto_wrap_output_keys=None):
    """An encoder that makes ``n_steps`` steps of spikes of each step, from its place between the least and the greatest value of the fit."""

    n_steps: int

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the range of each channel.

        Parameters
        ----------
        X : 3-D array, list of arrays, 2-D array-like or Sequences
            The sequences.
        y : None
            Not looked at.

        Returns
        -------
        self : transformer
            The fitted transformer.
        """
        self._check()
        sequences, _ = check_sequences_and_layout(self, X, reset=True)
        self.data_min_ = sequences.values.min(axis=0).astype(np.float64)
        self.data_max_ = sequences.values.max(axis=0).astype(np.float64)
        return self

    def transform(self, X: Any) -> Any:
        """Encode each time step.

        Parameters
        ----------
        X : 3-D array, list of arrays, 2-D array-like or Sequences
            The sequences; their lengths need not be those of ``fit``.

        Returns
        -------
        spikes : same container as X
            0 and 1, with `n_steps` times as many time steps.
        """
        check_is_fitted(self)
        sequences, layout = check_sequences_and_layout(self, X, reset=False)
        spikes = self._spikes(self._places(sequences.values)).astype(sequences.dtype)
        stretched = Sequences(spikes.reshape(-1, sequences.n_features), sequences.offsets * self.n_steps)
        return give_back(stretched, layout)

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> Array:
        """Name the channels that come out; of 2-D data the columns, of which each has become `n_steps`.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the channels (or columns) that go in; None makes names as scikit-learn does.

        Returns
        -------
        names : ndarray of str
            The names of the channels; those of columns with the number of the step after a colon.
        """
        names = names_in(self, input_features)
        if self._n_columns is None:
            return names
        return np.array([f"{name}:{k}" for name in names for k in range(self.n_steps)], dtype=object)

    def _places(self, values: Array) -> Array:
        """Where values stand between the least (0) and the greatest (1) of the fit; 0 in a channel that was constant."""
        span = self.data_max_ - self.data_min_
        above = np.clip(values, self.data_min_, self.data_max_) - self.data_min_
        return np.divide(above, span, out=np.zeros(values.shape), where=span > 0)

    def _refuse(self, name: str, wanted: str) -> None:
        raise ValueError(f"The {name!r} parameter of {type(self).__name__} must be {wanted}; got {self.get_params()[name]!r}")

    def _check(self) -> None:
        """Refuse a wrong hyper-parameter."""
        if not isinstance(self.n_steps, Integral) or isinstance(self.n_steps, bool) or self.n_steps < 1:
            self._refuse("n_steps", "a whole number of at least 1")

    @abstractmethod
    def _spikes(self, places: Array) -> Array:
        """Spikes of shape (n_rows, n_steps, n_channels) for places of shape (n_rows, n_channels)."""


class RateEncoder(_Stretched, auto_wrap_output_keys=None):
    """Encode numbers in the rate of random spikes (Poisson rate code; Adrian, 1926).

    The code that liquid state machines are mostly shown: robust, easily read, and slow, as a rate can only be told after several spikes. Choose it
    for signals that change little within 100 ms; :class:`LatencyEncoder` tells a value with a single spike, :class:`DeltaEncoder` tells only changes.

    Parameters
    ----------
    n_steps : int, default=20
        Time steps of spikes for each time step of the data, during which its value stays. More are more exact and cost more.
    max_rate : float, default=100.0
        Spikes a second for the greatest value; the least has none, and the rate rises linearly between.
    dt : float, default=0.5
        Length of a time step of spikes in ms: the same as that of the neurons that get them.
    random_state : int, RandomState instance or None, default=None
        Source of the spikes. With an int each call of ``transform`` draws the same.

    Attributes
    ----------
    data_min_, data_max_ : ndarray of float64 of shape (n_channels,)
        Least and greatest value of each channel over all steps of ``fit``; what lies outside later is taken for these.
    n_features_in_ : int
        Number of channels; of a 2-D `X` number of columns.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a 2-D frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        A parameter other than those above, and what `as_sequences` refuses (NaN among it).

    Notes
    -----
    A step has a spike with probability 1 − exp(−rate · dt), that of at least one event of a Poisson process. Of a 2-D `X` each row is one univariate
    sequence and each column becomes `n_steps` columns. What comes back is in the container that came (see `PerStep`).

    References
    ----------
    E. D. Adrian, "The impulses produced by sensory nerve endings", Journal of Physiology 61, 1926.

    Examples
    --------
    >>> from skrnn.preprocessing import RateEncoder
    >>> spikes = RateEncoder(n_steps=2000, max_rate=40.0, random_state=0).fit_transform([[0.0, 0.5, 1.0]])
    >>> spikes.reshape(3, 2000).sum(axis=1)
    array([ 0., 20., 47.])
    """

    def __init__(self, n_steps: int = 20, max_rate: float = 100.0, dt: float = 0.5, random_state: Any = None) -> None:
        self.n_steps = n_steps
        self.max_rate = max_rate
        self.dt = dt
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def _check(self) -> None:
        super()._check()
        if not _is_positive(self.max_rate):
            self._refuse("max_rate", "a positive number of spikes a second")
        if not _is_positive(self.dt):
            self._refuse("dt", "a positive number of ms")

    def _spikes(self, places: Array) -> Array:
        chance = -np.expm1(-self.max_rate * self.dt / 1000 * places)
        drawn = check_random_state(self.random_state).random_sample((len(places), self.n_steps, places.shape[1]))
        return drawn < chance[:, None]


class LatencyEncoder(_Stretched, auto_wrap_output_keys=None):
    """Encode numbers in the time of a single spike: the greater, the earlier (Thorpe, Delorme & Van Rullen, 2001).

    Fast and sparse, and exact to a time step, where the neurons that get the spikes can tell times apart. Choose it over :class:`RateEncoder` when
    few steps have to do.

    Parameters
    ----------
    n_steps : int, default=20
        Time steps of spikes for each time step of the data: how many values can be told apart.

    Attributes
    ----------
    data_min_, data_max_ : ndarray of float64 of shape (n_channels,)
        Least and greatest value of each channel over all steps of ``fit``; what lies outside later is taken for these.
    n_features_in_ : int
        Number of channels; of a 2-D `X` number of columns.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a 2-D frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        A parameter other than those above, and what `as_sequences` refuses (NaN among it).

    Notes
    -----
    The greatest value spikes in the first of the `n_steps` steps, the least in the last, and the time falls linearly between, rounded. Of a 2-D `X`
    each row is one univariate sequence and each column becomes `n_steps` columns. What comes back is in the container that came (see `PerStep`).

    References
    ----------
    S. Thorpe, A. Delorme, R. Van Rullen, "Spike-based strategies for rapid processing", Neural Networks 14, 2001.

    Examples
    --------
    >>> from skrnn.preprocessing import LatencyEncoder
    >>> LatencyEncoder(n_steps=3).fit_transform([[0.0, 0.5, 1.0]]).reshape(3, 3)
    array([[0., 0., 1.],
           [0., 1., 0.],
           [1., 0., 0.]])
    """

    def __init__(self, n_steps: int = 20) -> None:
        self.n_steps = n_steps

    def _spikes(self, places: Array) -> Array:
        at = np.rint((1 - places) * (self.n_steps - 1))
        return at[:, None] == np.arange(self.n_steps)[:, None]


class DeltaEncoder(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Encode changes: a spike for each level that a signal crosses upward, and one on another channel downward (delta modulation; DVS cameras).

    Sparse where nothing happens, and without an own time scale: the number of steps stays as it is. Choose it for signals of which the changes
    matter; a constant offset is lost.

    Parameters
    ----------
    threshold : float, default=0.1
        Distance of two levels, in units of the data: standardise first (:class:`PerStep`) if channels differ. Smaller is more exact and spikes more.

    Attributes
    ----------
    n_features_in_ : int
        Number of channels; of a 2-D `X` number of columns.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a 2-D frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        A threshold that is not positive, and what `as_sequences` refuses (NaN among it).

    Notes
    -----
    ::

        n(t) = n(t-1) + [z(t) − n(t-1)],   z(t) = (x(t) − x(0)) / threshold,   n(0) = 0

    with [·] rounding toward 0. The first half of the channels holds n(t) − n(t-1) where it is positive, the second half its negative where that is:
    numbers of spikes, which exceed 1 where a signal jumps. The value x(0) + threshold · n(t) is nearer to x(t) than threshold at all times, and a
    change has to go further than that before a spike tells of it, so that noise below the threshold is silent.

    What comes back is in the container that came (see `PerStep`). Of a 2-D `X` each row is one univariate sequence, and a 3-D array with two
    channels comes back.

    References
    ----------
    P. Lichtsteiner, C. Posch, T. Delbruck, "A 128×128 120 dB 15 µs latency asynchronous temporal contrast vision sensor", IEEE Journal of Solid-State
    Circuits 43(2), 2008.

    Examples
    --------
    >>> from skrnn.preprocessing import DeltaEncoder
    >>> DeltaEncoder(threshold=1.0).fit_transform([[5.0, 5.9, 6.1, 5.2, 3.0]])[0].T
    array([[0., 0., 1., 0., 0.],
           [0., 0., 0., 0., 3.]])
    """

    def __init__(self, threshold: float = 0.1) -> None:
        self.threshold = threshold

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the sequences; nothing is learned.

        Parameters
        ----------
        X : 3-D array, list of arrays, 2-D array-like or Sequences
            The sequences.
        y : None
            Not looked at.

        Returns
        -------
        self : DeltaEncoder
            The fitted transformer.
        """
        if not _is_positive(self.threshold):
            raise ValueError(f"The 'threshold' parameter of DeltaEncoder must be a positive number; got {self.threshold!r}")
        check_sequences_and_layout(self, X, reset=True)
        return self

    def transform(self, X: Any) -> Any:
        """Encode the changes.

        Parameters
        ----------
        X : 3-D array, list of arrays, 2-D array-like or Sequences
            The sequences; their lengths need not be those of ``fit``.

        Returns
        -------
        spikes : same container as X
            Numbers of spikes, with twice the channels: upward, then downward.
        """
        check_is_fitted(self, "n_features_in_")
        sequences, layout = check_sequences_and_layout(self, X, reset=False)
        first = sequences.values[np.repeat(sequences.offsets[:-1], sequences.lengths)].astype(np.float64)
        level = _levels((sequences.values - first) / self.threshold, int(sequences.lengths.max()))
        change = np.diff(level, axis=0, prepend=level[:1])
        change[sequences.offsets[:-1]] = 0
        spikes = np.hstack([np.maximum(change, 0), np.maximum(-change, 0)])
        return give_back(sequences.with_values(spikes.astype(sequences.dtype)), layout)

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> Array:
        """Name the channels that come out.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the channels (or columns) that go in; None makes names as scikit-learn does.

        Returns
        -------
        names : ndarray of str
            The names with ``_up``, then with ``_down``; the one channel of 2-D data is ``x0``.
        """
        names = names_in(self, input_features) if self._n_columns is None else ["x0"]
        return np.array([f"{name}_{way}" for way in ("up", "down") for name in names], dtype=object)


def _levels(z: Array, longest: int) -> Array:
    """The level of each step: that of the step before, brought between the whole numbers below and above z.

    Limiting to one interval after the other is limiting to one interval again, so that all steps are done in log2(longest) passes. At the first step
    of a sequence z is 0 and the interval a point, from which on nothing of the sequence before is left.
    """
    low, high = np.floor(z), np.ceil(z)
    reach = 1
    while reach < longest:
        earlier = low[:-reach], high[:-reach]
        low[reach:], high[reach:] = (np.clip(limit, low[reach:], high[reach:]) for limit in earlier)
        reach *= 2
    return low


def _is_positive(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < float("inf")
