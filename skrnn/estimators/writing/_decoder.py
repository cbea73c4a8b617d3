"""What all decoders share: pairs of what is read and written, the network, and what it looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...cells import resolve
from ...data import StepRows
from ...engine import resolve_teaching
from ...networks import Encoder, Feedback, Regions, Seq2Seq, Vector
from ...training import Batches, Data, Pairs
from ..face._guards import predicting
from ..face._held_out import Part
from ..face._predictor import Predictor
from ..face._readers import Given

Array = NDArray[np.float64]


def written_data(part: Part, source: Batches, first: Tensor, *, taught: bool) -> Data:
    """Steps to be written with their weights, and the targets as teachers if the decoder is ``taught``."""
    rows: StepRows = part.target
    values = torch.from_numpy(rows.values).to(source.device)
    weight = None if part.weight is None else np.repeat(part.weight, np.diff(rows.offsets))
    teacher = values.reshape(len(values), -1).to(source.dtype) if taught else None
    target = values.to(source.dtype) if values.is_floating_point() else values
    return Data.weighted(Pairs.of_steps(source, rows.offsets, first, teacher), target, weight, source.dtype, per_step=True)


def decoder_network(
    model: Any, encoder: Encoder | Vector | Regions, feedback: Feedback | None, bias: Tensor, generator: torch.Generator, **looking: Any
) -> Seq2Seq:
    """The network of an estimator that writes; ``looking`` is what :func:`looking_of` gives, where there is something to look at."""
    settings = {"cell": model.cell} | looking
    return Seq2Seq(
        encoder,
        resolve(settings.pop("cell")),
        model.hidden_size,
        bias,
        n_layers=model.n_layers,
        dropout=model.dropout,
        feedback=feedback,
        context=model.context,
        teacher_forcing=model.teacher_forcing,
        generator=generator,
        **settings,
    )


def looking_of(model: Any) -> dict[str, Any]:
    """How an estimator looks at its source."""
    return {"attention": model.attention, "input_feeding": model.input_feeding, "coverage": model.coverage}


def attending_network(
    model: Any, encoder: Encoder, feedback: Feedback | None, bias: Tensor, generator: torch.Generator, *, copy: bool = False
) -> Seq2Seq:
    """The network of an estimator whose source has steps."""
    cell = model.cell if model.decoder_cell is None else model.decoder_cell
    return decoder_network(model, encoder, feedback, bias, generator, cell=cell, copy=copy, **looking_of(model))


def follow_the_schedule(model: Any) -> None:
    """How often the teacher is asked may change from fit to fit."""
    if model.__sklearn_is_fitted__():
        model.network_.teaching = resolve_teaching(model.teacher_forcing)


def looks(predictor: Predictor[Any], given: Given, offsets: NDArray[np.int64], teacher: Tensor | None = None) -> list[Array]:
    """For each sequence the weights of attention (n_target_steps, n_source_steps)."""
    if predictor.network.attention is None:
        name = type(predictor.model).__name__
        raise ValueError(f"{name}(attention=None) looks at no steps or regions; fit with attention='bahdanau', 'dot' or 'general'")
    sequences, lengths, frontend = given.sequences, np.diff(offsets), predictor.network.frontend
    looked_at = sequences.lengths if frontend is None else frontend.out_lengths(sequences.lengths)
    parts = [np.empty((0, 0))] * len(sequences)
    with predicting(predictor.model):
        pairs = Pairs.of_steps(predictor.source(sequences), offsets, predictor.target.first(len(sequences)), teacher)
        for index in pairs.chunks():
            pair = pairs.packed(index)
            order = index if pair.steps.sorted_indices is None else index[pair.steps.sorted_indices.cpu().numpy()]
            steps = [weights.double().cpu().numpy() for weights in predictor.network.attention_weights(pair)]
            for k, i in enumerate(order.tolist()):
                parts[i] = np.stack([step[k, : looked_at[i]] for step in steps[: lengths[i]]])
    return parts
