"""What a transcriber makes of frames that need to know the labels before: the labels, where these stand, and what the frames say between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ... import kernels
from ...data import Sequences, offsets_of
from ...engine import BeamSearch, BeginningsSaid
from ...networks import Writing
from ...training import Lattices
from ..face._guards import predicting
from ..face._predictor import Predictor
from ..face._readers import Given
from ..face._trained import seen_lengths
from ._frames import check_language_model, says_of
from ._labels import LabelRows, Said
from ._tokens import Hypothesis

Ints = NDArray[np.int64]


def lattice_hypotheses(predictor: Predictor[LabelRows], given: Given) -> list[list[Hypothesis]]:
    """What might have been said in each sequence, the best first."""
    model, network, target = predictor.model, predictor.network, predictor.target
    search, end = BeamSearch(model.beam_width), 1 + len(target.classes_)
    n_steps = given.sequences.lengths
    n_frames, most = seen_lengths(model, n_steps), target.most_labels(n_steps)
    found: list[list[Hypothesis]] = [[] for _ in n_steps]
    with predicting(model):
        source, beside = predictor.source(given.sequences), _beside(predictor)
        for index in source.chunks():
            heard, writing = network.start(source.packed(index), torch.from_numpy(most[index]).to(source.device))

            def advance(tokens: Any, state: Writing, heard: Any = heard) -> tuple[Any, Writing]:
                log_p, state = network.step(heard, tokens, state)
                return beside(log_p, state), state

            first = torch.full((len(index), 1), float(end), dtype=torch.float64, device=source.device)
            bounds = int((n_frames[index] + most[index]).max()), max(model.length_bonus, 0.0)
            best = search(advance, writing, first, bounds[0], end, merge=network.merge, most_gain=bounds[1])
            for i, scores, tokens in zip(index.tolist(), best.scores.cpu().tolist(), best.tokens.cpu().tolist(), strict=True):
                rows = [([token for token in row if 0 < token < end], score) for row, score in zip(tokens, scores, strict=True) if score > -np.inf]
                found[i] = [Hypothesis(target.decode(labels), score) for labels, score in rows]
    return found


def _beside(predictor: Predictor[LabelRows]) -> Callable[[Any, Writing], Any]:
    """What is added to the log probabilities of labels: a language model's, and the length bonus."""
    model, says = predictor.model, says_of(predictor)
    said = None if says is None else BeginningsSaid(says, {})

    def beside(log_p: Any, writing: Writing) -> Any:
        if said is None and model.length_bonus == 0:
            return log_p
        extra = torch.full_like(log_p[:, 1:-1], model.length_bonus)
        if said is not None:
            rows = zip(writing.labels.cpu().tolist(), writing.places[:, 3].tolist(), strict=True)
            beginnings = [tuple(labels[:n]) for labels, n in rows]
            said.ask(beginnings)
            extra += torch.from_numpy(said.of(beginnings)).to(extra)
        return torch.cat([log_p[:, :1], log_p[:, 1:-1] + extra, log_p[:, -1:]], 1)

    return beside


def _at_work(predictor: Predictor[LabelRows], given: Given, table: Ints) -> Lattices:
    return predictor.target.lattices(predictor.source(given.sequences), table)


def _written_in(predictor: Predictor[LabelRows], given: Given, table: Ints) -> list[Ints]:
    """For each sequence the frame (n_labels,) in which each label of an encoded table is written, in the likeliest way."""
    lattices = _at_work(predictor, given, table)
    n_frames, n_labels = table[:, 1], table[:, 2]
    frames: list[Ints] = [np.empty(0, np.int64)] * len(table)
    with predicting(predictor.model):
        for index in lattices.chunks():
            log_p = predictor.network.answer(lattices.packed(index)).double().cpu().numpy()
            ends = np.cumsum(n_frames[index] * (n_labels[index] + 1))
            for i, own in zip(index.tolist(), np.split(log_p, ends[:-1]), strict=True):
                frames[i] = kernels.align_lattice(np.ascontiguousarray(own), n_frames[i], n_labels[i])
    return frames


def lattice_spans(predictor: Predictor[LabelRows], given: Given, table: Ints) -> list[Ints]:
    """For each sequence the frame in which each label of an encoded table is written, and the one after it."""
    return [np.stack([frames, frames + 1], 1) for frames in _written_in(predictor, given, table)]


def log_lattices(predictor: Predictor[LabelRows], given: Given) -> Sequences:
    """Logarithms of the probabilities (n_frames, 1 + n_classes) in the frames of each sequence, behind what is predicted for earlier ones."""
    check_language_model(predictor.model)
    target, n_steps = predictor.target, given.sequences.lengths
    table = target.encode(Said([tuple(best[0].tokens) for best in lattice_hypotheses(predictor, given)], True, n_steps))
    written, lattices = _written_in(predictor, given, table), _at_work(predictor, given, table)
    n_frames, n_steps_written = table[:, 1], table[:, 2] + 1
    offsets = offsets_of(n_frames)
    outputs = np.empty((int(offsets[-1]), 1 + len(target.classes_)))
    with predicting(predictor.model):
        for index in lattices.chunks():
            frame = np.concatenate([np.arange(n) for n in n_frames[index]])
            before = np.concatenate([np.searchsorted(written[i], np.arange(n_frames[i])) for i in index])
            n_nodes = n_frames[index] * n_steps_written[index]
            nodes = frame * np.repeat(n_steps_written[index], n_frames[index]) + before + np.repeat(n_nodes.cumsum() - n_nodes, n_frames[index])
            rows = frame + np.repeat(offsets[index], n_frames[index])
            log_p = predictor.network.answer_at(lattices.packed(index), torch.from_numpy(nodes).to(lattices.known.device))
            outputs[rows] = log_p.double().cpu().numpy()
    return Sequences(outputs, offsets)
