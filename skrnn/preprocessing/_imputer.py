"""SequenceImputer: missing values within sequences."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from ..data._checks import check_sequences_and_layout
from ..data._sequences import Sequences
from ._containers import give_back, names_in

STRATEGIES = ("ffill", "mean", "constant")


class SequenceImputer(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Fill NaN within sequences, and say where it was (masking as input: Lipton, Kale and Wetzel, 2016).

    Choose "ffill" for quantities that last (a state, a price, a blood pressure), "mean" for readings without memory, "constant"
    with `add_indicator` to leave it to the network. Nothing is taken from later steps, so no step knows its future.

    Parameters
    ----------
    strategy : {"ffill", "mean", "constant"}, default="ffill"
        "ffill": the last value before the gap, in the same sequence and channel; before the first value, the channel's mean.
        "mean": the channel's mean over all observed steps of ``fit``. "constant": `fill_value`.
    fill_value : float, default=0.0
        The value for "constant".
    add_indicator : bool, default=False
        Whether to append a channel for each channel that is 1 where a value was missing and 0 elsewhere.

    Attributes
    ----------
    mean_ : ndarray of float64 of shape (n_channels,)
        Mean of the observed values of each channel; NaN for a channel without any (only possible with "constant").
    n_features_in_ : int
        Number of channels; of a 2-D `X` number of columns.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a 2-D frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        An unknown strategy; a channel without any observed value in ``fit`` (but for "constant"); what `as_sequences` refuses.

    Notes
    -----
    What comes back is in the container that came (see `PerStep`). Of a 2-D `X` each row is one univariate sequence: a gap is
    filled from the left, the mean is that of the whole table, and with `add_indicator` a 3-D array of two channels comes back.

    References
    ----------
    Lipton, Kale and Wetzel (2016), "Directly modeling missing data in sequences with RNNs", section 4: forward filling and
    indicators. Differs from the paper in the value before the first observation (there the median of the population).

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import SequenceImputer
    >>> X = [np.array([np.nan, 2.0, np.nan]), np.array([4.0, np.nan])]
    >>> [x.ravel().tolist() for x in SequenceImputer().fit_transform(X)]
    [[3.0, 2.0, 2.0], [4.0, 4.0]]
    """

    def __init__(self, strategy: str = "ffill", fill_value: float = 0.0, add_indicator: bool = False) -> None:
        self.strategy = strategy
        self.fill_value = fill_value
        self.add_indicator = add_indicator

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Take the mean of each channel.

        Parameters
        ----------
        X : 3-D array, list of arrays, 2-D array-like or Sequences
            The sequences; NaN is a missing value.
        y : None
            Not looked at.

        Returns
        -------
        self : SequenceImputer
            The fitted transformer.
        """
        if self.strategy not in STRATEGIES:
            raise ValueError(f"strategy must be one of {STRATEGIES}, got {self.strategy!r}")
        sequences, _ = check_sequences_and_layout(self, X, reset=True, allow_nan=True)
        mean = _observed_mean(sequences.values)
        if self.strategy != "constant" and np.isnan(mean).any():
            feature = int(np.argmax(np.isnan(mean)))
            raise ValueError(f"feature {feature} of X has no observed value, so it has no mean; drop it or use strategy='constant'")
        self.mean_ = mean
        return self

    def transform(self, X: Any) -> Any:
        """Fill what is missing.

        Parameters
        ----------
        X : 3-D array, list of arrays, 2-D array-like or Sequences
            The sequences; NaN is a missing value.

        Returns
        -------
        Xt : same container as X
            The sequences without NaN, and with twice the channels if `add_indicator`.
        """
        check_is_fitted(self)
        sequences, layout = check_sequences_and_layout(self, X, reset=False, allow_nan=True)
        missing = np.isnan(sequences.values)
        values = np.where(missing, self._start_values().astype(sequences.dtype), sequences.values)
        if self.strategy == "ffill":
            _fill_forward(values, missing, sequences)
        if self.add_indicator:
            values = np.hstack([values, missing.astype(sequences.dtype)])
        return give_back(sequences.with_values(values), layout)

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> npt.NDArray[Any]:
        """Name the channels that come out; of 2-D data that stay 2-D, the columns.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the channels (or columns) that go in; None makes names as scikit-learn does.

        Returns
        -------
        names : ndarray of str
            The names; those of the indicators begin with ``missingindicator_``.
        """
        names = names_in(self, input_features)
        if not self.add_indicator:
            return names
        if self._n_columns is not None:
            names = np.array(["x0"], dtype=object)
        return np.concatenate([names, np.array([f"missingindicator_{name}" for name in names], dtype=object)])

    def _start_values(self) -> npt.NDArray[Any]:
        """What stands for a missing value that has no value before it, one per channel."""
        return np.full_like(self.mean_, self.fill_value) if self.strategy == "constant" else self.mean_


def _observed_mean(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Mean of the values that are not NaN, per column in float64; NaN for a column without any."""
    observed = ~np.isnan(values)
    sums: npt.NDArray[np.float64] = np.asarray(np.sum(values, axis=0, where=observed, dtype=np.float64))
    counts = observed.sum(axis=0)
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)


def _fill_forward(values: npt.NDArray[Any], missing: npt.NDArray[np.bool_], sequences: Sequences) -> None:
    """Write the last observed value of the same sequence into `values` (our own copy), where there is one."""
    rows = np.arange(len(values))
    starts = np.repeat(sequences.offsets[:-1], sequences.lengths)
    for feature in range(values.shape[1]):  # one channel at a time, as the row numbers take 8 bytes each
        last = np.maximum.accumulate(np.where(missing[:, feature], -1, rows))
        known = last >= starts
        values[known, feature] = values[last[known], feature]
