"""EchoStateRegressor: numbers for every time step from the states of a fixed reservoir."""

from __future__ import annotations

from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..._bases import BaseEstimator, RegressorMixin, _fit_context
from ...data import Sequences, places_in
from ..face._declared import parameters
from ..face._guards import predicting, seed_of, unchanged_on_error
from ..face._noted import as_fitted, note_parameters
from ..face._readers import Steps
from ..face._step_values import join_arrays
from ..face._targets import moments
from ._blueprint import Blueprint
from ._closed_loop import ClosedLoop, LoopState, range_of, taken_up, warn_of_escape
from ._drive import Drive, Units, warn_of_constants
from ._driven_data import DrivenSteps
from ._echo_state import EchoState
from ._learners import Force, FreeRun, Learned, Learner, Model, Recursive, Ridge
from ._partition_work import describe_steps, sum_steps
from ._partitions import TINY_CHANNEL, TINY_TARGET, Partitions, in_partitions, mean_and_scale, only_reading, split_by
from ._readouts import ReadoutState, StepReadoutState, readout_of
from ._scales import N_UNITS, N_UNITS_AGAIN, choose_scales
from ._settings import PenaltyPerTarget, ReadoutSettings, TunedScales
from ._taught_steps import TaughtSteps, read_taught_steps, require_longer, step_folds, step_trial

Array = NDArray[np.float64]


