"""What a frontend is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from torch import Generator
from torch.nn.utils.rnn import PackedSequence

from ..cells import Parametrised
from ..data import AsItIs, Encoding, Sequences, as_sequences

Lengths = NDArray[np.int64]


class Frontend(Parametrised, ABC):
    """What stands between a step's input and the first layer: hyper-parameters now, weights at :meth:`build`.

    Parametrised like a cell: the constructor stores hyper-parameters and nothing else, so that
    :func:`sklearn.base.clone` and ``GridSearchCV`` treat it like an estimator. What is learnt from data
    without a gradient (which categories there are, the shape of a picture) is no part of it: :meth:`learn`
    gives it as an encoding, numpy alone.

    Attributes
    ----------
    input_size : int
        Channels of the input; set by ``build``.
    output_size : int
        Channels of the output; set by ``build``.
    """

    input_size: int
    output_size: int

    @property
    def changes_lengths(self) -> bool:
        """Whether there are fewer steps behind the frontend than before it."""
        return False

    @property
    def mixes_steps(self) -> bool:
        """Whether what comes out at a step depends on other steps: then no sequence can go on from call to call."""
        return False

    @property
    def looks_up(self) -> bool:
        """Whether there are channels whose numbers are ids, which nothing may be added to."""
        return False

    def encoding(self) -> Encoding:
        """What turns X into the numbers that this frontend takes; it has learnt nothing yet."""
        return AsItIs()

    def learn(self, X: Any) -> Encoding:
        """An encoding that has learnt from X.

        Parameters
        ----------
        X : object
            What :func:`skrnn.as_sequences` takes, and what the frontend adds to that.

        Returns
        -------
        Encoding
            For :func:`encode` and :meth:`build`.
        """
        encoding = self.encoding()
        encoding.codes(as_sequences(encoding.numbers(X, reset=True)), reset=True)
        return encoding

    def build(self, input_size: int, generator: Generator | None = None, encoding: Encoding | None = None) -> Self:
        """Make the weights.

        Parameters
        ----------
        input_size : int
            Channels of the input.
        generator : torch.Generator or None
            Where the weights are drawn from; ``None`` is torch's global generator.
        encoding : Encoding or None
            What :meth:`learn` gave, where the frontend needs it.

        Returns
        -------
        self
        """
        self.input_size, self.generator = input_size, generator
        self._build(generator, encoding)
        return self

    @abstractmethod
    def _build(self, generator: Generator | None, encoding: Encoding | None) -> None:
        """Check the hyper-parameters, make the weights and set ``output_size``."""

    @abstractmethod
    def forward(self, packed: PackedSequence) -> PackedSequence:
        """What the first layer sees of a packed batch of (n_steps_total, input_size): one of (n_steps_out, output_size)."""

    def out_lengths(self, lengths: Lengths) -> Lengths:
        """How many steps there are behind the frontend of sequences of so many steps before it."""
        return lengths


def encode(X: Any, encoding: Encoding) -> Sequences:
    """What a network with a frontend takes, of whatever holds sequences.

    Parameters
    ----------
    X : object
        As in :meth:`Frontend.learn`.
    encoding : Encoding
        What :meth:`Frontend.learn` gave.

    Returns
    -------
    Sequences
    """
    return encoding.codes(as_sequences(encoding.numbers(X, reset=False)), reset=False)


def resolve_frontend(frontend: Any) -> Frontend | None:
    """An unbuilt frontend of its own, or None."""
    if frontend is not None and not isinstance(frontend, Frontend):
        raise ValueError(f"The 'frontend' parameter must be a frontend of skrnn.frontends or None; got {frontend!r}")
    return None if frontend is None else clone(frontend)
