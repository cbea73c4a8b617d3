"""One number, or several, for each time step."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils.validation import column_or_1d

from ..training import SquaredError
from ._every_step import BaseEveryStep
from ._parameters import parameters
from ._step_values import numbers
from ._targets import Encoded, moments


@parameters
class RNNSequenceRegressor(RegressorMixin, BaseEveryStep):
    """Predict one number, or several, at every time step of a sequence with a recurrent network.

    For signals that follow other signals: filters, soft sensors, states of a system. Runs forward in time by default, so that a prediction never
    looks ahead and streams can be followed step by step; ``bidirectional=True`` is better where the whole sequence is there. Targets are
    standardised inside.

    Parameters
    ----------
    <shared parameters>

    Attributes
    ----------
    network_ : skrnn.networks.StepNetwork
        The trained torch module; its outputs are standardised targets.
    target_mean_, target_scale_ : ndarray of shape (n_outputs,)
        The same for the targets.
    loss_curve_ : list of float
        Mean squared error of the standardised targets in each epoch.
    <shared attributes>

    Notes
    -----
    ::

        y(t) = layers of cells over x(1), …, x(t)
        prediction(t) = target_mean_ + target_scale_ (V y(t) + d)

    V and d start at zero. A 2-D ``X`` is one sequence whose rows are the time steps. Steps whose target is NaN (in any output) are seen, but
    neither trained on nor scored.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNSequenceRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 1)) for n in rng.integers(5, 15, size=100)]
    >>> y = [0.5 * x[:, 0] + np.append(0, x[:-1, 0]) for x in X]
    >>> model = RNNSequenceRegressor(hidden_size=16, max_epochs=60, random_state=0).fit(X[:80], y[:80])
    >>> model.score(X[80:], y[80:]) > 0.9
    True
    """

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, continue_stream: bool = False) -> Self:
        """Train for one pass over some sequences, at the constant learning rate; the first call fixes the standardisation.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
        continue_stream : bool, default=False
            Whether the sequences go on from where those of the last such call ended, all of them as one batch: learning online, one step at a
            time if you like. The gradient does not reach back into earlier calls, unless ``rule`` is "rtrl".

        Returns
        -------
        self
        """
        return self._one_pass(X, y, sample_weight, stream=self._going_stream(continue_stream))

    def _targets(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        values = numbers(rows)
        return column_or_1d(values, warn=True) if values.ndim == 2 and values.shape[1] == 1 else values

    def _present(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        return ~np.asarray(np.isnan(y.reshape(len(y), -1)).any(axis=1))

    def _encode(self, y: NDArray[Any], weight: NDArray[np.float64] | None, *, reset: bool, classes: Any = None) -> Encoded:
        table = y.reshape(len(y), -1)
        present = self._present(y)
        if reset:
            self.target_mean_, self.target_scale_ = moments(table[present], None if weight is None else weight[present])
            self._single_output = y.ndim == 1
        if table.shape[1] != len(self.target_mean_):
            raise ValueError(f"y has {table.shape[1]} outputs (columns), expected {len(self.target_mean_)}")
        return Encoded(np.where(present[:, None], (table - self.target_mean_) / self.target_scale_, 0.0), SquaredError())

    def _decode(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        y = self.target_mean_ + self.target_scale_ * outputs
        return y[:, 0] if self._single_output else y

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Coefficient of determination R² over the steps with a target, mean over the outputs.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
        """
        y, predicted, weight = self._compared(X, y, sample_weight)
        return float(r2_score(y, predicted, sample_weight=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
