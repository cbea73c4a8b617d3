"""One number, or several, for each sequence."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils.validation import check_array, column_or_1d

from ..training import SquaredError
from ._parameters import parameters
from ._targets import Encoded, moments
from ._whole import BaseWholeSequence


@parameters
class RNNRegressor(RegressorMixin, BaseWholeSequence):
    """Predict one number, or several, for whole sequences with a recurrent network.

    Sequences may differ in length; nothing is padded. Targets are standardised inside, so that their scale does not matter. The defaults are
    chosen over several kinds of data (see the user guide); ``cell``, ``hidden_size`` and ``max_epochs`` are the first things to search.

    Parameters
    ----------
    <shared parameters>

    Attributes
    ----------
    network_ : skrnn.networks.SequenceNetwork
        The trained torch module; its outputs are standardised targets.
    target_mean_, target_scale_ : ndarray of shape (n_outputs,)
        The same for the targets.
    loss_curve_ : list of float
        Mean squared error of the standardised targets in each epoch.
    <shared attributes>

    Notes
    -----
    ::

        y(t) = layers of cells (forward, backward) over x(1), x(2), …
        prediction = target_mean_ + target_scale_ (V pool(y(1), y(2), …) + d)

    V and d start at zero, so that training starts from the mean of the targets.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 1)) for n in rng.integers(3, 12, size=200)]
    >>> y = np.array([x.max() for x in X])
    >>> model = RNNRegressor(hidden_size=16, max_epochs=20, random_state=0).fit(X[:150], y[:150])
    >>> model.score(X[150:], y[150:]) > 0.8
    True
    """

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one pass over some sequences, at the constant learning rate; the first call fixes the standardisation.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        self
        """
        return self._one_pass(X, y, sample_weight)

    def _encode(self, y: Any, weight: NDArray[np.float64] | None, *, reset: bool, classes: Any = None) -> Encoded:
        if np.asarray(y).dtype.kind in "mM":
            raise TypeError("y holds datetimes; a regression needs numbers")
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y", estimator=self)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if y.ndim > 2:
            raise ValueError(f"y should have shape (n_sequences,) or (n_sequences, n_outputs), got {y.shape}")
        table = y.reshape(len(y), -1)
        if reset:
            self.target_mean_, self.target_scale_ = moments(table, weight)
            self._single_output = y.ndim == 1
        if table.shape[1] != len(self.target_mean_):
            raise ValueError(f"y has {table.shape[1]} outputs (columns), expected {len(self.target_mean_)}")
        return Encoded((table - self.target_mean_) / self.target_scale_, SquaredError())

    def _decode(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        y = self.target_mean_ + self.target_scale_ * outputs
        return y[:, 0] if self._single_output else y

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
