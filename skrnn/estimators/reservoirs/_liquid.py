"""What liquid state machines share: from sequences to spikes, and on to a column of spiking neurons."""

from __future__ import annotations

from abc import ABC
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import clone

from ..._bases import BaseEstimator
from ...cells import Spiking
from ...data import Sequences, as_sequences
from ...preprocessing import DeltaEncoder, LatencyEncoder, RateEncoder
from ..face._readers import Given, Rows
from ..face._state import Fitted, ReadState
from ._settings import ColumnSettings, ReservoirComputation

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


class LiquidState(ColumnSettings, ReservoirComputation, BaseEstimator, ReadState, ABC):
    """Makes spikes of sequences, and says which cell of an echo state estimator, its ``liquid_``, is to see them."""

    _leaves: ClassVar[tuple[Fitted, ...]] = (Fitted("encoder_", "transformer or None", (), "The fitted encoder."),)

    def _read(self, X: Any, *, reset: bool) -> Given:
        return Rows(self.dtype, standardize=False).read(self, X, reset=reset)

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

    def _liquid_settings(self, seed: int) -> dict[str, Any]:
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
