"""Groups of parameters, each declared, checked and described once. Groups only add: who has no such parameter does not inherit its group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions

from ...cells import Cell
from ...data import LAYOUTS, STEP_ORDERS
from ...engine import RULES, Rule
from ...frontends import Frontend
from ...networks import POOLINGS, WHOLE_POOLINGS
from ...training import LOSSES, OPTIMIZERS, SCHEDULES, Penalty
from ._declared import COMPUTATION, DATA, NETWORK, TASK, TRAINING, parameters
from ._state import EncodingState


@parameters
class Recurrence:
    """A recurrent layer.

    Parameters
    ----------
    cell : str or Cell, default="gru"
        What happens in one time step: a name of :mod:`skrnn.cells` in lower case, or a cell with its own settings, whose parameters can be
        searched as ``cell__…``.
    hidden_size : int, default=64
        Units of each layer and direction; more can represent more and cost quadratically more.
    """

    cell: str | Cell = field(default="gru", kw_only=False)
    hidden_size: int = 64

    _place: ClassVar[int] = NETWORK
    _built_from: ClassVar[tuple[str, ...]] = ("hidden_size",)  # and the cell
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "cell": [str, Cell],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
    }


@parameters
class Stacked:
    """Layers on top of each other.

    Parameters
    ----------
    n_layers : int, default=1
        Recurrent layers on top of each other.
    dropout : float, default=0.0
        Share of the features set to zero between layers while training.
    """

    n_layers: int = 1
    dropout: float = 0.0

    _place: ClassVar[int] = NETWORK
    _built_from: ClassVar[tuple[str, ...]] = ("n_layers", "dropout")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }


@parameters
class Fronted(EncodingState):
    """What stands before the first layer.

    Parameters
    ----------
    frontend : Frontend, "auto" or None, default="auto"
        What stands between the input of a step and the first recurrent layer: ``Embedding`` for categories and tokens, ``Conv1d`` along time,
        ``PerFrame`` for a picture at each step, all of :mod:`skrnn.frontends`. Its parameters can be searched as ``frontend__…``. "auto" is
        ``Embedding(channels="from_dtype")`` where X is made of lists of tokens or of what a ``TokenEncoder`` gives, or has columns of a categorical
        type, else ``None``: the layers see the channels of X as they are.
    """

    frontend: Frontend | str | None = "auto"

    _place: ClassVar[int] = NETWORK
    _built_from: ClassVar[tuple[str, ...]] = ("frontend",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"frontend": [Frontend, StrOptions({"auto"}), None]}


@parameters
class Directed:
    """One direction or both.

    Parameters
    ----------
    bidirectional : bool, default=True
        Also run a second cell from the last step to the first.
    """

    bidirectional: bool = True

    _place: ClassVar[int] = NETWORK
    _built_from: ClassVar[tuple[str, ...]] = ("bidirectional",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"bidirectional": ["boolean"]}


@parameters
class Pretrained:
    """Layers that have learned before.

    Parameters
    ----------
    init_from : RNNAutoencoder, FrozenEstimator of a fitted one, or None, default=None
        Whose layers these start from, which learns without targets. An autoencoder is copied, and fitted to X first, in searches and pipelines too;
        a fitted one in a :class:`sklearn.frozen.FrozenEstimator` is taken as it is, with its units of the channels: it may have seen more
        sequences than there are targets for. With the same cell, units and layers; of both directions one may have been learned, if there is one
        layer.
    """

    init_from: Any = None

    _place: ClassVar[int] = TRAINING
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"init_from": [HasMethods("fit"), None]}


@parameters
class Restarted:
    """Several starts, of which one is kept.

    Parameters
    ----------
    n_init : int, default=3
        Trainings from different start weights, of which that with the least loss is kept, on what is held out if anything is. More are surer and
        take as much longer.
    """

    n_init: int = 3

    _place: ClassVar[int] = TRAINING
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"n_init": [Interval(Integral, 1, None, closed="left")]}


@parameters
class Pooled:
    """From the outputs of all steps to one vector.

    Parameters
    ----------
    pooling : {"last", "mean", "max", "attention", "hopfield", "recurrent_convolution"}, default="max"
        How the outputs of all steps become one vector: the last one, their mean, the largest value of each unit, or a learned weighted mean.
        "hopfield" (Ramsauer et al., 2021) has weights for each unit: the steps are the stored patterns of a modern Hopfield network, and the unit has
        a learned state pattern ξ that looks for those with the largest ξ · h(t) / √hidden_size, in one update of attention.
        "recurrent_convolution" (Lai et al., 2015) is the largest value of each unit of tanh(W [h(t-1); x(t); g(t+1)] + b), a layer over what is
        seen at a step and what the two directions know of the steps before and after it: for words in their context.
    """

    pooling: str = "max"

    _place: ClassVar[int] = NETWORK
    _built_from: ClassVar[tuple[str, ...]] = ("pooling",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"pooling": [StrOptions({*POOLINGS, *WHOLE_POOLINGS})]}


@parameters
class Training:
    """How a network learns.

    Parameters
    ----------
    optimizer : {"adam", "adamw", "sgd", "rmsprop"}, default="adam"
        How the weights follow the gradient; "sgd" has Nesterov's momentum 0.9.
    learning_rate : float, default=0.01
        Largest step size of the schedule.
    schedule : {"constant", "one_cycle", "cosine", "plateau"}, default="one_cycle"
        The learning rate over the epochs: constant; up for a quarter, then down to zero; down to zero; halved when the loss has not fallen for
        five epochs.
    max_epochs : int, default=100
        Passes over the training set.
    batch_size : int or None, default=32
        Sequences a step of the optimiser sees; ``None`` is all of them.
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
    frozen : str, or list or tuple of str, default=()
        Parts of ``network_`` whose weights training leaves as they are, by the names that ``summary`` shows: "frontend", "recurrent" or one of its
        layers, "recurrent.layers.0". To go on with other data by ``partial_fit`` or ``warm_start`` without unlearning what these do.
    early_stopping : "auto" or bool, default="auto"
        Stop when the held-out loss has not fallen for a while, and keep the best weights. "auto" does if ``X_val`` and ``y_val`` are passed to
        ``fit``; ``True`` sets a part of the training set aside.
    validation_fraction : float, default=0.1
        Share of the sequences that is set aside.
    n_iter_no_change : int, default=10
        Epochs without improvement after which training stops.
    tol : float, default=0.0
        How much lower the held-out loss must be to count as an improvement.
    warm_start : bool, default=False
        Let ``fit`` go on from the weights of the last ``fit``.
    """

    optimizer: str = "adam"
    learning_rate: float = 0.01
    schedule: str = "one_cycle"
    max_epochs: int = 100
    batch_size: int | None = 32
    clip_norm: float | None = 1.0
    clip_value: float | None = None
    rule: str | Rule = "bptt"
    penalties: Penalty | Sequence[Penalty] | None = None
    frozen: str | Sequence[str] = ()
    early_stopping: str | bool = "auto"
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    tol: float = 0.0
    warm_start: bool = False

    _place: ClassVar[int] = TRAINING
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "schedule": [StrOptions(set(SCHEDULES))],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), None],
        "clip_norm": [Interval(Real, 0, None, closed="neither"), None],
        "clip_value": [Interval(Real, 0, None, closed="neither"), None],
        "rule": [StrOptions(set(RULES)), Rule],
        "penalties": [Penalty, list, tuple, None],
        "frozen": [str, list, tuple],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
    }


@parameters
class Decayed:
    """Weights that are kept small.

    Parameters
    ----------
    alpha : float, default=0.0
        Strength of the L2 penalty: alpha / (2 n) · Σ w² is added to the mean loss. w are all weights but biases and gains; n is what the loss is
        the mean over, sequences to learn from, or steps or windows of them, each as often as it counts. Larger keeps weights smaller. With
        "adamw" they shrink by alpha / n times the learning rate in each update instead.
    """

    alpha: float = 0.0

    _place: ClassVar[int] = TRAINING
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"alpha": [Interval(Real, 0, None, closed="left")]}


@parameters
class Standardized:
    """Channels in units of their own.

    Parameters
    ----------
    standardize : bool, default=True
        Subtract the mean and divide by the standard deviation of each channel over the training steps. Recurrent networks are not scale-free.
    """

    standardize: bool = True

    _place: ClassVar[int] = DATA
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"standardize": ["boolean"]}


@parameters
class Windowed:
    """How the rows of a table, and the axes of arrays, are read as sequences.

    Parameters
    ----------
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
    """

    n_lags: int | None = None
    layout: str = "ntc"
    step_order: str = "auto"

    _place: ClassVar[int] = DATA
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_lags": [Interval(Integral, 1, None, closed="left"), None],
        "layout": [StrOptions(set(LAYOUTS))],
        "step_order": [StrOptions(set(STEP_ORDERS))],
    }


@parameters
class Measured:
    """What a regression minimises.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber", "poisson", "gamma", "quantile"}, default="squared_error"
        What is minimised, and so what is predicted: the mean; the median; between the two, with squares up to one standard deviation of the
        targets; the mean of counts and other targets of 0 or more, whose variance grows with it; the mean of positive targets, whose standard
        deviation grows with it; a quantile. "poisson" and "gamma" are half deviances of the exponential of the network's output.
    quantile : float, default=0.5
        Which one ``loss="quantile"`` predicts: the share of targets that lie below.
    """

    loss: str = "squared_error"
    quantile: float = 0.5

    _place: ClassVar[int] = TASK
    _built_from: ClassVar[tuple[str, ...]] = ("loss",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "loss": [StrOptions(set(LOSSES))],
        "quantile": [Interval(Real, 0, 1, closed="neither")],
    }


@parameters
class ClassWeighted:
    """Classes that count differently.

    Parameters
    ----------
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes; "balanced" gives every class the same total.
    """

    class_weight: dict[Any, float] | list[dict[Any, float]] | str | None = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"class_weight": [dict, list, StrOptions({"balanced"}), None]}


@parameters
class Computation:
    """Where and how numbers are computed.

    Parameters
    ----------
    device : str, default="auto"
        Where torch computes; "auto" is the first GPU if there is one.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the computation.
    n_threads : int or "auto", default="auto"
        Threads that big steps may use; "auto" is torch's setting. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Source of the start weights, the shuffling and the dropout masks. ``None`` differs from fit to fit. Global generators are never touched.
    """

    device: str = "auto"
    dtype: str = "float32"
    n_threads: int | str = "auto"
    random_state: int | np.random.RandomState | None = None

    _place: ClassVar[int] = COMPUTATION
    _built_from: ClassVar[tuple[str, ...]] = ("dtype",)
    _may_change: ClassVar[tuple[str, ...]] = ("n_threads",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "device": [str],
        "dtype": [Options(str, {"float32", "float64"})],
        "n_threads": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "random_state": ["random_state"],
    }


@parameters
class Spoken:
    """What is shown while it takes long.

    Parameters
    ----------
    verbose : bool, default=False
        Show the progress of the epochs on standard error, and whether a cell is being compiled, which happens once on a machine.
    """

    verbose: bool = False

    _place: ClassVar[int] = COMPUTATION
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"verbose": ["verbose"]}
