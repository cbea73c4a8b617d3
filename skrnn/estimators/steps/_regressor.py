"""One number, or several, for each time step."""

from __future__ import annotations

from typing import Any, Self

import torch
from sklearn.metrics import r2_score

from ..._bases import RegressorMixin, _fit_context
from ...networks import StepNetwork
from ..face._declared import parameters
from ..face._held_out import HELD_OUT
from ..face._predictor import compared
from ..face._readers import Steps
from ..face._settings import Decayed, Directed, Fronted, Measured, Recurrence, Stacked, Standardized
from ..face._state import NumberState
from ..face._targets import Numbers
from ..face._trained import Trained, encoding_of, seeing_layers
from ._streams import going_stream, streamed


@parameters
class RNNSequenceRegressor(RegressorMixin, Measured, Decayed, Trained, Standardized, Directed, Fronted, Stacked, Recurrence, NumberState):
    """Predict one number, or several, at every time step of a sequence with a recurrent network.

    For signals that follow other signals: filters, soft sensors, states of a system. Runs forward in time by default, so that a prediction never
    looks ahead and streams can be followed step by step; ``bidirectional=True`` is better where the whole sequence is there. Targets are
    standardised inside; `loss` says what of them is predicted.

    Notes
    -----
    ::

        y(t) = layers of cells over x(1), …, x(t)
        prediction(t) = target_mean_ + target_scale_ (V y(t) + d)

    V starts at zero and d where the loss of a constant is least. With ``loss="poisson"`` and ``"gamma"`` the prediction is
    ``target_mean_ · exp(V y(t) + d)``. A 2-D ``X`` is one sequence whose rows are the time steps. Steps whose target is NaN (in any output) are seen,
    but neither trained on nor scored.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNSequenceRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = [rng.normal(size=(n, 1)) for n in rng.integers(5, 15, size=100)]
    >>> y = [0.5 * x[:, 0] + np.append(0, x[:-1, 0]) for x in X]
    >>> model = RNNSequenceRegressor(
    ...     hidden_size=16, max_epochs=60, random_state=0
    ... ).fit(X[:80], y[:80])
    >>> model.score(X[80:], y[80:]) > 0.9
    True
    """

    bidirectional: bool = False

    __metadata_request__fit = HELD_OUT

    def _reader(self) -> Steps:
        return Steps(self.dtype, self.standardize, encoding=encoding_of(self))

    def _target(self) -> Numbers:
        return Numbers(self, self.dtype, per_step=True, loss=self.loss, quantile=self.quantile)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> StepNetwork:
        layers, frontend = seeing_layers(self, generator)
        return StepNetwork(layers, bias, frontend)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on sequences with a target for every time step.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_steps, n_features)
            Sequences of any lengths; a 2-D array is one sequence, whose rows are the time steps. So is a long pandas frame, with an (instance, time)
            index, of many.
        y : list of arrays, array or Sequences
            One target for each step, in the shape of X without its last axis, or with one of n_outputs; a row for each row of a table.
        sample_weight : array-like of shape (n_sequences,), or in the shape of y, default=None
            How much each sequence, or each step, counts.
        X_val, y_val : as X and y, default=None
            Sequences and targets for early stopping.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described; the message names it, and the estimator is unchanged.
        TypeError
            If X is no container of sequences.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val))

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
        return self._one_pass(X, y, sample_weight, stream=going_stream(vars(self).get("_stream"), self.bidirectional, continue_stream))

    def predict(self, X: Any, *, state: Any = None, return_state: bool = False) -> Any:
        """Predict a target for each time step.

        Parameters
        ----------
        X : as in ``fit``
            With the channels seen in ``fit``.
        state : object, default=None
            What an earlier call with ``return_state=True`` gave for the same number of sequences: they go on from there. ``None`` starts afresh.
        return_state : bool, default=False
            Whether to return the state after the last step too, for the next piece of a stream. Needs ``bidirectional=False``.

        Returns
        -------
        y : ndarray (n_steps,) for a 2-D X or a long frame, (n_sequences, n_steps) for a 3-D X, else list of ndarray (n_steps,)
            With one more axis if there are several outputs.
        state : object
            Only if ``return_state``.
        """
        return streamed(self._predictor(), X, state, return_state)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Coefficient of determination R² over the steps with a target, mean over the outputs.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
        """
        y, predicted, weight = compared(self._predictor(), X, y, sample_weight)
        return float(r2_score(y, predicted, sample_weight=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
