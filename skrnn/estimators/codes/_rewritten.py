"""Sequences as their own targets: read, written again from a code, and gone on with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ...data import Sequences, mirrored, places_in
from ...training import Batches, Data, Objective, Pairs, RetellingError, Retellings
from ..face._guards import predicting
from ..face._held_out import Part
from ..face._predictor import Predictor
from ..face._readers import Given, Reader
from ..face._state import Fitted
from ..face._targets import Target

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class RewrittenState:
    """How long the sequences were."""

    n_steps_: int | None

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("n_steps_", "int or None", (), "Steps of the sequences that were read in ``fit``; ``None`` if they had lengths of their own."),
    )


@dataclass
class Rewritten(Target, RewrittenState):
    """The steps of each sequence, all but the last ``future_horizon``, and then these.

    Parameters
    ----------
    model : estimator
    """

    model: Any

    def read(self, y: Any, given: Given, reader: Reader) -> Sequences:
        """y is not looked at."""
        lengths, k = given.sequences.lengths, self.model.future_horizon
        if (lengths <= k).any():
            short = int(lengths.argmin())
            raise ValueError(
                f"X[{short}] has {lengths[short]} steps, of which future_horizon={k} are to be told from those before: it needs at least {k + 1}"
            )
        return given.sequences

    def weigh(self, y: Sequences, weight: Array | None) -> Array | None:
        return weight

    def learn(self, y: Sequences, weight: Array | None, classes: Any = None) -> None:
        read = y.lengths - self.model.future_horizon
        self.n_steps_ = int(read[0]) if (read == read[0]).all() else None

    def encode(self, y: Sequences) -> Sequences:
        return y

    @property
    def objective(self) -> Objective:
        return RetellingError()

    def strata(self, encoded: Sequences) -> None:
        return None

    def data(self, part: Part, source: Batches, *, taught: bool = True) -> Data:
        heads, tails = heads_and_tails(part.target, self.model.future_horizon)
        batches = source if tails is None else Batches(heads, self.model.mean_, self.model.scale_, source.dtype, source.device)
        parts = [as_written(heads, self.model.reverse_target), *([] if tails is None else [tails.values])]
        target = torch.from_numpy((np.concatenate(parts) - self.model.mean_) / self.model.scale_).to(source.device, source.dtype)
        weight = None
        if part.weight is not None:
            weight = np.concatenate([np.repeat(part.weight, each.lengths) for each in (heads, tails) if each is not None])
        first = target.new_zeros(len(heads), target.shape[1])
        again = Pairs.of_steps(batches, heads.offsets, first)
        ahead = None if tails is None else Pairs.of_steps(batches, tails.offsets, first)
        return Data.weighted(Retellings(again, ahead), target, weight, source.dtype, per_step=True)

    def decode(self, outputs: Array) -> Array:
        return self.model.mean_ + self.model.scale_ * outputs


def heads_and_tails(sequences: Sequences, k: int) -> tuple[Sequences, Sequences | None]:
    """All but the last k steps of each sequence, and these."""
    if k == 0:
        return sequences, None
    step = places_in(sequences.lengths)
    head = step < np.repeat(sequences.lengths - k, sequences.lengths)
    n = np.arange(len(sequences) + 1)
    return Sequences(sequences.values[head], sequences.offsets - k * n), Sequences(sequences.values[~head], k * n)


def as_written(sequences: Sequences, reverse: bool) -> Array:
    """The rows of all sequences, each from its end if asked."""
    return np.asarray(mirrored(sequences) if reverse else sequences.values, dtype=np.float64)


def codes_of(predictor: Predictor[Rewritten], sequences: Sequences) -> Array:
    """Codes (n_sequences, code_size)."""
    return predictor.gathered(sequences, lambda packed: predictor.network.codes(packed)[0], predictor.network.code_size)


def decoded(predictor: Predictor[Rewritten], codes: Array, offsets: Ints, *, ahead: bool = False) -> Array:
    """Steps (n_steps_total, n_channels) that are written of codes, end to end in time; or those that follow."""
    model, size = predictor.model, codes.shape[1]
    decoder = predictor.network.teller if ahead else predictor.network.writer
    like = decoder.head.b
    rows = np.empty((int(offsets[-1]), len(model.mean_)))
    with predicting(model):
        alone = Batches(Sequences(codes, np.arange(len(codes) + 1)), np.zeros(size), np.ones(size), like.dtype, like.device)
        pairs = Pairs.of_steps(alone, offsets, torch.zeros(len(codes), rows.shape[1]))
        for index in pairs.chunks():
            rows[pairs.rows(index)] = decoder.free(pairs.packed(index)).double().cpu().numpy()
    values = predictor.target.decode(rows)
    return values if ahead else as_written(Sequences(values, offsets), model.reverse_target)
