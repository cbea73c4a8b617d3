"""Encoders: sequences of numbers become sequences of spikes."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from sklearn.utils import Tags, check_random_state

from .._constraints import COUNT, POSITIVE
from ..data._sequences import Array, Sequences
from ._containers import give_back
from ._transformer import RowTransformer


class StretchingEncoder(RowTransformer):
    """An encoder that makes ``n_steps`` steps of spikes of each step, from its place between the least and the greatest value of the fit."""

    _parameter_constraints = RowTransformer._parameter_constraints | {"n_steps": [COUNT]}
    n_steps: int

    def _learn(self, sequences: Sequences, y: Any) -> None:
        self.data_min_ = sequences.values.min(axis=0).astype(np.float64)
        self.data_max_ = sequences.values.max(axis=0).astype(np.float64)

    def _change(self, sequences: Sequences, layout: str) -> Any:
        spikes = self._spikes(self._places(sequences.values)).astype(sequences.dtype)
        return give_back(Sequences(spikes.reshape(-1, sequences.n_features), sequences.offsets * self.n_steps), layout)

    def _names(self, names: Array) -> Any:
        """Channels keep theirs; of 2-D data each column has become ``n_steps`` columns."""
        return [f"{name}:{k}" for name in names for k in range(self.n_steps)] if self._has_columns else names

    def _places(self, values: Array) -> Array:
        """Where values stand between the least (0) and the greatest (1) of the fit; 0 in a channel that was constant."""
        span = self.data_max_ - self.data_min_
        above = np.clip(values, self.data_min_, self.data_max_) - self.data_min_
        return np.divide(above, span, out=np.zeros(values.shape), where=span > 0)

    @abstractmethod
    def _spikes(self, places: Array) -> Array:
        """Spikes of shape (n_rows, n_steps, n_channels) for places of shape (n_rows, n_channels)."""


class RateEncoder(StretchingEncoder):
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
    rows : {"sequences", "steps"}, default="sequences"
        What the rows of a 2-D `X` are: "sequences" of one channel, as classifiers read them, or the "steps" of one sequence, as forecasters,
        reservoirs and taggers do.

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
    sequence and each column "x0" becomes `n_steps` columns "x0:0", "x0:1" …. What comes back is in the container that came (see `PerStep`).

    References
    ----------
    E. D. Adrian, "The impulses produced by sensory nerve endings", Journal of Physiology 61, 1926.

    Examples
    --------
    >>> from skrnn.preprocessing import RateEncoder
    >>> spikes = RateEncoder(
    ...     n_steps=2000, max_rate=40.0, random_state=0
    ... ).fit_transform([[0.0, 0.5, 1.0]])
    >>> spikes.reshape(3, 2000).sum(axis=1)
    array([ 0., 20., 47.])
    """

    _parameter_constraints = StretchingEncoder._parameter_constraints | {"max_rate": [POSITIVE], "dt": [POSITIVE], "random_state": ["random_state"]}

    def __init__(self, n_steps: int = 20, max_rate: float = 100.0, dt: float = 0.5, random_state: Any = None, rows: str = "sequences") -> None:
        self.n_steps = n_steps
        self.max_rate = max_rate
        self.dt = dt
        self.random_state = random_state
        self.rows = rows

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def _spikes(self, places: Array) -> Array:
        chance = -np.expm1(-self.max_rate * self.dt / 1000 * places)
        drawn = check_random_state(self.random_state).random_sample((len(places), self.n_steps, places.shape[1]))
        return drawn < chance[:, None]


