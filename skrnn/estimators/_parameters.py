"""The parameters that trained estimators share: declared, checked and described once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from ..cells import Cell
from ..engine import RULES, Rule
from ..training import OPTIMIZERS, SCHEDULES, Penalty
from ._described import Described, parameters

_DESCRIPTIONS = """\
    cell : str or Cell, default="gru"
        What happens in one time step: a name of :mod:`skrnn.cells` in lower case, or a cell with its own settings, whose parameters can be
        searched as ``cell__…``.
    hidden_size : int, default=<hidden_size>
        Units of each layer and direction; more can represent more and cost quadratically more.
    n_layers : int, default=1
        Recurrent layers on top of each other.
    bidirectional : bool, default=<bidirectional>
        Also run a second cell from the last step to the first.
    pooling : {"last", "mean", "max", "attention"}, default="max"
        How the outputs of all steps become one vector: the last one, their mean, the largest value of each unit, or a learned weighted mean.
    dropout : float, default=0.0
        Share of the features set to zero between layers while training.
    optimizer : {"adam", "adamw", "sgd", "rmsprop"}, default="adam"
        How the weights follow the gradient; "sgd" has Nesterov's momentum 0.9.
    learning_rate : float, default=0.01
        Largest step size of the schedule.
    schedule : {"constant", "one_cycle", "cosine", "plateau"}, default="one_cycle"
        The learning rate over the epochs: constant; up for a quarter, then down to zero; down to zero; halved when the loss has not fallen for
        five epochs.
    max_epochs : int, default=<max_epochs>
        Passes over the training set.
    batch_size : int or None, default=<batch_size>
        Sequences a step of the optimiser sees; ``None`` is all of them.
    alpha : float, default=<alpha>
        Strength of the L2 penalty: alpha / (2 n) · Σ w² is added to the mean loss. w are all weights but biases and gains; n is what the loss is
        the mean over, sequences to learn from, or steps or windows of them, each as often as it counts. Larger keeps weights smaller. With
        "adamw" they shrink by alpha / n times the learning rate in each update instead.
    clip_norm : float or None, default=1.0
        Bound of the gradient's Euclidean norm.
    clip_value : float or None, default=None
        Bound of each entry of the gradient.
    rule : {"bptt", "truncated_bptt", "rtrl", "snap1", "guessing"} or Rule, default="bptt"
        How the network learns: a name, or a rule of :mod:`skrnn.engine` with its own settings. "truncated_bptt" bounds the memory of very long
        sequences; "rtrl" and its approximation "snap1" carry gradients forward in time.
    penalties : penalty, tuple or list of penalties, or None, default=None
        What the network is trained for beside its loss, or against: objects of :mod:`skrnn.training`, as ``ActivationPenalty()``, the first
        nearest to the loss. The parameters of a single one can be searched as ``penalties__…``. ``loss_curve_`` is the loss without them.
    early_stopping : "auto" or bool, default="auto"
        Stop when the held-out loss has not fallen for a while, and keep the best weights. "auto" does if ``X_val`` and ``y_val`` are passed to
        ``fit``; ``True`` sets a part of the training set aside.
    validation_fraction : float, default=0.1
        Share of the sequences that is set aside.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.
    tol : float, default=0.0
        How much lower the held-out loss must be to count as an improvement.
    standardize : bool, default=True
        Subtract the mean and divide by the standard deviation of each channel over the training steps. Recurrent networks are not scale-free.
    n_lags : int or None, default=None
        Steps of the window that each row of a 2-D X holds, so that it has ``n_lags * n_channels`` columns; ``None`` is all its columns, of one
        channel.
    layout : {"ntc", "nct", "lags_then_constants"}, default="ntc"
        Which axis of X is which: (sequences, steps, channels), or "nct" with the channels before the steps, also in the arrays of a list. The
        columns of a 2-D X are these axes flattened in C order: "ntc" has all channels of the first step first, "nct" all steps of the
        first channel. "lags_then_constants" has ``n_lags`` columns of one channel, and behind them columns that hold for all of the window.
    step_order : {"auto", "oldest_first", "newest_first"}, default="auto"
        In which order the steps come. "auto" is the oldest first, unless a frame has columns called lag1, lag2, … (or lag_1, …): these are one
        channel in the order of their numbers, and the other columns hold for all of the window.
    warm_start : bool, default=False
        Let ``fit`` go on from the weights of the last ``fit``.
    device : str, default="auto"
        Where torch computes; "auto" is the first GPU if there is one.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the computation.
    n_threads : int or "auto", default="auto"
        Threads that big steps may use; "auto" is torch's setting. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Source of the start weights, the shuffling and the dropout masks. ``None`` differs from fit to fit. Global generators are never touched.
    verbose : bool, default=False
        Show the progress of the epochs on standard error."""

_ATTRIBUTES = """\
    mean_, scale_ : ndarray of shape (n_channels,)
        What is subtracted from and divided by each channel.
    validation_scores_ : list of float
        Negative mean held-out loss after each epoch; empty without early stopping.
    n_iter_ : int
        Epochs run.
    n_features_in_ : int
        Channels of the sequences, or columns if X was 2-D.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a frame of numbers."""


@parameters
class TrainedParameters(Described):
    """What :class:`RNNClassifier` and its siblings can be told."""

    cell: str | Cell = "gru"
    _: KW_ONLY
    hidden_size: int = 64
    n_layers: int = 1
    bidirectional: bool = True
    dropout: float = 0.0
    optimizer: str = "adam"
    learning_rate: float = 0.01
    schedule: str = "one_cycle"
    max_epochs: int = 100
    batch_size: int | None = 32
    alpha: float = 0.0
    clip_norm: float | None = 1.0
    clip_value: float | None = None
    rule: str | Rule = "bptt"
    penalties: Penalty | Sequence[Penalty] | None = None
    early_stopping: str | bool = "auto"
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    tol: float = 0.0
    standardize: bool = True
    warm_start: bool = False
    device: str = "auto"
    dtype: str = "float32"
    n_threads: int | str = "auto"
    random_state: int | np.random.RandomState | None = None
    verbose: bool = False

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "cell": [str, Cell],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "bidirectional": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "schedule": [StrOptions(set(SCHEDULES))],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "clip_value": [Interval(Real, 0, None, closed="neither"), None],
        "rule": [StrOptions(set(RULES)), Rule],
        "penalties": [Penalty, list, tuple, None],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "standardize": ["boolean"],
        "warm_start": ["boolean"],
        "device": [str],
        "dtype": [Options(str, {"float32", "float64"})],
        "n_threads": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    _descriptions = _DESCRIPTIONS
    _attributes = _ATTRIBUTES
