"""The parameters that reservoirs and their readouts share: declared, checked and described once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, Options, StrOptions

from ..cells import Cell
from ._described import Described, parameters

AUTO = "auto"

_DESCRIPTIONS = """\
    hidden_size : int, default=<hidden_size>
        Units of each reservoir; more can represent more. With ``fan_in`` inputs to each unit a step costs in proportion to it, the readout to its
        square.
    cell : str, Cell or None, default=None
        Another fixed recurrent network: a name of :mod:`skrnn.cells` in lower case, or a cell with its own settings, with the weights it is built
        with. ``None`` is a :class:`~skrnn.cells.Reservoir` of the parameters below.
    spectral_radius : float or "auto", default=<spectral_radius>
        Largest modulus of the eigenvalues of the recurrent weights: the length of the memory. "auto" is chosen before fitting, see Notes.
    leak_rate : float, tuple or "auto", default=<leak_rate>
        Share of the new value in each step, in (0, 1]: the speed of the units. A tuple has one for each unit or, with several groups, for each
        group. "auto" is chosen before fitting.
    input_scaling : float, tuple or "auto", default=<input_scaling>
        Range of the input weights, of all channels or of each: how far from linear the units work. "auto" is chosen before fitting.
    bias_scaling : float, default=0.2
        Range of the biases; without any, the reservoir is an odd function of its input and cannot compute even ones.
    fan_in : int or None, default=None
        Recurrent inputs of each unit; ``None`` is 10, or all units if they are fewer.
    density : float or None, default=None
        Share of the recurrent weights that are not zero, instead of ``fan_in``.
    topology : {"random", "cycle", "cycle_jumps", "delay_line", "orthogonal", "small_world"}, default="random"
        Which units are connected.
    activation : {"tanh", "relu", "identity", "sigmoid"} or callable, default="tanh"
        What a unit does to its input; a callable maps tensors to tensors, and "auto" is then chosen as for tanh.
    noise : float, default=0.0
        Standard deviation of noise within the activation while fitting.
    n_layers : int, default=1
        Reservoirs on top of each other; the readout sees all of them.
    n_groups : int, default=1
        Stacks of reservoirs side by side; the readout sees all of them.
    include_input : bool, default=True
        Whether the readout also sees the input itself.
    standardize : bool, default=True
        Subtract the mean and divide by the standard deviation of each channel over the training steps. Recurrent networks are not scale-free.
    alpha : float or str, default="block_cv"
        Penalty of the squared readout weights, or how it is chosen: "block_cv" by contiguous held-out folds; "gcv" by generalised cross-validation,
        which is faster and takes neighbouring steps for independent; where outputs can be the next inputs, "closed_loop" by the error of free runs on
        the last held-out fold, which is what forecasts need (the states of all steps are then held at once).
    n_folds : int, default=5
        Contiguous folds for "block_cv" and for the choice of "auto" parameters.
    alpha_per_target : bool, default=False
        Choose a penalty for each output.
    readout : estimator, {"rls", "force"} or None, default=None
        What reads the states instead of ridge regression: a scikit-learn model, which needs the states of all steps at once; where targets are
        for steps, "rls" is recursive least squares along time, and "force" the same while the network's own output is fed back.
    pooling : {"last", "mean", "segments", "model"}, default="mean"
        How the states of a sequence become one vector: the last one; their mean; those after equal parts of the sequence, side by side; or the linear
        model that best predicts each state from the one before, which tells sequences apart by how they move. Where it is allowed, ``None`` is the
        states of all steps.
    n_segments : int, default=3
        Parts of a sequence for "segments".
    n_components : int, default=20
        Principal components of the states in a "model".
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes; "balanced" lets all classes count alike.
    feedback : bool, default=False
        Whether the output of the step before is an input too: the true one while fitting, the predicted one afterwards.
    feedback_scaling : float, default=1.0
        Range of the weights of the outputs fed back, in units of the targets' standard deviation.
    washout : int or "auto", default=<washout>
        Steps at the beginning of each sequence that do not count, as they depend on the state before the first: in targets for steps, and in a mean
        of states. "auto" is the measured number of steps after which a millionth of it is left, at most a quarter of the shortest sequence.
    forgetting : float, default=1.0
        What the weight of a step is multiplied by at every later one, for "rls" and "force"; 1 forgets nothing.
    device : str, default="auto"
        Where torch computes; "auto" is the first GPU if there is one.
    dtype : {"float32", "float64"}, default="float32"
        Precision of the states; the readout is computed in float64 always.
    n_threads : int or "auto", default="auto"
        Threads that big steps may use; "auto" is torch's setting. The result does not depend on it.
    random_state : int, RandomState instance or None, default=None
        Source of the weights. ``None`` differs from fit to fit. Global generators are never touched."""

_ATTRIBUTES = """\
    network_ : Reservoirs
        The reservoirs, a torch module.
    spectral_radius_, leak_rate_, input_scaling_ : float, tuple or None
        The values in use: those given, or chosen where "auto" was; None where ``cell`` has its own.
    coef_ : ndarray of shape (n_outputs, n_states)
        Weights of the readout, for the input channels and then the states.
    intercept_ : ndarray of shape (n_outputs,)
        Not penalised.
    alpha_ : float or ndarray of shape (n_outputs,)
        The penalty in use.
    alphas_ : ndarray of shape (n_alphas,)
        The penalties that were compared.
    scores_ : ndarray of shape (n_alphas,) or (n_alphas, n_outputs), or None
        Their estimated mean squared errors, with "closed_loop" of free runs, in units of the targets' variance and at most 1; None for a penalty
        that was given.
    mean_, scale_ : ndarray of shape (n_channels,)
        What is subtracted from and divided by each channel.
    n_features_in_ : int
        Channels of the sequences, or columns if X was 2-D.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a frame of numbers."""


@parameters
class ReservoirParameters(Described):
    """What echo state estimators can be told."""

    hidden_size: int = 300
    _: KW_ONLY
    cell: str | Cell | None = None
    spectral_radius: float | str = AUTO
    leak_rate: float | tuple[float, ...] | str = AUTO
    input_scaling: float | tuple[float, ...] | str = AUTO
    bias_scaling: float = 0.2
    fan_in: int | None = None
    density: float | None = None
    topology: str = "random"
    activation: str | Callable[..., Any] = "tanh"
    noise: float = 0.0
    n_layers: int = 1
    n_groups: int = 1
    include_input: bool = True
    standardize: bool = True
    device: str = "auto"
    dtype: str = "float32"
    n_threads: int | str = "auto"
    random_state: int | np.random.RandomState | None = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "cell": [str, Cell, None],
        "spectral_radius": [Interval(Real, 0, None, closed="neither"), StrOptions({AUTO})],
        "leak_rate": [Interval(Real, 0, 1, closed="right"), tuple, StrOptions({AUTO})],
        "input_scaling": [Interval(Real, 0, None, closed="left"), tuple, StrOptions({AUTO})],
        "bias_scaling": [Interval(Real, 0, None, closed="left")],
        "fan_in": [Interval(Integral, 1, None, closed="left"), None],
        "density": [Interval(Real, 0, 1, closed="right"), None],
        "topology": [str],
        "activation": [str, callable],
        "noise": [Interval(Real, 0, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_groups": [Interval(Integral, 1, None, closed="left")],
        "include_input": ["boolean"],
        "standardize": ["boolean"],
        "device": [str],
        "dtype": [Options(str, {"float32", "float64"})],
        "n_threads": [Interval(Integral, 1, None, closed="left"), StrOptions({AUTO})],
        "random_state": ["random_state"],
    }

    _descriptions = _DESCRIPTIONS
    _attributes = _ATTRIBUTES


@parameters
class ReadoutParameters(ReservoirParameters):
    """What echo state estimators with a readout can be told."""

    alpha: float | str = "block_cv"
    n_folds: int = 5
    alpha_per_target: bool = False
    readout: Any = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = ReservoirParameters._parameter_constraints | {
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"block_cv", "gcv"})],
        "n_folds": [Interval(Integral, 2, None, closed="left")],
        "alpha_per_target": ["boolean"],
        "readout": [BaseEstimator, None],
    }
