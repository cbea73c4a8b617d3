"""Outputs that are written, or copied from the source."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..cells import Module
from ..cells._rows import softmax
from ._network import Linear


class PointerGenerator(Module):
    """A mixture of writing a token of the vocabulary and pointing at one of the source (Gu et al., 2016; See, Liu & Manning, 2017).

    Reads what :class:`Attending` puts out with ``points``: y(t), the weights a(t) of the source's steps, and the tokens x(j) at these steps. Tokens
    of the vocabulary are 0, …, n_vocabulary − 1; what else stands in a source has the numbers behind them, in each source by itself.

    Parameters
    ----------
    hidden_size : int
        Size of y(t).
    bias : Tensor of shape (n_vocabulary,)
        Start of d; W, v and b start at zero.

    Notes
    -----
    ::

        p(t) = σ(v y(t) + b)
        P(w) = p(t) softmax(W y(t) + d)(w) + (1 − p(t)) Σ_{j: x(j) = w} a_j(t)

    Outputs (n, n_vocabulary + n_source_steps) are log P: there are so many tokens at most. They are made of logarithms, so that no small probability
    loses its gradient, and −∞ for what neither the vocabulary nor the row's own source has. Differs from See et al. in that p(t) is made of y(t),
    which is itself made of the decoder's state and of what it looks at, and in one layer W instead of two.

    References
    ----------
    J. Gu, Z. Lu, H. Li, V. O. K. Li, "Incorporating copying mechanism in sequence-to-sequence learning", ACL 2016.
    A. See, P. J. Liu, C. D. Manning, "Get to the point: summarization with pointer-generator networks", ACL 2017, equations 8 and 9.
    """

    def __init__(self, hidden_size: int, bias: Tensor) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.vocabulary = Linear(hidden_size, bias)
        self.switch = Linear(hidden_size, bias.new_zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        n_steps = (x.shape[-1] - self.hidden_size) // 2
        y, a, tokens = x.split([self.hidden_size, n_steps, n_steps], -1)
        places, switch = tokens.long(), self.switch(y)
        written = functional.logsigmoid(switch) + torch.log_softmax(self.vocabulary(y), -1)
        outputs = torch.cat([written, written.new_full((len(y), n_steps), -torch.inf)], -1)
        share = torch.zeros_like(outputs).scatter_add(1, places, a).gather(1, places)
        copied = functional.logsigmoid(-switch) + share.clamp_min(torch.finfo(share.dtype).tiny).log()
        return outputs.scatter_reduce(1, places, _log_of_sum(outputs.gather(1, places), copied), "amax")  # who stands there twice counts once


def log_shares(outputs: Tensor) -> Tensor:
    """Logarithms of the softmax of outputs; entries of −∞ at the end, for which there is room as others have more, change no other bit."""
    return outputs - outputs.amax(-1, keepdim=True) + softmax(outputs).amax(-1, keepdim=True).log()


def _log_of_sum(a: Tensor, b: Tensor) -> Tensor:
    """log(exp(a) + exp(b)), by operations whose bits do not depend on the place, as those of torch's own function do."""
    larger = torch.maximum(a, b)
    return larger + torch.log1p(torch.exp(torch.minimum(a, b) - larger))
