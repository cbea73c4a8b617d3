"""Sequences that go on: predictions that continue from a state, learning that continues a stream; and answers beside targets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...cells import map_state
from ...engine import Stream
from ..face._guards import predicting, require_target
from ..face._readers import Given
from ..face._step_values import as_tensors

Array = NDArray[np.float64]


def streamed(model: Any, X: Any, state: Any, return_state: bool) -> Any:
    """Answers of a model at every step of X, which go on from ``state``; with the state after them if it is asked for."""
    if state is None and not return_state:
        return model._answers(X)
    if model.bidirectional:
        raise ValueError("A stream goes forward in time: state and return_state need bidirectional=False")
    given = model._read(X)
    outputs, after = _outputs_from(model, given, state)
    answers = model._reader().give(model._target().load(model).decode(outputs), given)
    return (answers, after) if return_state else answers


def _outputs_from(model: Any, given: Given, state: Any) -> tuple[Array, Any]:
    """Outputs of all sequences as one batch, end to end, and the state after them."""
    sequences, network = given.sequences, model.network_
    index = np.argsort(-sequences.lengths, kind="stable")
    with predicting(model):
        source = model._source(sequences)
        packed = source.packed(index)
        before = None if state is None else as_tensors(state, network.start(packed)[0], index)
        out, after = network.outputs(packed, before)
        outputs = np.empty((sequences.n_steps_total, out.shape[1]))
        outputs[source.rows(index)] = out.double().cpu().numpy()
        back = torch.from_numpy(np.argsort(index))
        return outputs, map_state(lambda s: s.cpu()[back].numpy(), after)


def going_stream(model: Any, continue_stream: bool) -> Stream | None:
    """A copy of what the last call left, so that a call that fails changes nothing."""
    if not continue_stream:
        return None
    if model.bidirectional:
        raise ValueError("A stream goes forward in time: continue_stream=True needs bidirectional=False")
    return replace(vars(model).get("_stream") or Stream())


def compared(model: Any, X: Any, y: Any, sample_weight: Any) -> tuple[NDArray[Any], NDArray[Any], Array | None]:
    """Targets, predictions and weights of the steps that have a target."""
    given, reader, target = model._read(X), model._reader(), model._target().load(model)
    require_target(model, y)
    rows = target.read(y, given, reader)
    present = target.present(rows)
    weight = None if sample_weight is None else reader.weights(sample_weight, given)[present]
    return rows[present], target.decode(model._outputs(given))[present], weight
