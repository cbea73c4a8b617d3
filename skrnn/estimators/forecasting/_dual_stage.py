"""A series from the series that drive it, by attention in two stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, column_or_1d
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, resolve
from ..data import ROWS, Sequences, check_sequences_and_layout, step_rows, window_rows
from ..engine import Rule, limit_threads, rollout
from ..networks import DualStage
from ..training import Batches, SquaredError
from ._base import BaseRecurrent
from ._guards import require_target, unchanged_on_error
from ._held_out import Part, last_aside
from ._parameters import parameters
from ._step_values import numbers
from ._targets import Encoded, moments

Array = NDArray[np.float64]


@parameters
class DualStageAttentionRegressor(RegressorMixin, BaseRecurrent):
    """Follow a series from many that drive it: attention over the drivers, then over time (DA-RNN; Qin et al., 2017).

    For an index from its shares, a temperature from other sensors: where the drivers of the same moment are known (``include_current=True``) and the
    target is not, or not yet. Its weights say which drivers counted, and when. Compare it with persistence and with ridge regression of the same
    differences, which win more often than papers tell; with drivers of the past only (``include_current=False``) prices follow no model.

    A row of X is a time step, and there is one series: ``fit`` remembers its end, and ``predict`` gives the steps that follow.

    Parameters
    ----------
    <shared parameters>
    decoder_size : int or None, default=None
        Units of the decoder; ``None`` is ``hidden_size``, which then are those of the encoder.
    n_lags : int, default=10
        Steps T of the drivers, and of the target's past, that a prediction looks at.
    include_current : bool, default=True
        Whether the last of these steps of the drivers is that of the prediction, as in the paper, or the one before.
    difference : bool, default=True
        Learn the change of the target from the changes of everything, so that levels may leave the range that was seen in ``fit``. ``False`` is the
        paper's: levels, which drift away from it.

    Attributes
    ----------
    network_ : skrnn.networks.DualStage
        The trained torch module; its outputs are standardised targets, or changes of them.
    target_mean_, target_scale_ : ndarray of shape (1,)
        Mean and standard deviation of what the network learns.
    loss_curve_ : list of float
        Mean squared error of the standardised targets, or their changes, in each epoch.
    <shared attributes>

    Raises
    ------
    ValueError
        From ``fit``, if a parameter, X or y is not as described, or there are fewer steps than a window needs.

    Notes
    -----
    With x^k(1), …, x^k(T) the window of driver k, ending at the time of the prediction, and y(0), …, y(T-1) the target before it::

        e^k(t) = v_e tanh(W_e [h(t-1); s(t-1)] + U_e x^k)         a(t) = softmax over k of e(t)                    eqs. 8, 9
        h(t), s(t) = cell(a(t) x(t), h(t-1), s(t-1))                                                               eqs. 10, 11
        l^i(t) = v_d tanh(W_d [d(t-1); s'(t-1)] + U_d h(i))       b(t) = softmax over i of l(t)                    eqs. 12, 13
        c(t) = Σ_i b^i(t) h(i)                                                                                     eq. 14
        d(t), s'(t) = cell(w [y(t-1); c(t-1)] + b̃, d(t-1), s'(t-1))                                                eqs. 15, 16
        ŷ(T) = v_y (W_y [d(T); c(T)] + b_w) + b_v                                                                  eq. 22

    Without the tanh of eq. 8, which public code leaves out, the state is the same for all k and cancels in the softmax. Differs from the paper in
    that the decoder reads as many steps as the encoder, T instead of T - 1, in that any cell will do, whose units all stand for [h; s], and in
    ``difference``. O(T (H² + K T²)) for a window of K drivers.

    References
    ----------
    Y. Qin et al., "A dual-stage attention-based recurrent neural network for time series prediction", IJCAI 2017, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import DualStageAttentionRegressor
    >>> X = np.random.default_rng(0).normal(size=(500, 4)).cumsum(axis=0)
    >>> y = X @ [0.5, 0.3, 0.2, 0.0]
    >>> model = DualStageAttentionRegressor(hidden_size=8, n_lags=3, max_epochs=30, random_state=0).fit(X[:400], y[:400])
    >>> persistence, error = np.diff(y[399:]).std(), (model.predict(X[400:], y[400:]) - y[400:]).std()
    >>> bool(error < 0.3 * persistence)
    True
    """

    n_layers: ClassVar[int] = 1  # type: ignore[misc]
    bidirectional: ClassVar[bool] = False  # type: ignore[misc]
    dropout: ClassVar[float] = 0.0  # type: ignore[misc]

    cell: str | Cell = "lstm"
    _: KW_ONLY
    decoder_size: int | None = None
    n_lags: int = 10
    include_current: bool = True
    difference: bool = True

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        name: kinds for name, kinds in BaseRecurrent._parameter_constraints.items() if name not in ("n_layers", "bidirectional", "dropout")
    } | {
        "decoder_size": [Interval(Integral, 1, None, closed="left"), None],
        "n_lags": [Interval(Integral, 1, None, closed="left")],
        "include_current": ["boolean"],
        "difference": ["boolean"],
        "rule": [StrOptions({"bptt", "guessing"}), Rule],
    }
    _built_from: ClassVar[tuple[str, ...]] = (*BaseRecurrent._built_from, "decoder_size", "n_lags", "include_current", "difference")

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Learn from windows of one series, and remember its end.

        Parameters
        ----------
        X : array-like of shape (n_times, n_drivers)
            The driving series; rows are time steps.
        y : array-like of shape (n_times,)
            The series that they drive, at the same times.

        Returns
        -------
        self
        """
        with unchanged_on_error(self):
            self._fit(X, y, None, (None, None))
            self._end = self._table(X, y, reset=False)[-self._n_before :]
        return self

    def update(self, X: Any, y: Any) -> Self:
        """Move on: remember other steps as the last that were seen. Nothing is learned.

        Parameters
        ----------
        X, y : as in ``fit``
            What followed the steps remembered so far.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        self._end = np.concatenate([self._end, self._table(X, y, reset=False)])[-self._n_before :]
        return self

    def predict(self, X: Any, y_history: Any = None) -> Array:
        """Predict the target at the steps that follow those of ``fit``, or of the last ``update``.

        Parameters
        ----------
        X : array-like of shape (n_times, n_drivers)
            The drivers at these steps.
        y_history : array-like of shape (n_times,), default=None
            The target at these steps, where it became known after each: a prediction uses the values before its step only, so the last is not used
            and may be NaN. ``None``: nothing becomes known, and predictions stand for it, whose errors add up.

        Returns
        -------
        ndarray of shape (n_times,)
        """
        check_is_fitted(self)
        table = self._following(X, y_history)
        if y_history is None:
            return self._in_closed_loop(table)
        return self._levels(self._outputs(self._as_windows(table)), table)

    def input_attention(self, X: Any) -> Array:
        """How much each driver counted in each step of the window of each prediction.

        Parameters
        ----------
        X : as in ``predict``

        Returns
        -------
        ndarray of shape (n_times, n_lags, n_drivers)
            The last axis sums to 1.
        """
        check_is_fitted(self)
        return self._attention(self._following(X, None))[0]

    def temporal_attention(self, X: Any, y_history: Any = None) -> Array:
        """How much each step of the encoder counted in each step of the decoder.

        Parameters
        ----------
        X, y_history : as in ``predict``

        Returns
        -------
        ndarray of shape (n_times, n_lags, n_lags)
            ``[n, t, i]``: of step ``i`` of the window of prediction ``n``, in step ``t`` of the decoder. The last axis sums to 1.
        """
        return self._attention(self._following(X, self.predict(X) if y_history is None else y_history))[1]

    @property
    def _n_before(self) -> int:
        """Steps that must have been seen before the first prediction."""
        return self.n_lags + self.difference

    def _table(self, X: Any, y: Any, *, reset: bool) -> Array:
        """The drivers, and the target as last column."""
        require_target(self, y)
        drivers = self._drivers(X, reset=reset)
        target = column_or_1d(numbers(step_rows(y, drivers, ROWS)), warn=True)
        if np.isnan(target).any():
            raise ValueError(f"Input y contains NaN (first at step {int(np.isnan(target).argmax())}): every step of the past is an input")
        return np.column_stack([drivers.values, target]).astype(np.float64)

    def _drivers(self, X: Any, *, reset: bool) -> Sequences:
        sequences, layout = check_sequences_and_layout(self, X, reset=reset, compute_dtype=self.dtype, rows_are_steps=True)
        if layout != ROWS:
            raise ValueError(f"X must be one series, an array of shape (n_times, n_drivers); got {type(X).__name__} of {len(sequences)} sequences")
        return sequences

    def _following(self, X: Any, y_history: Any) -> Array:
        """The last steps that were seen, and those to be predicted, whose target is 0 where it is not known."""
        n = self._drivers(X, reset=False).n_steps_total
        history = np.zeros(n) if y_history is None else np.array(y_history, dtype=np.float64)
        if history.shape == (n,) and np.isnan(history[-1]):
            history[-1] = 0.0
        return np.concatenate([self._end, self._table(X, history, reset=False)])

    def _as_windows(self, table: Array) -> Sequences:
        """A window for each step after the first ``_n_before``."""
        moves = np.diff(table, axis=0) if self.difference else table
        past, _ = window_rows(len(moves), self.n_lags, 1)
        values = np.concatenate([moves[past + self.include_current, :-1], moves[past, -1:]], axis=-1)
        return Sequences(values.reshape(-1, table.shape[1]), np.arange(len(past) + 1) * self.n_lags)

    def _levels(self, outputs: Array, table: Array) -> Array:
        """Predictions of the target at all steps after the first ``_n_before``, from those of what the network learned."""
        return outputs + table[self._n_before - 1 : -1, -1] if self.difference else outputs

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Sequences, Array, None]:
        table = self._table(X, y, reset=reset)
        if len(table) <= self._n_before:
            raise ValueError(
                f"n_lags={self.n_lags} with difference={self.difference} needs more than {self._n_before} steps; got n_samples = {len(table)}"
            )
        moves = np.diff(table[:, -1]) if self.difference else table[:, -1]
        return self._as_windows(table), moves[self.n_lags :, None], None

    def _encode(self, y: Array, weight: Array | None, *, reset: bool, classes: Any = None) -> Encoded:
        if reset:
            self.target_mean_, self.target_scale_ = moments(y, None)
        return Encoded((y - self.target_mean_) / self.target_scale_, SquaredError())

    def _decode(self, outputs: Array) -> Array:
        return (self.target_mean_ + self.target_scale_ * outputs)[:, 0]

    def _split(self, part: Part, X_val: Any, y_val: Any, seed: int) -> tuple[Part, Part | None]:
        return last_aside(part, self.validation_fraction) if self.early_stopping is True else (part, None)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> DualStage:
        decoder_size = self.hidden_size if self.decoder_size is None else self.decoder_size
        return DualStage(resolve(self.cell), len(self.mean_) - 1, self.n_lags, self.hidden_size, decoder_size, bias, generator=generator)

    def _packed(self, windows: Sequences) -> Iterator[tuple[NDArray[np.int64], PackedSequence]]:
        weight: Any = self.network_.head.W
        batches = Batches(windows, self.mean_, self.scale_, weight.dtype, weight.device)
        for index in batches.chunks():
            yield index, batches.packed(index)

    def _outputs(self, windows: Sequences) -> Array:
        """What the network says of each window, in units of what it learned."""
        outputs = np.empty((len(windows), 1))
        with limit_threads(self.n_threads), torch.inference_mode():
            for index, packed in self._packed(windows):
                outputs[index] = self.network_(packed).double().cpu().numpy()
        return self._decode(outputs)

    def _attention(self, table: Array) -> tuple[Array, Array]:
        windows = self._as_windows(table)
        inputs = np.empty((len(windows), self.n_lags, table.shape[1] - 1))
        times = np.empty((len(windows), self.n_lags, self.n_lags))
        network: Any = self.network_
        with limit_threads(self.n_threads), torch.inference_mode():
            for index, packed in self._packed(windows):
                inputs[index], times[index] = (weights.double().cpu().numpy() for weights in network.attention(packed))
        return inputs, times

    def _in_closed_loop(self, table: Array) -> Array:
        """Predictions that stand for the target in the windows after them."""
        network: Any = self.network_
        like = network.head.W
        windows = self._as_windows(table)
        with limit_threads(self.n_threads), torch.inference_mode():
            steps = ((windows.values - self.mean_) / self.scale_).reshape(len(windows), self.n_lags, -1)
            drivers = torch.from_numpy(steps[:, :, :-1]).to(like)
            past = torch.from_numpy(steps[0, :, -1]).to(like)
            gain, shift = self.target_scale_[0] / self.scale_[-1], (self.target_mean_[0] - self.mean_[-1]) / self.scale_[-1]

            def advance(x: torch.Tensor, past: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
                past = torch.cat([past[:, 1:], x[:, -1:]], -1)
                window = torch.cat([x[:, :-1].view(self.n_lags, -1), past.T], -1)
                out = network(PackedSequence(window, torch.ones(self.n_lags, dtype=torch.int64)))
                return gain * out + shift, past

            outputs, _ = rollout(advance, past[None].roll(1, -1), len(windows), first=past[-1:, None], inputs=drivers.flatten(1)[:, None])
            moves = self.mean_[-1] + self.scale_[-1] * torch.cat(outputs)[:, 0].double().cpu().numpy()
        return table[self._n_before - 1, -1] + np.cumsum(moves) if self.difference else moves
