"""What a decoder sees of its own outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor

from ..cells import Module
from ..frontends import TokenVectors


class Feedback(Module, ABC):
    """What goes from an output of the decoder to its next input: ``size`` numbers, which it sees as ``width`` numbers."""

    size: int
    width: int

    @abstractmethod
    def emit(self, outputs: Tensor) -> Tensor:
        """What is fed back (batch, size) of outputs (batch, n_outputs)."""

    @abstractmethod
    def vectors(self, fed: Tensor) -> Tensor:
        """What the decoder sees (n, width) of what is fed back (n, size)."""


class Values(Feedback):
    """The outputs themselves; the gradient flows through them."""

    def __init__(self, n_outputs: int) -> None:
        super().__init__()
        self.size = self.width = n_outputs

    def emit(self, outputs: Tensor) -> Tensor:
        return outputs

    def vectors(self, fed: Tensor) -> Tensor:
        return fed


class Tokens(Feedback):
    """The likeliest token, as a vector; no gradient flows through the choice.

    Parameters
    ----------
    tokens : TokenVectors
    stand_in : int or None, default=None
        The token whose vector stands for those that have none, where there can be such.
    """

    size = 1

    def __init__(self, tokens: TokenVectors, stand_in: int | None = None) -> None:
        super().__init__()
        self.tokens, self.stand_in = tokens, stand_in
        self.width = tokens.W.shape[1]

    def emit(self, outputs: Tensor) -> Tensor:
        return outputs.argmax(-1, keepdim=True).to(outputs.dtype)

    def vectors(self, fed: Tensor) -> Tensor:
        return self.tokens(fed if self.stand_in is None else fed.masked_fill(fed >= len(self.tokens.W), self.stand_in))
