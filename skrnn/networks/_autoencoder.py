"""Sequences that become a code, and are written again from it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, Layers
from ..cells._starts import input_weights
from ..engine import Runnable
from ._encoder import Encoder, Vector, unit_columns
from ._feedback import Values
from ._network import Linear
from ._readout import sequence_of_row
from ._recurrent import Recurrent
from ._seq2seq import Pair, Seq2Seq


class Retelling(NamedTuple):
    """What is read of n sequences, the steps of it that are to be written, and those that follow, if these are told too."""

    source: PackedSequence
    again: Pair
    ahead: Pair | None = None


class Autoencoder(Runnable):
    """An encoder, a code, a decoder that writes what was read, and one for what follows (Srivastava et al., 2015).

    Parameters
    ----------
    recurrent : Recurrent
        Of the encoder.
    cell : Cell
        Of the decoders, which have as many layers as the encoder.
    hidden_size : int
        Units of each layer of the decoders.
    bias : Tensor of shape (n_outputs,)
        Start of the heads' biases.
    code_size : int or None, default=None
        Numbers of a code, a linear map of what the encoder ends with; ``None`` is that itself: the units of all its layers.
    feedback : bool, default=False
        Whether a step sees what was written in the step before.
    ahead : bool, default=False
        Whether what follows is told too.
    variational : bool, default=False
        Whether codes are drawn while training (Kingma & Welling, 2014), and outputs have a column more: what the code costs, shared among the steps.
    kl_weight : float, default=1.0
        How much it costs.
    kl_warmup : int, default=0
        Updates over which that weight rises from 0.
    n_known : int, default=0
        What is known about each step to be written.
    dropout : float, default=0.0
        Share of the features set to zero between layers while training.
    generator : torch.Generator or None
        Where weights, dropout masks and codes are drawn from.

    Notes
    -----
    ::

        u = the last states of the encoder over x(1), …, x(T)
        c = u, or B u + a                               code
        m, r = B u + a                                  c ~ N(m, exp(r)), and c = m where nothing is learned
        x'(T), …, x'(1) = decoder from c                x'(T+1), …, x'(T+k) = another decoder from c

    References
    ----------
    N. Srivastava, E. Mansimov, R. Salakhutdinov, "Unsupervised learning of video representations using LSTMs", ICML 2015.
    D. P. Kingma, M. Welling, "Auto-encoding variational Bayes", ICLR 2014.
    """

    n_updates = 0

    def __init__(
        self,
        recurrent: Recurrent,
        cell: Cell,
        hidden_size: int,
        bias: Tensor,
        *,
        code_size: int | None = None,
        feedback: bool = False,
        ahead: bool = False,
        variational: bool = False,
        kl_weight: float = 1.0,
        kl_warmup: int = 0,
        n_known: int = 0,
        dropout: float = 0.0,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.encoder, self.variational, self.kl_weight, self.kl_warmup = Encoder(recurrent), variational, kl_weight, kl_warmup
        both_ways, n_layers = recurrent.n_directions == 2, len(recurrent.layers)
        begun = tuple(layer[0].initial_state(1, like=bias) for layer in recurrent.layers)
        size = recurrent.output_size if both_ways else unit_columns(begun).shape[1]
        as_it_is = code_size is None and not variational
        self.code_size = size if code_size is None else code_size
        self.code: Linear | None = None
        if not as_it_is:
            self.code = Linear(size, torch.zeros(self.code_size * (1 + variational)))
            self.code.W = input_weights(len(self.code.b), size, generator)

        def decoder() -> Seq2Seq:
            source = Vector(self.code_size, holds_units=as_it_is and not both_ways)
            fed = Values(len(bias)) if feedback else None
            return Seq2Seq(source, cell, hidden_size, bias, n_layers=n_layers, dropout=dropout, n_known=n_known, feedback=fed, generator=generator)

        self.writer = decoder()
        self.teller = decoder() if ahead else None
        self.draw_from(generator)

    @property
    def recurrent(self) -> Layers:
        """All recurrent layers."""
        decoders = [part for part in (self.writer, self.teller) if part is not None]
        return Layers([self.encoder.recurrent, *(part.decoder for part in decoders)])

    def codes(self, source: PackedSequence, grad_path: str = "full") -> tuple[Tensor, Tensor | None]:
        """Codes (n, code_size) in the order before packing, and of variational ones the logarithms of their variances."""
        encoded = self.encoder(source, grad_path)
        vectors = encoded.context if self.encoder.recurrent.n_directions == 2 else unit_columns(encoded.states)
        if self.code is None:
            return vectors, None
        if not self.variational:
            return self.code(vectors), None
        mean, log_variance = self.code(vectors).chunk(2, -1)
        return mean, log_variance

    def forward(self, retelling: Retelling, detach_every: int | None = None, grad_path: str = "full") -> Tensor:
        """Outputs of the steps that are written again, in their order, and then of those that follow."""
        codes, log_variance = self.codes(retelling.source, grad_path)
        means = codes
        if log_variance is not None and self.training:
            noise = torch.empty(codes.shape, dtype=codes.dtype).normal_(generator=self.generator)
            codes = codes + (log_variance / 2).exp() * noise.to(codes.device)
        alone = PackedSequence(codes, torch.tensor([len(codes)]))  # each a sequence of one step
        rows = self.writer(retelling.again._replace(source=alone))
        if self.teller is not None and retelling.ahead is not None:
            rows = torch.cat([rows, self.teller(retelling.ahead._replace(source=alone))])
        if log_variance is None:
            return rows
        return torch.cat([rows, self._cost(means, log_variance, retelling)], 1)

    def _cost(self, mean: Tensor, log_variance: Tensor, retelling: Retelling) -> Tensor:
        """Twice the divergence of the codes from N(0, 1) for each number that is written: beside squared errors, twice a bound of the likelihood."""
        weight = self.kl_weight
        if self.training:
            weight *= min(1.0, self.n_updates / self.kl_warmup) if self.kl_warmup else 1.0
            self.n_updates += 1
        divergence = (mean**2 + log_variance.exp() - 1 - log_variance).sum(-1)
        parts = [retelling.again] if retelling.ahead is None else [retelling.again, retelling.ahead]
        sequence = torch.cat([_sequences(part) for part in parts])
        n_numbers = torch.bincount(sequence, minlength=len(mean)) * len(self.writer.head.b)
        return (weight * divergence / n_numbers)[sequence, None]


def _sequences(pair: Pair) -> Tensor:
    """Which sequence, in the order before packing, each row of the steps belongs to."""
    place, order = sequence_of_row(pair.steps), pair.steps.sorted_indices
    return place if order is None else order[place]
