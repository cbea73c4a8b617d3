"""EchoStateRegressor: numbers for every time step from the states of a fixed reservoir."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from ..cells import State, map_state, put_first
from ..data import ROWS, Sequences, check_sequences_and_layout, give_steps, step_rows
from ..engine import limit_threads
from ._echo_state import BaseEchoState
from ._guards import require_target, unchanged_on_error
from ._pieces import Pieces, in_pieces
from ._reservoir_base import Pass
from ._reservoir_parameters import AUTO, parameters
from ._step_learning import Material, StepLearning
from ._step_values import as_arrays, numbers, row_weights

Array = NDArray[np.float64]


@parameters
class EchoStateRegressor(RegressorMixin, StepLearning):
    """Echo state network for numbers at every time step (Jaeger, 2001).

    A fixed random recurrent network, the reservoir, turns the input into hundreds of nonlinear memories of it; ridge regression of the targets on
    them is all that is learned, in closed form. Choose it for time series and dynamical systems: it fits in a second where a trained network takes
    minutes, and is hard to beat on chaotic series. What is left at "auto" is chosen before fitting by small reservoirs on the same data.

    A 2-D ``X`` is one series, whose rows are the time steps; lists and 3-D arrays hold several, which never see each other. The reservoir begins
    afresh with every call, unless a ``state`` is passed.

    Parameters
    ----------
    <shared parameters>

    Attributes
    ----------
    washout_ : int
        Steps at the beginning of each sequence that were not learned from.
    target_mean_, target_scale_ : ndarray of shape (n_outputs,)
        Mean and standard deviation of the targets, or 0 and 1 without ``standardize``: the units of what is fed back.
    state_ : tuple
        The state after the training data, for ``predict`` and ``forecast``: of the reservoirs, and the last targets.
    readout_ : estimator
        The fitted model, if ``readout`` is one; then there are no coefficients and penalties.
    <shared attributes>

    Raises
    ------
    ValueError
        From ``fit``, if a parameter, X or y is not as described, if no step is left after the washout, or if the states become infinite.

    Notes
    -----
    With x the standardised input, y the targets and h the states of the reservoirs (see :class:`~skrnn.cells.Reservoir`)::

        h(t) = (1 − a) h(t-1) + a f(W x(t) + W_back y(t-1) + R h(t-1) + b)
        ŷ(t) = coef (x(t), h(t)) + intercept

    W_back is there with ``feedback=True``. The readout minimises the squared error plus alpha ‖coef‖², from float64 sums over blocks of states: O(N²)
    a step, in memory that does not grow with the number of steps. The choice of "auto" parameters runs 36 reservoirs of at most 100 units as one
    batch over at most 5,000 steps, and compares errors on contiguous held-out folds; the best five again with at most 300 units.

    References
    ----------
    H. Jaeger, "The 'echo state' approach to analysing and training recurrent neural networks", GMD report 148, 2001.
    H. Jaeger, H. Haas, "Harnessing nonlinearity: predicting chaotic systems and saving energy in wireless communication", Science 304, 2004.
    M. Lukoševičius, "A practical guide to applying echo state networks", in: Neural networks: tricks of the trade, Springer, 2012.
    D. Sussillo, L. F. Abbott, "Generating coherent patterns of activity from chaotic neural networks", Neuron 63(4), 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import EchoStateRegressor
    >>> wave = np.sin(0.2 * np.arange(1000))[:, None]
    >>> model = EchoStateRegressor(hidden_size=50, random_state=0).fit(wave[:-1], wave[1:])
    >>> ahead = model.forecast(100)
    >>> bool(np.abs(ahead[:, 0] - np.sin(0.2 * np.arange(1000, 1100))).max() < 0.01)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseEchoState._parameter_constraints | {
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"block_cv", "gcv", "closed_loop"})],
        "readout": [BaseEstimator, StrOptions({"rls", "force"}), None],
        "feedback": ["boolean"],
        "feedback_scaling": [Interval(Real, 0, None, closed="left")],
        "washout": [Interval(Integral, 0, None, closed="left"), StrOptions({AUTO})],
        "forgetting": [Interval(Real, 0, 1, closed="right")],
    }

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Choose the scales, draw the reservoir, and solve for the readout.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_steps, n_features)
            Inputs; a 2-D array is one series, whose rows are the time steps. Of a Dask array (n_sequences, n_steps, n_features), with y a Dask array
            too, or a list of delayed pairs (X, y), with y None, the workers sum the normal equations.
        y : list of arrays, array or Sequences
            One target for each step, in the shape of X without its last axis, or with one of n_outputs. NaN is a step without a target.
        sample_weight : array-like of shape (n_sequences,), or in the shape of y, default=None
            How much each sequence, or each step, counts.

        Returns
        -------
        self
        """
        with limit_threads(self.n_threads), torch.inference_mode(), unchanged_on_error(self):
            if in_pieces(X):
                self._begin_in_pieces(Pieces(X, y, sample_weight))
            else:
                self._begin(self._check(X, y, sample_weight, reset=True))
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, *, continue_stream: bool = False) -> Self:
        """Learn from more sequences, or from the next piece of a stream; the first call fixes the reservoir and the standardisation.

        With a ridge readout the result is that of one ``fit`` to everything that came, if the scales and ``alpha`` are numbers and ``standardize``
        is off or the first piece has the means and scales of all; with ``readout="rls"`` or "force" it learns step by step.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``
        continue_stream : bool, default=False
            Whether the sequences go on from where those of the last call ended.

        Returns
        -------
        self
        """
        with limit_threads(self.n_threads), torch.inference_mode(), unchanged_on_error(self):
            if not self.__sklearn_is_fitted__():
                self._begin(self._check(X, y, sample_weight, reset=True))
            else:
                self._go_on(self._check(X, y, sample_weight, reset=False), self.state_ if continue_stream else None)
        return self

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Material:
        """Sequences, a row of targets for each step, and weights, which are 0 where there is no target."""
        require_target(self, y)
        sequences, layout = self._sequences(X, reset=reset)
        rows = numbers(step_rows(y, sequences, layout))
        table = rows.reshape(len(rows), -1)
        weight = None if sample_weight is None else row_weights(sample_weight, sequences, layout)
        missing: NDArray[np.bool_] = np.isnan(table).sum(axis=1) > 0
        if missing.any():
            if self.feedback or missing.all():
                raise ValueError(
                    "y needs a target for " + ("every step with feedback=True" if self.feedback else "at least one step") + "; it has NaN"
                )
            weight = np.where(missing, 0.0, 1.0 if weight is None else weight)
            table = np.where(missing[:, None], 0.0, table)
        if reset:
            self._one_series, self._single_output, self._n_outputs = layout == ROWS, rows.ndim == 1, table.shape[1]
        elif table.shape[1] != self._n_outputs:
            raise ValueError(f"y has {table.shape[1]} outputs (columns), expected {self._n_outputs}")
        return Material(sequences, table, weight)

    def _sequences(self, X: Any, *, reset: bool) -> tuple[Sequences, str]:
        return check_sequences_and_layout(self, X, reset=reset, compute_dtype=self.dtype, rows_are_steps=True)

    def predict(self, X: Any, *, state: Any = None, return_state: bool = False) -> Any:
        """Predict a target for each time step; with ``feedback=True`` from the outputs predicted before.

        Parameters
        ----------
        X : as in ``fit``
            With the channels seen in ``fit``.
        state : object, default=None
            Where the sequences go on from: ``state_``, which is after the training data, or what an earlier call returned. ``None`` starts afresh.
        return_state : bool, default=False
            Whether to return the state after the last step too.

        Returns
        -------
        y : ndarray (n_steps,) for a 2-D X, (n_sequences, n_steps) for a 3-D X, else list of ndarray (n_steps,)
            With one more axis if there are several outputs.
        state : object
            Only if ``return_state``.
        """
        check_is_fitted(self)
        sequences, layout = self._sequences(X, reset=False)
        outputs, after = self._outputs(sequences, state)
        y = give_steps(outputs[:, 0] if self._single_output else outputs, sequences, layout)
        return (y, after) if return_state else y

    def _outputs(self, sequences: Sequences, state: Any = None) -> tuple[Array, Any]:
        """Outputs of all steps, end to end, and the state after them."""
        with limit_threads(self.n_threads), torch.inference_mode():
            now = None if state is None else self._tensors(state, len(sequences))
            outputs, after = self._in_closed_loop(sequences, now) if self.feedback else self._driven(sequences, now)
        return outputs, (after, outputs[sequences.offsets[1:] - 1])

    def _driven(self, sequences: Sequences, state: tuple[State, Tensor] | None) -> tuple[Array, State]:
        outputs = np.empty((sequences.n_steps_total, len(self.target_mean_)))
        run = Pass(self.network_, sequences, self._moments, None if state is None else state[0])
        for rows, features in run:
            outputs[rows] = self._read(features)
        return outputs, run.after

    def _in_closed_loop(self, sequences: Sequences, state: tuple[State, Tensor] | None) -> tuple[Array, State]:
        """All sequences at once; the shorter ones leave when they end."""
        order = np.argsort(-sequences.lengths, kind="stable")
        lengths, starts = sequences.lengths[order], sequences.offsets[:-1][order]
        if state is None:
            states, last = self.network_.start(len(order)), torch.from_numpy(np.tile(self.target_mean_, (len(order), 1)))
        else:
            states, last = map_state(lambda s: s[order], state)
        outputs, loop, done = np.empty((sequences.n_steps_total, len(self.target_mean_))), self._loop(), 0
        for end in np.unique(lengths):
            n = int((lengths >= end).sum())
            rows = starts[:n] + np.arange(done, end)[:, None]
            now = map_state(lambda s, n=n: s[:n], (states, last))
            outputs[rows], now = loop.run(self._read, now, int(end) - done, self._as_inputs(sequences.values[rows]))
            states, last = put_first(now, (states, last))
            done = int(end)
        back = np.argsort(order)
        return outputs, as_arrays(map_state(lambda s: s[back], states))

    def forecast(self, n_steps: int, X: Any = None, *, state: Any = None) -> Array:
        """Run on alone: each output is the next input.

        Needs outputs that can be inputs: either ``y`` was ``X`` one step ahead, or ``feedback=True``.

        Parameters
        ----------
        n_steps : int
            Steps to go.
        X : as in ``fit``, default=None
            Inputs of the steps to come, with ``feedback=True`` only.
        state : object, default=None
            Where to go on from: what ``predict`` returned. ``None`` is the end of the training data.

        Returns
        -------
        ndarray of shape (n_steps[, n_outputs]), or (n_sequences, n_steps[, n_outputs])
            The latter if the model was fitted to several sequences.
        """
        check_is_fitted(self)
        if not isinstance(n_steps, Integral) or n_steps < 1:
            raise ValueError(f"n_steps must be a whole number from 1 up; got {n_steps!r}")
        if self.feedback == (X is None):
            raise ValueError("X must hold the inputs of the steps to come with feedback=True, and must be None without; got " + type(X).__name__)
        state = self.state_ if state is None else state
        with limit_threads(self.n_threads), torch.inference_mode():
            now = self._tensors(state, len(state[1]))
            y = self._loop().run(self._read, now, n_steps, None if X is None else self._future(X, n_steps, len(now[1])))[0].swapaxes(0, 1)
        y = y[0] if self._one_series and len(y) == 1 else y
        return y[..., 0] if self._single_output else y

    def _future(self, X: Any, n_steps: int, n_sequences: int) -> Tensor:
        sequences, _ = self._sequences(X, reset=False)
        if len(sequences) != n_sequences or (sequences.lengths != n_steps).any():
            raise ValueError(f"X must hold n_steps={n_steps} steps of {n_sequences} sequences; got {sequences!r}")
        return self._as_inputs(sequences.values).view(n_sequences, n_steps, -1).transpose(0, 1)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Coefficient of determination R² over the steps with a target, mean over the outputs.

        Each sequence begins afresh, so its first ``washout_`` steps do not count, unless there are no others.

        Parameters
        ----------
        X, y, sample_weight : as in ``fit``

        Returns
        -------
        float
        """
        check_is_fitted(self)
        sequences, table, weight = self._check(X, y, sample_weight, reset=False)
        counted = np.arange(sequences.n_steps_total) - np.repeat(sequences.offsets[:-1], sequences.lengths) >= self.washout_
        counted |= not counted.any()
        weight = None if weight is None else weight[counted]
        return float(r2_score(table[counted], self._outputs(sequences)[0][counted], sample_weight=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
