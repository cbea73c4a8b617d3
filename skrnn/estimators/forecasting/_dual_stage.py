"""A series from the series that drive it, by attention in two stages."""

from __future__ import annotations

import warnings
from dataclasses import field
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..._bases import RegressorMixin, _fit_context
from ...cells import Cell, resolve
from ...data import ROWS
from ...engine import Rule
from ...networks import DualStage
from ..face._declared import parameters
from ..face._guards import learning, predicting
from ..face._noted import as_fitted
from ..face._readers import Given
from ..face._settings import Decayed, Recurrence, Standardized
from ..face._state import Fitted, NumberState
from ..face._targets import Numbers
from ..face._trained import Trained
from ._driven import DrivenSeries, driven_table, in_closed_loop, read_drivers
from ._series_frames import labels_of
from ._times import SeriesTimes, Whens, when_of, when_of_both

Array = NDArray[np.float64]


def _when(X: Any, y: Any) -> tuple[Whens, list[str]]:
    """The points in time of a series and its drivers."""
    return when_of_both(when_of([y]), when_of([X]), False)


@parameters
class DualStageAttentionRegressor(RegressorMixin, Decayed, Trained, Standardized, Recurrence, NumberState):
    """Follow a series from many that drive it: attention over the drivers, then over time (DA-RNN; Qin et al., 2017).

    For an index from its shares, a temperature from other sensors: where the drivers of the same moment are known (``include_current=True``) and the
    target is not, or not yet. Its weights say which drivers counted, and when. Compare it with persistence and with ridge regression of the same
    differences, which win more often than papers tell; with drivers of the past only (``include_current=False``) prices follow no model.

    A row of X is a time step, and there is one series: ``fit`` remembers its end, and ``predict`` gives the steps that follow.

    Parameters
    ----------
    decoder_size : int or None, default=None
        Units of the decoder; ``None`` is ``hidden_size``, which then are those of the encoder.
    n_lags : int, default=10
        Steps T of the drivers, and of the target's past, that a prediction looks at. The default becomes less where the series is too short
        for it, and a warning says so; any other number is taken at its word.
    include_current : bool, default=True
        Whether the last of these steps of the drivers is that of the prediction, as in the paper, or the one before.
    difference : bool, default=True
        Learn the change of the target from the changes of everything, so that levels may leave the range that was seen in ``fit``. ``False`` is the
        paper's: levels, which drift away from it.

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
    >>> model = DualStageAttentionRegressor(
    ...     hidden_size=8, n_lags=3, max_epochs=30, random_state=0
    ... ).fit(X[:400], y[:400])
    >>> persistence, error = (
    ...     np.diff(y[399:]).std(),
    ...     (model.predict(X[400:], y[400:]) - y[400:]).std(),
    ... )
    >>> bool(error < 0.3 * persistence)
    True
    """

    cell: str | Cell = field(default="lstm", kw_only=False)
    decoder_size: int | None = None
    n_lags: int = 10
    include_current: bool = True
    difference: bool = True

    _built_from: ClassVar[tuple[str, ...]] = ("decoder_size", "n_lags", "include_current", "difference")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "decoder_size": [Interval(Integral, 1, None, closed="left"), None],
        "n_lags": [Interval(Integral, 1, None, closed="left")],
        "include_current": ["boolean"],
        "difference": ["boolean"],
        "rule": [StrOptions({"bptt", "guessing"}), Rule],
    }
    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("network_", "torch.nn.Module", (), "The trained DualStage; its outputs are standardised targets, or changes of them."),
        Fitted("target_mean_, target_scale_", "ndarray", ("1",), "Mean and standard deviation of what the network learns."),
        Fitted("loss_curve_", "list of float", (), "Mean squared error of what the network learns in each epoch."),
        Fitted("n_lags_", "int", (), "Steps of the windows."),
        Fitted("_end", "ndarray", ("n_steps", "n_columns")),
        Fitted("_times", "SeriesTimes"),
        Fitted("_labels", "SeriesLabels or None"),
    )

    def _reader(self) -> DrivenSeries:
        return DrivenSeries(
            self.dtype,
            self.standardize,
            n_lags=self.n_lags_,
            include_current=self.include_current,
            difference=self.difference,
        )

    def _target(self) -> Numbers:
        return Numbers(self, self.dtype)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> DualStage:
        decoder_size = self.hidden_size if self.decoder_size is None else self.decoder_size
        n_drivers = len(self.mean_) - 1
        return DualStage(resolve(self.cell), n_drivers, self.n_lags_, self.hidden_size, decoder_size, bias, generator=generator)

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
        with learning(self):
            going_on = self.warm_start and self.__sklearn_is_fitted__()
            table = driven_table(self, X, y, reset=not going_on)
            if not going_on:
                self.n_lags_ = self._n_lags(len(table))
            self._end = table[-self._reader().n_before :]
            self._times, self._labels = SeriesTimes.of(*_when(X, y), None, False), labels_of(y, [y], False)
            lesson = self._prepare(X, y, None, going_on=going_on)
            self._train(lesson, self._trainer(lesson, self.alpha))
        return self

    def _n_lags(self, n_steps: int) -> int:
        """Those of the parameter; half of what the series has room for where the default is too long for it."""
        n_lags = max(1, (n_steps - 1 - self.difference) // 2)
        if self.n_lags != type(self).n_lags or n_steps > self.n_lags + self.difference:
            return self.n_lags
        warnings.warn(
            f"n_lags={self.n_lags} is too long for {n_steps} steps: n_lags_={n_lags} is used, and little is learned",
            stacklevel=4,
        )
        return n_lags

    def update(self, X: Any, y: Any) -> Self:
        """Move on: remember other steps as the last that were seen. Nothing is learned.

        Parameters
        ----------
        X, y : as in ``fit``
            What followed the steps remembered so far; where an index says when, it must be the steps behind their end.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        table = driven_table(as_fitted(self), X, y, reset=False)
        self._times = self._times.followed_by(*_when(X, y), None, [len(table)])
        self._end = np.concatenate([self._end, table])[-len(self._end) :]
        return self

    def predict(self, X: Any, y_history: Any = None) -> Any:
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
        ndarray of shape (n_times,), or pandas series with the index that follows, where the y of ``fit`` had one of times
        """
        check_is_fitted(self)
        predicted = self._predicted(X, y_history)
        (axis,) = self._times.axes
        if self._labels is None or axis is None:
            return predicted
        return self._labels.frame(0, predicted[:, None], axis.steps_ahead(len(predicted)), True, None)

    def _predicted(self, X: Any, y_history: Any) -> Array:
        reader, table = as_fitted(self)._reader(), self._following(X, y_history)
        windows = reader.as_windows(table)
        if y_history is not None:
            predictor = self._predictor()
            return reader.levels(predictor.target.decode(predictor.outputs(Given(windows, ROWS))), table)
        mean, scale = self.mean_[-1], self.scale_[-1]
        units = (self.target_scale_[0] / scale, (self.target_mean_[0] - mean) / scale)
        with predicting(self):
            moves = mean + scale * in_closed_loop(self.network_, windows, self.mean_, self.scale_, units)
        return self._end[-1, -1] + np.cumsum(moves) if reader.difference else moves

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
        check_is_fitted(self)
        return self._attention(self._following(X, self._predicted(X, None) if y_history is None else y_history))[1]

    def _following(self, X: Any, y_history: Any) -> Array:
        """The last steps that were seen, and those to be predicted, whose target is 0 where it is not known."""
        model = as_fitted(self)
        n = read_drivers(model, X, reset=False).sequences.n_steps_total
        self._times.followed_by(*_when(X, y_history), None, [n])
        history = np.zeros(n) if y_history is None else np.array(y_history, dtype=np.float64)
        if history.shape == (n,) and np.isnan(history[-1]):
            history[-1] = 0.0
        return np.concatenate([self._end, driven_table(model, X, history, reset=False)])

    def _attention(self, table: Array) -> tuple[Array, Array]:
        windows = as_fitted(self)._reader().as_windows(table)
        source = self._predictor().source(windows)
        inputs = np.empty((len(windows), self.n_lags_, table.shape[1] - 1))
        times = np.empty((len(windows), self.n_lags_, self.n_lags_))
        with predicting(self):
            for index in source.chunks():
                weights = self.network_.attention(source.packed(index))
                inputs[index], times[index] = (weight.double().cpu().numpy() for weight in weights)
        return inputs, times