@parameters
class EchoStateRegressor(RegressorMixin, EchoState, PenaltyPerTarget, ReadoutSettings, TunedScales, ReadoutState, StepReadoutState):
    """Echo state network for numbers at every time step (Jaeger, 2001).

    A fixed random recurrent network, the reservoir, turns the input into hundreds of nonlinear memories of it; ridge regression of the targets on
    them is all that is learned, in closed form. Choose it for time series and dynamical systems: it fits in a second where a trained network takes
    minutes, and is hard to beat on chaotic series. What is left at "auto" is chosen before fitting by small reservoirs on the same data.

    A 2-D ``X`` is one series, whose rows are the time steps; lists and 3-D arrays hold several, which never see each other. The reservoir begins
    afresh with every call, unless a ``state`` is passed.

    Parameters
    ----------
    feedback : bool, default=False
        Whether the output of the step before is an input too: the true one while fitting, the predicted one afterwards.
    feedback_scaling : float, default=1.0
        Range of the weights of the outputs fed back, in units of the targets' standard deviation.
    washout : int or "auto", default="auto"
        Steps at the beginning of each sequence that are not learned from, as they depend on the state before the first. "auto" is the measured
        number of steps after which a millionth of it is left, at most a quarter of the shortest sequence.
    forgetting : float, default=1.0
        What the weight of a step is multiplied by at every later one, for "rls" and "force"; 1 forgets nothing.
    alpha : float or {"auto", "block_cv", "gcv", "closed_loop"}, default="auto"
        Penalty of the squared readout weights, or how it is chosen: "block_cv" by contiguous held-out folds; "gcv" by generalised cross-validation,
        which is faster and takes neighbouring steps for independent; where outputs can be the next inputs, "closed_loop" by the error of free runs on
        the last held-out fold, which is what forecasts need (the states of all steps are then held at once). "auto" is "closed_loop" for one ``fit``
        with ``feedback=True``, if there are steps enough for it, no weights, and states of less than 256 MB; else "block_cv".
    n_folds : int, default=5
        Contiguous folds for "block_cv" and for the choice of "auto" parameters.
    readout : estimator, {"rls", "force"} or None, default=None
        What reads the states instead of ridge regression: a scikit-learn model, which needs the states of all steps at once; "rls" is recursive
        least squares along time, and "force" the same while the network's own output is fed back.

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
    >>> model = EchoStateRegressor(hidden_size=50, random_state=0).fit(
    ...     wave[:-1], wave[1:]
    ... )
    >>> ahead = model.forecast(100)[:, 0]
    >>> truth = np.sin(0.2 * np.arange(1000, 1100))
    >>> bool(np.abs(ahead - truth).max() < 0.01)
    True
    """

    feedback: bool = False
    feedback_scaling: float = 1.0
    washout: int | str = "auto"
    forgetting: float = 1.0
    alpha: float | str = "auto"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "feedback": ["boolean"],
        "feedback_scaling": [Interval(Real, 0, None, closed="left")],
        "washout": [Interval(Integral, 0, None, closed="left"), StrOptions({"auto"})],
        "forgetting": [Interval(Real, 0, 1, closed="right")],
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto", "block_cv", "gcv", "closed_loop"})],
        "readout": [BaseEstimator, StrOptions({"rls", "force"}), None],
    }

    def _reader(self) -> Steps:
        return Steps(self.dtype, self.standardize)

    @property
    def _units(self) -> Units:
        return Units(self.mean_, self.scale_, self.target_mean_, self.target_scale_, self.feedback)

    def _learner(self, taught: TaughtSteps | None = None) -> Learner:
        """As the parameters say; ``taught`` is all that it will ever learn from."""
        if self.readout == "rls":
            return Recursive(self._units, self.alpha, self.forgetting)
        if self.readout == "force":
            return Force(self._units, self.alpha, self.forgetting)
        if self.readout is not None:
            return Model(self.readout, self._single_output)
        whole = taught if self.alpha == "auto" and self.feedback else None
        if self.alpha == "closed_loop" or whole is not None:
            lasting = FreeRun(self._units, self.n_folds)
            if whole is None or lasting.can(whole, self.washout_, self.network_.output_size):
                return lasting
        return Ridge("block_cv" if self.alpha == "auto" else self.alpha, self.n_folds, self.alpha_per_target)

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
        with self._fitting():
            if in_partitions(X):
                self._begin_in_partitions(Partitions(X, y, sample_weight, self.n_threads))
            else:
                self._begin(taught := read_taught_steps(self, X, y, sample_weight, reset=True), taught)
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
        with predicting(self), unchanged_on_error(self):
            if not self.__sklearn_is_fitted__():
                self._begin(read_taught_steps(self, X, y, sample_weight, reset=True))
                note_parameters(self)
            else:
                self._go_on(read_taught_steps(self, X, y, sample_weight, reset=False), self.state_ if continue_stream else None)
        return self

    def _begin(self, taught: TaughtSteps, everything: TaughtSteps | None = None) -> None:
        """Fix what the first data fix, then learn from them; ``everything`` is all that will come, if that is known."""
        self._measure(taught.sequences)
        if not self.feedback:
            warn_of_constants(taught.sequences)
        n = self._n_outputs
        self.target_mean_, self.target_scale_ = moments(taught.targets, taught.weight) if self.standardize else (np.zeros(n), np.ones(n))
        self._learner().check()
        self._target_reach = range_of(taught.targets)
        self._set_up(taught, taught.sequences.lengths)
        self._learn(taught, self._learner(everything), None)

    def _set_up(self, taught: TaughtSteps, lengths: NDArray[np.int64]) -> None:
        """Choose the scales and draw the reservoir, where the standardisation is known; ``lengths`` are of all sequences, given here or not."""
        require_longer(self.washout, lengths)
        units, fed_back = self._units, (float(self.feedback_scaling),) * (self._n_outputs if self.feedback else 0)
        driving = units.driving(taught.sequences, taught.targets, units.target_mean)
        blueprint = Blueprint(self, len(units.mean), seed_of(self.random_state), fed_back)
        ranked = choose_scales(blueprint, *step_trial(self, taught, units, driving), (N_UNITS, N_UNITS_AGAIN))
        longest = driving[int(driving.lengths.argmax())]
        drawn = blueprint.build_first_that_forgets(ranked, longest, units.of_inputs, measured=self.washout == "auto")
        self.network_ = drawn.network
        self.spectral_radius_, self.leak_rate_, self.input_scaling_ = drawn.scales
        self.washout_ = min(drawn.memory, int(lengths.min()) // 4) if self.washout == "auto" else int(self.washout)

    def _begin_in_partitions(self, partitions: Partitions) -> None:
        """As ``_begin``, with sums that are taken where the partitions are; the scales are chosen on the first one."""
        if self.readout is not None or self.alpha == "closed_loop" or self.noise > 0:
            given = f"readout={self.readout}, alpha={self.alpha!r}, noise={self.noise}"
            raise ValueError(f"A fit of Dask collections sums normal equations: it needs readout=None, another alpha and no noise; got {given}")
        first = read_taught_steps(self, *partitions.first(), None, reset=True)
        self._target_reach = range_of(first.targets)
        reader, ridge = only_reading(self, "_n_outputs"), cast(Ridge, self._learner())
        lengths, channels, targets = zip(*partitions.map(partial(describe_steps, reader)), strict=True)
        all_lengths = np.concatenate(lengths)
        require_longer(self.washout, all_lengths)
        n_channels, n_targets = channels[0].n_targets, targets[0].n_targets
        self.mean_, self.scale_ = mean_and_scale(sum(channels), TINY_CHANNEL) if self.standardize else (np.zeros(n_channels), np.ones(n_channels))
        self.target_mean_, self.target_scale_ = (
            mean_and_scale(sum(targets), TINY_TARGET) if self.standardize else (np.zeros(n_targets), np.ones(n_targets))
        )
        self._set_up(first, all_lengths)
        folds = split_by(step_folds(self, all_lengths, None, self.washout_, at_least=1 + isinstance(self.alpha, str)), [n.sum() for n in lengths])
        sums, ends = partitions.sum(partial(sum_steps, reader, self.network_, self._units, ridge.n_sums), folds)
        after, last = zip(*ends, strict=True)
        self._take(Learned(ridge.solve(sums), join_arrays(after), sums), np.concatenate(last))

    def _go_on(self, taught: TaughtSteps, state: Any) -> None:
        """Learn from more sequences, which begin, or go on from ``state``."""
        if "_learned" not in vars(self):
            raise ValueError("partial_fit cannot go on: what was learned from is not saved with a model; call fit")
        if self.feedback != as_fitted(self).feedback:
            raise ValueError(f"feedback must stay between calls of partial_fit; got feedback={self.feedback}: call fit")
        learner = self._learner()
        self._target_reach = range_of(np.concatenate([self._target_reach, taught.targets]))
        if learner.keeps is None or self._learned is None:
            raise ValueError(f"partial_fit needs a readout that learns from sums or step by step; got readout={self.readout}, alpha={self.alpha!r}")
        if not isinstance(self._learned, learner.keeps):
            raise ValueError(f"readout must stay between calls of partial_fit; got readout={self.readout!r}: call fit")
        if state is None:
            require_longer(self.washout, taught.sequences.lengths)
        self._learn(taught, learner, None if state is None else taken_up(state, self.network_, len(taught.sequences), self._n_outputs))

    def _learn(self, taught: TaughtSteps, learner: Learner, state: LoopState | None) -> None:
        """Let a learner learn, which goes on from what was seen before, if anything was."""
        sequences, targets, weight = taught
        states, last = (None, self.target_mean_) if state is None else (state[0], state[1].double().cpu().numpy())
        driving = self._units.driving(sequences, targets, last)
        drive = Drive(self.network_, driving, self._units.of_inputs, states, noisy=self.noise > 0)
        washout = self.washout_ if state is None else 0
        fold = step_folds(self, sequences.lengths, weight, washout, at_least=1 + isinstance(self.alpha, str))
        self._take(learner.learn(DrivenSteps(drive, targets, weight, fold), vars(self).get("_learned")), taught.last_targets)

    def _take(self, learned: Learned, last_targets: Array) -> None:
        self.__dict__.update(learned.readout.fitted())
        self._learned = learned.seen
        self.state_ = (learned.after, last_targets)

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
        model = as_fitted(self)
        given = model._reader().read(model, X, reset=False)
        outputs, after = model._outputs(given.sequences, state)
        y = model._reader().give(outputs[:, 0] if self._single_output else outputs, given)
        return (y, after) if return_state else y

    def _outputs(self, sequences: Sequences, state: Any = None) -> tuple[Array, Any]:
        """Outputs of all steps, end to end, and the state after them."""
        read, units = readout_of(self), self._units
        with predicting(self):
            now = None if state is None else taken_up(state, self.network_, len(sequences), self._n_outputs)
            if self.feedback:
                outputs, after = ClosedLoop(self.network_, units).run_over(sequences, read, now)
                warn_of_escape(outputs, self._target_reach)
            else:
                drive = Drive(self.network_, sequences, units.of_inputs, None if now is None else now[0])
                outputs = np.empty((sequences.n_steps_total, self._n_outputs))
                for rows, features in drive.blocks():
                    outputs[rows] = read(features)
                after = drive.after
        return outputs, (after, outputs[sequences.offsets[1:] - 1])

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
        model = as_fitted(self)
        if model.feedback == (X is None):
            raise ValueError("X must hold the inputs of the steps to come with feedback=True, and must be None without; got " + type(X).__name__)
        state = self.state_ if state is None else state
        with predicting(self):
            loop = ClosedLoop(self.network_, model._units)
            now = taken_up(state, self.network_, len(state[1]), self._n_outputs)
            future = None if X is None else loop.future(model._reader().read(model, X, reset=False).sequences, n_steps, len(state[1]))
            y = loop.run(readout_of(self), now, n_steps, future)[0].swapaxes(0, 1)
            warn_of_escape(y, self._target_reach)
        y = y[0] if self._one_series and len(y) == 1 else y
        return y[..., 0] if self._single_output else y

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
        model = as_fitted(self)
        sequences, targets, weight = read_taught_steps(model, X, y, sample_weight, reset=False)
        counted = places_in(sequences.lengths) >= self.washout_
        counted |= not counted.any()
        weight = None if weight is None else weight[counted]
        return float(r2_score(targets[counted], model._outputs(sequences)[0][counted], sample_weight=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