class LatencyEncoder(StretchingEncoder):
    """Encode numbers in the time of a single spike: the greater, the earlier (Thorpe, Delorme & Van Rullen, 2001).

    Fast and sparse, and exact to a time step, where the neurons that get the spikes can tell times apart. Choose it over :class:`RateEncoder` when
    few steps have to do.

    Parameters
    ----------
    n_steps : int, default=20
        Time steps of spikes for each time step of the data: how many values can be told apart.
    rows : {"sequences", "steps"}, default="sequences"
        What the rows of a 2-D `X` are: "sequences" of one channel, as classifiers read them, or the "steps" of one sequence, as forecasters,
        reservoirs and taggers do.

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
    each row is one univariate sequence and each column "x0" becomes `n_steps` columns "x0:0", "x0:1" …. What comes back is in the container that
    came (see `PerStep`).

    References
    ----------
    S. Thorpe, A. Delorme, R. Van Rullen, "Spike-based strategies for rapid processing", Neural Networks 14, 2001.

    Examples
    --------
    >>> from skrnn.preprocessing import LatencyEncoder
    >>> LatencyEncoder(n_steps=3).fit_transform([[0.0, 0.5, 1.0]]).reshape(
    ...     3, 3
    ... )
    array([[0., 0., 1.],
           [0., 1., 0.],
           [1., 0., 0.]])
    """

    def __init__(self, n_steps: int = 20, rows: str = "sequences") -> None:
        self.n_steps = n_steps
        self.rows = rows

    def _spikes(self, places: Array) -> Array:
        at = np.rint((1 - places) * (self.n_steps - 1))
        return at[:, None] == np.arange(self.n_steps)[:, None]


class DeltaEncoder(RowTransformer):
    """Encode changes: a spike for each level that a signal crosses upward, and one on another channel downward (delta modulation; DVS cameras).

    Sparse where nothing happens, and without an own time scale: the number of steps stays as it is. Choose it for signals of which the changes
    matter; a constant offset is lost.

    Parameters
    ----------
    threshold : float, default=0.1
        Distance of two levels, in units of the data: standardise first (:class:`PerStep`) if channels differ. Smaller is more exact and spikes more.
    rows : {"sequences", "steps"}, default="sequences"
        What the rows of a 2-D `X` are: "sequences" of one channel, as classifiers read them, or the "steps" of one sequence, as forecasters,
        reservoirs and taggers do.

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

    What comes back is in the container that came (see `PerStep`), with channels "x0_up", "x1_up" …, then "x0_down" …. Of a 2-D `X` each row is one
    univariate sequence, and a 3-D array with two channels comes back.

    References
    ----------
    P. Lichtsteiner, C. Posch, T. Delbruck, "A 128×128 120 dB 15 µs latency asynchronous temporal contrast vision sensor", IEEE Journal of Solid-State
    Circuits 43(2), 2008.

    Examples
    --------
    >>> from skrnn.preprocessing import DeltaEncoder
    >>> DeltaEncoder(threshold=1.0).fit_transform([[5.0, 5.9, 6.1, 5.2, 3.0]])[
    ...     0
    ... ].T
    array([[0., 0., 1., 0., 0.],
           [0., 0., 0., 0., 3.]])
    """

    _parameter_constraints = RowTransformer._parameter_constraints | {"threshold": [POSITIVE]}

    def __init__(self, threshold: float = 0.1, rows: str = "sequences") -> None:
        self.threshold = threshold
        self.rows = rows

    def _learn(self, sequences: Sequences, y: Any) -> None:
        """Nothing but the number of channels."""

    def _change(self, sequences: Sequences, layout: str) -> Any:
        first = sequences.values[np.repeat(sequences.offsets[:-1], sequences.lengths)].astype(np.float64)
        level = _levels((sequences.values - first) / self.threshold, int(sequences.lengths.max()))
        change = np.diff(level, axis=0, prepend=level[:1])
        change[sequences.offsets[:-1]] = 0
        spikes = np.hstack([np.maximum(change, 0), np.maximum(-change, 0)])
        return give_back(sequences.with_values(spikes.astype(sequences.dtype)), layout)

    def _names(self, names: Array) -> list[str]:
        """Upward, then downward; the one channel of 2-D data is x0."""
        channels = ["x0"] if self._has_columns else names
        return [f"{name}_{way}" for way in ("up", "down") for name in channels]


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
