"""What a forecaster of reservoirs learns in ``fit``, and from the steps that come later."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import Panel, Sequences
from ...training import Choice, NormalEquations, WindowSource
from ..reservoirs._blueprint import Blueprint, Drawn, Scales
from ..reservoirs._closed_loop import ClosedLoop, TaughtSeries, choose_by_free_run, is_long_enough
from ..reservoirs._drive import Drive, Units
from ..reservoirs._scales import N_UNITS, N_UNITS_AGAIN, choose_scales, few_sequences
from ..reservoirs._taught_steps import TaughtSteps, step_folds, step_trial
from ._learning import learned_windows
from ._reservoir_features import SeriesSteps, TaughtWindows, WindowFeatures, noisy, series_steps, taught_windows
from ._reservoir_learning import LearnedReadout, RowLearner, is_negligible
from ._settings import AUTO
from ._side_by_side import Readouts, SideBySide

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_DIRECT = Scales(0.9, 1.0, 1.0)  # what "auto" is where the window itself is seen
_MOST_STEPS = 2**19  # that reservoirs go through in windows
_MANY = 2**28  # bytes of features that are held


def learn_directly(model: Any, panel: Panel, ends: Indices) -> LearnedReadout:
    """Draw the reservoirs, and learn all steps ahead from windows of the steps before ``ends`` of each series."""
    if model.alpha == "closed_loop":
        raise ValueError("alpha='closed_loop' compares free runs: it needs strategy='recursive'")
    windows = _windows(model, panel, (np.zeros_like(ends), ends))
    n_channels = windows.pair(windows.window(np.array([0])), np.array([0])).source.data.shape[1]
    blueprint = Blueprint(model, n_channels, model._seed, n_copies=model.n_reservoirs_)
    told = Scales(*(given if given != AUTO else usual for given, usual in zip(_given(model), _DIRECT, strict=True)))
    scales = Scales(None, None, None) if model.cell is not None else told
    _take(model, Drawn(scales, blueprint.build(scales), 0), 0)
    features = window_features(model)
    most = max(2, min(_MOST_STEPS // features.n_run, _MANY // (4 * features.n_features)))
    index = _some(len(windows), most, model._seed)
    rows = _rows(model, windows, index)
    counts = np.bincount(windows.series[index], minlength=len(panel.lengths))
    alpha = "block_cv" if model.alpha == AUTO else model.alpha
    readouts = _side_by_side(model, features.n_features)
    return RowLearner(readouts, alpha, model.n_folds, _levels(model)).from_windows(rows, counts)


def learn_to_run_on(model: Any, panel: Panel, ends: Indices) -> LearnedReadout:
    """Choose the scales, draw the reservoirs, and learn the next step from the steps before ``ends`` of each series."""
    steps = series_steps(panel, model._series_moments, model._sight(), np.zeros_like(ends), ends)
    taught = TaughtSteps(steps.sequences, steps.targets, None if steps.known.all() else steps.known.astype(float))
    units, lengths = _units(steps), steps.sequences.lengths
    blueprint = Blueprint(model, steps.sequences.n_features, model._seed, n_copies=model.n_reservoirs_)
    ranked = choose_scales(blueprint, *step_trial(model, taught, units, steps.sequences), (N_UNITS, N_UNITS_AGAIN))
    longest = steps.sequences[int(lengths.argmax())]
    drawn = blueprint.build_first_that_forgets(ranked, longest, units.of_inputs, measured=True)
    _take(model, drawn, min(drawn.memory, int(lengths.min()) // 4))
    fold = step_folds(model, lengths, taught.weight, model.washout_, at_least=2)
    counted = np.flatnonzero(fold >= 0)
    rows = counted[_some(len(counted), max(2, _MANY // (8 * drawn.network.output_size)), model._seed)]
    Z = _features(model, steps.sequences, rows)
    readouts = _side_by_side(model, drawn.network.output_size)
    chosen = _chosen_by_free_run(model, taught, units, readouts, rows)
    learner = RowLearner(
        readouts, "block_cv" if isinstance(model.alpha, str) and model.alpha != "gcv" else model.alpha, model.n_folds, _levels(model)
    )
    return learner.from_steps(Z, steps.targets[rows], fold[rows], chosen)


def with_more_rows(model: Any, panel: Panel, n_new: Indices) -> tuple[NormalEquations, Readouts]:
    """Sums and readout of all that was learned from, and of the new steps at the end of a panel."""
    if is_negligible(model.alpha_, model._learned):
        raise ValueError(f"learn=True cannot go on with so small a penalty, alpha_={model.alpha_:g}, which sums of squares do not show; call fit")
    if model._plan.recursive:
        steps = series_steps(panel, model._series_moments, model._sight(), np.zeros_like(panel.lengths), panel.lengths)
        late = np.concatenate([np.arange(n) >= n - new for n, new in zip(steps.sequences.lengths, n_new, strict=True)])
        rows = np.flatnonzero(late & steps.known)
        Z, Y, weight = _features(model, steps.sequences, rows), steps.targets[rows], None
    else:
        windows = _windows(model, panel, (panel.lengths - n_new - model.horizon_ + 1, panel.lengths))
        if len(windows) == 0:
            window = f"{model.n_lags_} + {model.horizon_} steps"
            raise ValueError(f"learn=True needs a window of {window} with a target in its future")
        taught = _rows(model, windows, np.arange(len(windows)))
        Z, weight = taught.Z, taught.weight
        Y = (taught.Y - np.einsum("nhvq,vq->nhv", taught.K, model.covariate_coef_)).reshape(len(Z), -1)
    new = NormalEquations(model._learned.n_features, model._learned.n_targets)
    sums = model._learned + (new.add(Z, Y, weight) if len(Z) else new)
    return sums, _side_by_side(model, sums.n_features).solve(sums, model.alpha_)


def window_features(model: Any) -> WindowFeatures:
    """What the readouts of a forecaster see of windows."""
    return WindowFeatures(model.network_, model._history.y.shape[1], model.n_lags_)


def _windows(model: Any, panel: Panel, ends: tuple[Any, Any]) -> WindowSource:
    """Those whose futures lie between two steps of each series, and teach something."""
    windows: WindowSource = learned_windows(panel, model._series_moments, model._sight(), ends, None, taught=False).source
    return windows


def _rows(model: Any, windows: WindowSource, index: Indices) -> TaughtWindows:
    with noisy(model.network_, model.noise):
        return taught_windows(window_features(model), windows, index, len(model._covariate_columns.known))


def _features(model: Any, sequences: Sequences, rows: Indices) -> NDArray[np.floating]:
    """Features of some steps of sequences."""
    network, n = model.network_, sequences.n_steps_total
    place = np.full(n, -1)
    place[rows] = np.arange(len(rows))
    Z = np.empty((len(rows), network.output_size), str(network.dtype).removeprefix("torch."))
    nothing = np.zeros(sequences.n_features), np.ones(sequences.n_features)
    for block, features in Drive(network, sequences, nothing, noisy=model.noise > 0).blocks():
        wanted = place[block] >= 0
        Z[place[block[wanted]]] = features[wanted]
    return Z


def _units(steps: SeriesSteps) -> Units:
    """A panel's values are in units already; what is fed back are the last channels."""
    n_values, n_outer = steps.targets.shape[1], steps.sequences.n_features - steps.targets.shape[1]
    none, one = np.zeros(n_values), np.ones(n_values)
    return Units(np.zeros(n_outer), np.ones(n_outer), none, one, True) if n_outer else Units(none, one, none, one, False)


