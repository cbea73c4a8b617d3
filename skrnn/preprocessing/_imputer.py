"""SequenceImputer: missing values within sequences."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import Tags
from sklearn.utils._param_validation import StrOptions

from ..data._sequences import Array, Sequences
from ._containers import give_back
from ._transformer import RowTransformer


class SequenceImputer(RowTransformer):
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
    rows : {"sequences", "steps"}, default="sequences"
        What the rows of a 2-D `X` are: "sequences" of one channel, as classifiers read them, or the "steps" of one sequence, as forecasters,
        reservoirs and taggers do.

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
    With ``rows="steps"`` it is one sequence: a gap is filled from above, each column has its mean and its indicator.
    The names of indicators begin with ``missingindicator_``.

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
    >>> SequenceImputer(rows="steps").fit_transform(
    ...     [[1, 1000.0], [2, np.nan], [3, 1002.0]]
    ... )
    array([[1.000e+00, 1.000e+03],
           [2.000e+00, 1.000e+03],
           [3.000e+00, 1.002e+03]])
    """

    _parameter_constraints = RowTransformer._parameter_constraints | {
        "strategy": [StrOptions({"ffill", "mean", "constant"})],
        "fill_value": [Real],
        "add_indicator": ["boolean"],
    }

    def __init__(self, strategy: str = "ffill", fill_value: float = 0.0, add_indicator: bool = False, rows: str = "sequences") -> None:
        self.strategy = strategy
        self.fill_value = fill_value
        self.add_indicator = add_indicator
        self.rows = rows

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _learn(self, sequences: Sequences, y: Any) -> None:
        mean = _observed_mean(sequences.values)
        if self.strategy != "constant" and np.isnan(mean).any():
            feature = int(np.argmax(np.isnan(mean)))
            raise ValueError(f"feature {feature} of X has no observed value, so it has no mean; drop it or use strategy='constant'")
        self.mean_ = mean

    def _change(self, sequences: Sequences, layout: str) -> Any:
        missing = np.isnan(sequences.values)
        values = np.where(missing, self._start_values().astype(sequences.dtype), sequences.values)
        if self.strategy == "ffill":
            _fill_forward(values, missing, sequences)
        if self.add_indicator:
            values = np.hstack([values, missing.astype(sequences.dtype)])
        return give_back(sequences.with_values(values), layout)

    def _names(self, names: Array) -> Any:
        if not self.add_indicator:
            return names
        channels = ["x0"] if self._has_columns else names
        return [*channels, *(f"missingindicator_{name}" for name in channels)]

    def _start_values(self) -> Array:
        """What stands for a missing value that has no value before it, one per channel."""
        return np.full_like(self.mean_, self.fill_value) if self.strategy == "constant" else self.mean_


def _observed_mean(values: Array) -> Array:
    """Mean of the values that are not NaN, per column in float64; NaN for a column without any."""
    observed = ~np.isnan(values)
    sums: Array = np.asarray(np.sum(values, axis=0, where=observed, dtype=np.float64))
    counts = observed.sum(axis=0)
    return np.divide(sums, counts, out=np.full(len(sums), np.nan), where=counts > 0)


def _fill_forward(values: Array, missing: Array, sequences: Sequences) -> None:
    """Write the last observed value of the same sequence into `values` (our own copy), where there is one."""
    rows = np.arange(len(values))
    starts = np.repeat(sequences.offsets[:-1], sequences.lengths)
    for feature in range(values.shape[1]):  # one channel at a time, as the row numbers take 8 bytes each
        last = np.maximum.accumulate(np.where(missing[:, feature], -1, rows))
        known = last >= starts
        values[known, feature] = values[last[known], feature]
