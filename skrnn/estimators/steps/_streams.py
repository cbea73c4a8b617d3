"""Sequences that go on: predictions that continue from a state, and learning that continues a stream."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...cells import map_state
from ...data import Sequences
from ...engine import Stream, longest_first
from ..face._guards import predicting
from ..face._predictor import Predictor
from ..face._step_values import as_tensors

Array = NDArray[np.float64]


def streamed(predictor: Predictor[Any], X: Any, state: Any, return_state: bool) -> Any:
    """Answers at every step of X, which go on from ``state``; with the state after them if it is asked for."""
    if state is None and not return_state:
        return predictor.answers(X)
    if predictor.model.bidirectional:
        raise ValueError("A stream goes forward in time: state and return_state need bidirectional=False")
    given = predictor.read(X)
    outputs, after = _outputs_from(predictor, given.sequences, state)
    answers = predictor.reader.give(predictor.target.decode(outputs), given)
    return (answers, after) if return_state else answers


def _outputs_from(predictor: Predictor[Any], sequences: Sequences, state: Any) -> tuple[Array, Any]:
    """Outputs of all sequences as one batch, end to end, and the state after them."""
    network, index = predictor.network, longest_first(sequences.lengths)
    with predicting(predictor.model):
        source = predictor.source(sequences)
        packed = source.packed(index)
        before = network.start(packed)[0]
        out, after = network.outputs(packed, before if state is None else as_tensors(state, before, index))
        outputs = np.empty((sequences.n_steps_total, out.shape[1]))
        outputs[source.rows(index)] = out.double().cpu().numpy()
        back = torch.from_numpy(np.argsort(index))
        return outputs, map_state(lambda s: s.cpu()[back].numpy(), after)


def going_stream(stream: Stream | None, bidirectional: bool, continue_stream: bool) -> Stream | None:
    """A copy of what the last call left, so that a call that fails changes nothing."""
    if not continue_stream:
        return None
    if bidirectional:
        raise ValueError("A stream goes forward in time: continue_stream=True needs bidirectional=False")
    return replace(stream or Stream())
