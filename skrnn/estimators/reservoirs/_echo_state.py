"""What all echo state estimators are: reservoirs that are drawn once, and a reader."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ..._bases import BaseEstimator
from ...cells import visual_block
from ...data import Sequences
from ...networks import Reservoirs
from ..face._guards import predicting, unchanged_on_error, with_named_cell
from ..face._noted import note_parameters
from ..face._readers import Reader
from ..face._settings import Standardized
from ..face._state import Fitted, ReadState, ScaleState, fitted_names, pickled
from ._drive import Drive
from ._settings import ReservoirComputation, ReservoirSettings


class EchoState(ReservoirSettings, Standardized, ReservoirComputation, BaseEstimator, ReadState, ScaleState, ABC):
    """Has ``network_``: reservoirs that are drawn, and not trained. An estimator says what it reads, and what it makes of their states."""

    network_: Reservoirs

    _sk_visual_block_ = visual_block

    _leaves: ClassVar[tuple[Fitted, ...]] = (Fitted("network_", "torch.nn.Module", (), "The reservoirs, a torch module."),)

    @abstractmethod
    def _reader(self) -> Reader:
        """What X is."""

    @contextmanager
    def _fitting(self) -> Iterator[None]:
        """Nothing is left of an earlier fit, and all as it was if anything goes wrong."""
        with predicting(self), unchanged_on_error(self):
            for name in fitted_names(self):
                del self.__dict__[name]
            yield
            note_parameters(self)

    def _measure(self, sequences: Sequences, weight: NDArray[np.float64] | None = None) -> None:
        """Learn the standardisation of the channels."""
        self.mean_, self.scale_ = self._reader().scales(sequences, weight)

    def _drive(self, sequences: Sequences, *, noisy: bool = False) -> Drive:
        """The network over sequences of channels, from its start."""
        return Drive(self.network_, sequences, (self.mean_, self.scale_), noisy=noisy)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, ``cell__…`` too where the cell is a name.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self
        """
        return super().set_params(**with_named_cell(self, params))

    def __getstate__(self) -> dict[str, Any]:
        return pickled(self, super().__getstate__())

    def __sklearn_is_fitted__(self) -> bool:
        return "network_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
