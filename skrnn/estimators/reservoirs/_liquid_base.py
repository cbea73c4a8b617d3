"""From sequences to spikes and on to a column of spiking neurons: what liquid state machines share."""

from __future__ import annotations

import re
from abc import ABC
from dataclasses import KW_ONLY
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from ..cells import Spiking
from ..data import Sequences, as_sequences
from ..preprocessing import DeltaEncoder, LatencyEncoder, RateEncoder
from ._described import Described, parameters
from ._echo_state_classifier import EchoStateClassifier
from ._echo_state_transformer import EchoStateTransformer

_DESCRIPTIONS = """\
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
        ms in which the trace of a spike in the states falls to 1 / e; longer traces are smoother and see further back."""

_OF_COLUMN = (
    "connection_length",
    "inhibitory_fraction",
    "dynamic_synapses",
    "recurrent_scaling",
    "input_scaling",
    "input_fraction",
    "dt",
    "filter_time",
)
OF_STATES = ("pooling", "n_segments", "n_components", "device", "dtype", "n_threads", "random_state")
OF_READOUT = ("alpha", "n_folds", "readout", "class_weight")

_ATTRIBUTES = """\
    encoder_ : transformer or None
        The fitted encoder.
    n_features_in_ : int
        Channels of the sequences, or columns if X was 2-D.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a frame of numbers."""


def _as_echo_state(*names: str) -> str:
    """The descriptions of parameters that are those of echo state estimators."""
    entries = re.split(r"\n(?=    \w)", EchoStateClassifier._descriptions)
    return "\n".join(entry for entry in entries if entry.split()[0] in names)


@parameters
class LiquidState(Described, ABC):
    """Spikes from sequences, and the column that is to see them as the cell of an echo state estimator."""

    hidden_size: int = 135
    _: KW_ONLY
    encoder: Any = "latency"
    connection_length: float = 2.0
    inhibitory_fraction: float = 0.2
    dynamic_synapses: bool = True
    recurrent_scaling: float = 1.0
    input_scaling: float = 1.0
    input_fraction: float = 0.3
    dt: float = 0.5
    filter_time: float = 30.0
    pooling: Any = "mean"
    n_segments: int = 3
    n_components: int = 20
    device: str = "auto"
    dtype: str = "float32"
    n_threads: int | str = "auto"
    random_state: int | np.random.RandomState | None = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_size": EchoStateTransformer._parameter_constraints["hidden_size"],
        "encoder": [StrOptions({"latency", "rate", "delta"}), HasMethods(["fit", "transform"]), None],
        "connection_length": [Interval(Real, 0, None, closed="left")],
        "inhibitory_fraction": [Interval(Real, 0, 1, closed="both")],
        "dynamic_synapses": ["boolean"],
        "recurrent_scaling": [Interval(Real, 0, None, closed="left")],
        "input_scaling": [Interval(Real, 0, None, closed="left")],
        "input_fraction": [Interval(Real, 0, 1, closed="both")],
        "dt": [Interval(Real, 0, None, closed="neither")],
        "filter_time": [Interval(Real, 0, None, closed="neither")],
        **{name: EchoStateTransformer._parameter_constraints[name] for name in OF_STATES},
    }

    _descriptions = "\n".join([_DESCRIPTIONS, _as_echo_state(*OF_STATES, *OF_READOUT)])
    _attributes = _ATTRIBUTES

    def set_params(self, **params: Any) -> Self:
        """Set parameters, ``encoder__…`` too where the encoder is an object.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self
        """
        encoder = params.get("encoder", self.encoder)
        nested = sorted(name for name in params if name.startswith("encoder__"))
        if nested and (encoder is None or isinstance(encoder, str)):
            raise ValueError(
                f"Parameters encoder__… of {type(self).__name__} are those of an encoder object, as encoder=LatencyEncoder(); "
                f"got {nested} with encoder={encoder!r}"
            )
        return super().set_params(**params)

    def _settings(self, seed: int) -> dict[str, Any]:
        """Parameters of the echo state estimator that runs the column."""
        settings = self.get_params(deep=False)
        del settings["encoder"]
        column = Spiking(**{name: settings.pop(name) for name in _OF_COLUMN})
        return settings | {"cell": column, "standardize": False, "include_input": False, "random_state": seed}

    def _fit_encoder(self, sequences: Sequences, seed: int) -> None:
        named: dict[str, Any] = {"latency": LatencyEncoder(), "rate": RateEncoder(dt=self.dt, random_state=seed), "delta": DeltaEncoder()}
        encoder = named[self.encoder] if isinstance(self.encoder, str) else self.encoder
        self.encoder_ = None if encoder is None else clone(encoder).fit(sequences)

    def _spikes(self, sequences: Sequences) -> Sequences:
        """The encoded sequences, whose steps may be more."""
        if self.encoder_ is None:
            _require_spikes(sequences, "X must be spikes, as encoder=None:", "; encoders make spikes of numbers: pass encoder='latency' or another")
            return sequences
        spikes = as_sequences(self.encoder_.transform(sequences), compute_dtype=self.dtype, name="what the encoder gives")
        _require_spikes(spikes, f"The 'encoder' parameter of {type(self).__name__} must be a transformer that gives spikes:")
        return spikes

    def __sklearn_is_fitted__(self) -> bool:
        return "liquid_" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = isinstance(self.encoder, str) and self.encoder == "rate"
        return tags


def _require_spikes(sequences: Sequences, wanted: str, advice: str = "") -> None:
    wrong = ((sequences.values < 0) | (sequences.values != np.floor(sequences.values))).any(axis=1)
    if wrong.any():
        row = int(wrong.argmax())
        k = int(np.searchsorted(sequences.offsets, row, "right")) - 1
        got = f"{sequences.values[row].tolist()} at step {row - sequences.offsets[k]} of sequence {k}"
        raise ValueError(f"{wanted} 0, 1, or their number in the step; got {got}{advice}")