def _chosen_by_free_run(model: Any, taught: TaughtSteps, units: Units, readouts: SideBySide, rows: Indices) -> tuple[Choice, Readouts | None] | None:
    """The penalty with which free runs stay closest to some of the series, and the readout if these are all; ``None`` where another is chosen."""
    lengths, share = taught.sequences.lengths, 1 / model.n_folds
    some = few_sequences(lengths, np.argsort(np.arange(len(lengths)) * 0.618 % 1), 1)
    fits = taught.weight is None and int(lengths[some].sum()) * readouts.n_features * 8 <= _MANY
    fits = fits and is_long_enough(lengths[some], share, model.washout_)
    if model.alpha == "closed_loop" and not fits:
        raise ValueError(f"alpha='closed_loop' needs series without gaps, long enough for free runs; the shortest has {lengths.min() + 1} steps")
    if model.alpha not in (AUTO, "closed_loop") or not fits:
        return None
    loop, offsets = ClosedLoop(model.network_, units), taught.sequences.offsets
    data = [TaughtSeries(loop.inputs(taught.sequences[k]), taught.targets[offsets[k] : offsets[k + 1]], model.washout_) for k in some.tolist()]
    coef, intercept, choice = choose_by_free_run(loop, data, share, readouts.svd_path)
    n_seen = sum(len(d.y) - d.first for d in data)
    if n_seen == len(rows):
        return choice, (coef, intercept)
    more = len(rows) / n_seen
    return Choice(choice.alpha * more, choice.alphas * more, choice.scores), None


def _side_by_side(model: Any, n_features: int) -> SideBySide:
    """The states come last, those of each reservoir together."""
    n_states = model.n_reservoirs_ * model.n_groups * model.n_layers * model.hidden_size
    return SideBySide(n_features - n_states, n_features, model.n_reservoirs_)


def _levels(model: Any) -> Array:
    return np.array(model._plan.levels)


def _given(model: Any) -> tuple[Any, Any, Any]:
    return model.spectral_radius, model.leak_rate, model.input_scaling


def _take(model: Any, drawn: Drawn, washout: int) -> None:
    model.network_, model.washout_ = drawn.network, washout
    model.spectral_radius_, model.leak_rate_, model.input_scaling_ = drawn.scales


def _some(n: int, most: int, seed: int) -> Indices:
    """All of n rows, or as many as may be, drawn: evenly spaced ones would all lie at one place of a season."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
