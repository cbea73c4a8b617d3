"""Groups of the parameters of reservoirs, their readouts, and columns of spiking neurons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from ..._bases import BaseEstimator
from ...cells import Cell
from ..face._declared import NETWORK, TRAINING, parameters
from ..face._settings import Computation
from ..face._state import Fitted

SUMMARIES = ("last", "mean", "segments", "model")  # from the states of a sequence to one vector


@parameters
class ReservoirSettings:
    """Fixed recurrent layers, on top of each other and side by side.

    Parameters
    ----------
    hidden_size : int, default=300
        Units of each reservoir; more can represent more. With ``fan_in`` inputs to each unit a step costs in proportion to it, the readout to its
        square.
    cell : str, Cell or None, default=None
        Another fixed recurrent network: a name of :mod:`skrnn.cells` in lower case, or a cell with its own settings, with the weights it is built
        with. ``None`` is a :class:`~skrnn.cells.Reservoir` of the scales and settings that stand here.
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
    """

    hidden_size: int = field(default=300, kw_only=False)
    cell: str | Cell | None = None
    bias_scaling: float = 0.2
    fan_in: int | None = None
    density: float | None = None
    topology: str = "random"
    activation: str | Callable[..., Any] = "tanh"
    noise: float = 0.0
    n_layers: int = 1
    n_groups: int = 1
    include_input: bool = True

    _place: ClassVar[int] = NETWORK
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "cell": [str, Cell, None],
        "bias_scaling": [Interval(Real, 0, None, closed="left")],
        "fan_in": [Interval(Integral, 1, None, closed="left"), None],
        "density": [Interval(Real, 0, 1, closed="right"), None],
        "topology": [str],
        "activation": [str, callable],
        "noise": [Interval(Real, 0, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_groups": [Interval(Integral, 1, None, closed="left")],
        "include_input": ["boolean"],
    }


@parameters
class GivenScales:
    """Scales of a reservoir as they are given.

    Parameters
    ----------
    spectral_radius : float, default=0.9
        Largest modulus of the eigenvalues of the recurrent weights: the length of the memory.
    leak_rate : float or tuple, default=1.0
        Share of the new value in each step, in (0, 1]: the speed of the units. A tuple has one for each unit or, with several groups, for each
        group.
    input_scaling : float or tuple, default=0.3
        Range of the input weights, of all channels or of each: how far from linear the units work.
    """

    spectral_radius: float = 0.9
    leak_rate: float | tuple[float, ...] = 1.0
    input_scaling: float | tuple[float, ...] = 0.3

    _place: ClassVar[int] = NETWORK
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "spectral_radius": [Interval(Real, 0, None, closed="neither")],
        "leak_rate": [Interval(Real, 0, 1, closed="right"), tuple],
        "input_scaling": [Interval(Real, 0, None, closed="left"), tuple],
    }


@parameters
class TunedScales:
    """Scales of a reservoir that are chosen on the data where they are not given.

    Parameters
    ----------
    spectral_radius : float or "auto", default="auto"
        Largest modulus of the eigenvalues of the recurrent weights: the length of the memory. "auto" is chosen before fitting, see Notes.
    leak_rate : float, tuple or "auto", default="auto"
        Share of the new value in each step, in (0, 1]: the speed of the units. A tuple has one for each unit or, with several groups, for each
        group. "auto" is chosen before fitting.
    input_scaling : float, tuple or "auto", default="auto"
        Range of the input weights, of all channels or of each: how far from linear the units work. "auto" is chosen before fitting.
    """

    spectral_radius: float | str = "auto"
    leak_rate: float | tuple[float, ...] | str = "auto"
    input_scaling: float | tuple[float, ...] | str = "auto"

    _place: ClassVar[int] = NETWORK
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "spectral_radius": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "leak_rate": [Interval(Real, 0, 1, closed="right"), tuple, StrOptions({"auto"})],
        "input_scaling": [Interval(Real, 0, None, closed="left"), tuple, StrOptions({"auto"})],
    }
    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted(
            "spectral_radius_, leak_rate_, input_scaling_",
            "float, tuple or None",
            (),
            'The values in use: those given, or chosen where "auto" was; None where ``cell`` has its own.',
        ),
    )


@parameters
class ReadoutSettings:
    """What reads the states.

    Parameters
    ----------
    alpha : float or {"block_cv", "gcv"}, default="block_cv"
        Penalty of the squared readout weights, or how it is chosen: "block_cv" by held-out folds; "gcv" by generalised cross-validation, which is
        faster.
    n_folds : int, default=5
        Held-out folds for "block_cv", and for the choice of parameters that are "auto".
    readout : estimator or None, default=None
        What reads the states instead of ridge regression: a scikit-learn model.
    """

    alpha: float | str = "block_cv"
    n_folds: int = 5
    readout: Any = None

    _place: ClassVar[int] = TRAINING
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"block_cv", "gcv"})],
        "n_folds": [Interval(Integral, 2, None, closed="left")],
        "readout": [BaseEstimator, None],
    }


@parameters
class PenaltyPerTarget:
    """One penalty or several.

    Parameters
    ----------
    alpha_per_target : bool, default=False
        Choose a penalty for each output.
    """

    alpha_per_target: bool = False

    _place: ClassVar[int] = TRAINING
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"alpha_per_target": ["boolean"]}


@parameters
class Summarized:
    """From the states of a sequence to one vector.

    Parameters
    ----------
    pooling : {"last", "mean", "segments", "model"}, default="mean"
        How the states of a sequence become one vector: the last one; their mean; those after equal parts of the sequence, side by side; or the linear
        model that best predicts each state from the one before, which tells sequences apart by how they move.
    """

    pooling: str = "mean"

    _place: ClassVar[int] = NETWORK
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"pooling": [StrOptions(set(SUMMARIES))]}


@parameters
class SummarizedOrNot:
    """From the states of a sequence to one vector, or all of them.

    Parameters
    ----------
    pooling : {"last", "mean", "segments", "model"} or None, default="mean"
        How the states of a sequence become one vector: the last one; their mean; those after equal parts of the sequence, side by side; or the linear
        model that best predicts each state from the one before, which tells sequences apart by how they move. ``None`` is the states of all steps.
    """

    pooling: str | None = "mean"

    _place: ClassVar[int] = NETWORK
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"pooling": [StrOptions(set(SUMMARIES)), None]}


@parameters
class SummarySettings:
    """How fine the vector of a sequence is.

    Parameters
    ----------
    n_segments : int, default=3
        Parts of a sequence for "segments".
    n_components : int, default=20
        Principal components of the states in a "model".
    """

    n_segments: int = 3
    n_components: int = 20

    _place: ClassVar[int] = NETWORK
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_segments": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
    }


@parameters
class MeanWashout:
    """What a mean of states leaves out.

    Parameters
    ----------
    washout : int, default=0
        Steps at the beginning of each sequence that do not count in a mean of states, as they depend on the state before the first.
    """

    washout: int = 0

    _place: ClassVar[int] = NETWORK
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"washout": [Interval(Integral, 0, None, closed="left")]}


@parameters
class ColumnSettings:
    """Spikes of sequences, and a column of spiking neurons that sees them.

    Parameters
    ----------
    hidden_size : int, default=135
        Neurons of the column, which is 3 wide and 3 deep and grows in height; more can represent more and cost in proportion.
    encoder : {"latency", "rate", "delta"}, transformer or None, default="latency"
        What makes spikes of numbers: an encoder of :mod:`skrnn.preprocessing` by its name, with its defaults; a transformer of sequences with its own
        settings, whose steps of spikes last ``dt`` too. "rate" draws from ``random_state``, and what a sequence gets depends on its place in X; the
        threshold of "delta" is in units of the data. ``None`` is for sequences that are spikes already: 0, 1, or their number in the step.
    connection_length : float, default=2.0
        λ: how far connections reach, in distances of neighbours. Longer means more synapses and activity that lasts longer, in the end chaos;
        0 is no connections.
    inhibitory_fraction : float, default=0.2
        Share of inhibitory neurons; with fewer the column is more active.
    dynamic_synapses : bool, default=True
        Synapses tire and recover. ``False`` fixes each at the strength to which regular spikes at 20 Hz bring it.
    recurrent_scaling : float, default=1.0
        Factor of the amplitudes of all synapses within the column.
    input_scaling : float, default=1.0
        Factor of the current of an input spike.
    input_fraction : float, default=0.3
        Share of the neurons that get the spikes of an input channel, drawn for each channel; at least one.
    dt : float, default=0.5
        Length of a step of spikes in ms; shorter steps are more exact and cost more for the same time.
    filter_time : float, default=30.0
        ms in which the trace of a spike in the states falls to 1 / e; longer traces are smoother and see further back.
    """

    hidden_size: int = field(default=135, kw_only=False)
    encoder: Any = "latency"
    connection_length: float = 2.0
    inhibitory_fraction: float = 0.2
    dynamic_synapses: bool = True
    recurrent_scaling: float = 1.0
    input_scaling: float = 1.0
    input_fraction: float = 0.3
    dt: float = 0.5
    filter_time: float = 30.0

    _place: ClassVar[int] = NETWORK
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "encoder": [StrOptions({"latency", "rate", "delta"}), HasMethods(["fit", "transform"]), None],
        "connection_length": [Interval(Real, 0, None, closed="left")],
        "inhibitory_fraction": [Interval(Real, 0, 1, closed="both")],
        "dynamic_synapses": ["boolean"],
        "recurrent_scaling": [Interval(Real, 0, None, closed="left")],
        "input_scaling": [Interval(Real, 0, None, closed="left")],
        "input_fraction": [Interval(Real, 0, 1, closed="both")],
        "dt": [Interval(Real, 0, None, closed="neither")],
        "filter_time": [Interval(Real, 0, None, closed="neither")],
    }


@parameters
class ReservoirComputation(Computation):
    """Where and how states are computed.

    Parameters
    ----------
    dtype : {"float32", "float64"}, default="float32"
        Precision of the states; the readout is computed in float64 always.
    random_state : int, RandomState instance or None, default=None
        Source of the weights. ``None`` differs from fit to fit. Global generators are never touched.
    """
