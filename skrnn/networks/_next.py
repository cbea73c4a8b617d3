"""What is said of the next token, or frame: its probability."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.special import log_expit
from torch import Generator, Tensor, nn
from torch.nn import functional

from ..cells import Layers, Module
from ..cells._rows import as_array, keeps_rows_apart, product
from ..cells._starts import input_weights

_DIVISOR = 4  # how many times fewer features the tokens of each cluster get


class Next(Module, ABC):
    """Says what comes next of what the last layer puts out.

    Parameters
    ----------
    input_size : int
    bias : Tensor of shape (n_outputs,)
        Logarithms of how often each token comes, or of the odds of each feature of a frame: what is said before anything is learned.
    """

    b: Tensor

    def __init__(self, input_size: int, bias: Tensor) -> None:
        super().__init__()
        self.input_size, self.n_outputs = input_size, len(bias)

    @abstractmethod
    def log_likelihoods(self, y: Tensor, target: Tensor, W: Tensor | None = None) -> Tensor:
        """The logarithm of the probability of each target (n,), of what the last layer puts out (n, input_size); ``W`` stands for own weights."""

    @abstractmethod
    def log_probabilities(self, y: Tensor, W: Tensor | None = None) -> Tensor:
        """The logarithm of the probability of each token (n, n_outputs), or of a one in each feature of a frame."""


class _OfProducts(Next):
    """A product and a bias, whose weights start at zero unless those of the vectors are to be used."""

    def __init__(self, input_size: int, bias: Tensor, *, tied: bool = False) -> None:
        super().__init__(input_size, bias)
        self.W = None if tied else nn.Parameter(torch.zeros(len(bias), input_size))
        self.b = nn.Parameter(bias.clone())

    def logits(self, y: Tensor, W: Tensor | None) -> Tensor:
        own = self.W if W is None else W
        assert own is not None
        return product(y, own, self.b)


class NextToken(_OfProducts):
    """One of all tokens: softmax(W y + b)."""

    def log_likelihoods(self, y: Tensor, target: Tensor, W: Tensor | None = None) -> Tensor:
        return -functional.cross_entropy(self.logits(y, W), target, reduction="none")

    def log_probabilities(self, y: Tensor, W: Tensor | None = None) -> Tensor:
        return torch.log_softmax(self.logits(y, W), -1)


class NextFrame(_OfProducts):
    """Ones and zeros, each by itself: σ(W y + b)."""

    def log_likelihoods(self, y: Tensor, target: Tensor, W: Tensor | None = None) -> Tensor:
        z = self.logits(y, W)
        if keeps_rows_apart(z):  # torch's functions round by where a number stands
            signed = np.where(as_array(target) > 0, as_array(z), -as_array(z))
            return torch.from_numpy(log_expit(signed).sum(-1))
        return -functional.binary_cross_entropy_with_logits(z, target, reduction="none").sum(-1)

    def log_probabilities(self, y: Tensor, W: Tensor | None = None) -> Tensor:
        z = self.logits(y, W)
        return torch.from_numpy(log_expit(as_array(z))) if keeps_rows_apart(z) else functional.logsigmoid(z)


class Cluster(Module):
    """Tokens that are rare: the logarithms of their probabilities (n, n_tokens), where the next one is among them."""

    def __init__(self, input_size: int, size: int, bias: Tensor, generator: Generator | None) -> None:
        super().__init__()
        self.P = nn.Parameter(input_weights(size, input_size, generator))
        self.T = nn.Parameter(torch.zeros(len(bias), size))
        self.b = nn.Parameter(bias - bias.logsumexp(0))

    def forward(self, y: Tensor) -> Tensor:
        return torch.log_softmax(product(product(y, self.P), self.T, self.b), -1)


class AdaptiveNextToken(Next):
    """One of very many tokens, the frequent ones first, by an adaptive softmax (Grave et al., 2017).

    Parameters
    ----------
    input_size, bias : as in :class:`Next`
    cutoffs : sequence of int
        Where the rarer tokens are divided into clusters.
    generator : torch.Generator or None
        Where the weights are drawn from.

    Notes
    -----
    ::

        P(k) = softmax(W y + b)[k]                                         for k below the first cutoff
        P(k) = softmax(W y + b)[cluster of k] softmax(T P y + b)[k]       else, with P for each cluster of 4 times fewer features than before

    Equals ``torch.nn.AdaptiveLogSoftmaxWithLoss`` but for the biases of the clusters, which let all start from how often each token comes.

    References
    ----------
    E. Grave, A. Joulin, M. Cissé, D. Grangier, H. Jégou, "Efficient softmax approximation for GPUs", ICML 2017.
    """

    clusters: Any  # of a Cluster for each

    def __init__(self, input_size: int, bias: Tensor, cutoffs: Sequence[int], generator: Generator | None = None) -> None:
        super().__init__(input_size, bias)
        self.borders = [*cutoffs, len(bias)]
        clusters = [bias[low:high] for low, high in zip(self.borders[:-1], self.borders[1:], strict=True)]
        of_clusters = [cluster.logsumexp(0, keepdim=True) for cluster in clusters]
        self.b = nn.Parameter(torch.cat([bias[: self.borders[0]], *of_clusters]))
        self.W = nn.Parameter(torch.zeros(len(self.b), input_size))
        sizes = [max(1, input_size // _DIVISOR ** (k + 1)) for k in range(len(clusters))]
        self.clusters = Layers(Cluster(input_size, size, bias, generator) for size, bias in zip(sizes, clusters, strict=True))

    def log_likelihoods(self, y: Tensor, target: Tensor, W: Tensor | None = None) -> Tensor:
        first = self.borders[0]
        cluster = torch.bucketize(target, torch.tensor(self.borders[:-1], device=target.device), right=True)
        of_first = torch.where(cluster == 0, target, first + cluster - 1)
        found = torch.log_softmax(product(y, self.W, self.b), -1).gather(1, of_first[:, None])[:, 0]
        for k, low in enumerate(self.borders[:-1]):
            rows = (cluster == k + 1).nonzero()[:, 0]
            inside = self.clusters[k](y[rows]).gather(1, target[rows, None] - low)
            found = found.index_add(0, rows, inside[:, 0])
        return found

    def log_probabilities(self, y: Tensor, W: Tensor | None = None) -> Tensor:
        first = self.borders[0]
        whole = torch.log_softmax(product(y, self.W, self.b), -1)
        tails = [whole[:, first + k, None] + inside(y) for k, inside in enumerate(self.clusters)]
        return torch.cat([whole[:, :first], *tails], -1)


def cutoffs_for(n_tokens: int) -> list[int]:
    """Where an adaptive softmax divides tokens that are as frequent as words are: a tenth of them is most of a text."""
    return [int(n) for n in np.unique(np.array([n_tokens // 10, n_tokens // 2]).clip(1, n_tokens - 1))]
