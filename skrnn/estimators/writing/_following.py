"""A fitted language model that reads: what it says at each place of texts, and the states in which it then is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...cells import State, map_state
from ...data import Corpus
from ...networks import LanguageNetwork
from ...training import Passages
from ..face._step_values import as_arrays, as_tensors, join_arrays

Array = NDArray[np.float64]


class TextState(NamedTuple):
    """Where texts stand: what came last, which is still to be read, and the states before it; a row for each text."""

    before: NDArray[Any]
    states: Any


class Standing(NamedTuple):
    """The same on the device of a network."""

    before: Tensor
    states: State


def continued(network: LanguageNetwork, corpus: Corpus, state: Any) -> State | None:
    """The states that texts go on from, checked; ``None`` where they begin."""
    if state is None:
        return None
    return as_tensors(state.states, network.start(len(corpus)), np.arange(len(corpus)))


def followed(
    network: LanguageNetwork, corpus: Corpus, states: State | None, made: Callable[[Tensor, Tensor], Tensor], width: Any
) -> tuple[Array, Any]:
    """What is made of the outputs of the last layer and the targets at every place, a row of ``width`` each, and the states after the texts."""
    like = network.head.b
    source = Passages(corpus, (like.dtype, like.device), network.head.n_outputs, states=states)
    rows = np.empty((len(source.arrangement), *width))
    for index in source.chunks():
        passage = source.packed(index)
        rows[source.rows(index)] = made(network.follow(passage), passage.target).double().cpu().numpy()
    parts = [(texts, as_arrays(stream.states)) for texts, stream in source.groups()]
    order = np.argsort(np.concatenate([texts for texts, _ in parts]))
    return rows, _rows_of(join_arrays([states for _, states in parts]), order)


def _rows_of(states: Any, order: NDArray[np.int64]) -> Any:
    """States in numpy of some rows."""
    if not isinstance(states, tuple):
        return states[order]
    parts = [_rows_of(part, order) for part in states]
    return tuple(parts) if type(states) is tuple else type(states)(*parts)


def on_device(network: LanguageNetwork, state: TextState) -> Standing:
    """Where texts stand, as the network takes it."""
    like = network.head.b
    before = torch.from_numpy(np.ascontiguousarray(state.before))
    states = as_tensors(state.states, network.start(len(before)), np.arange(len(before)))
    return Standing(before.to(like.device, like.dtype if before.is_floating_point() else torch.int64), states)


def primed(network: LanguageNetwork, corpus: Corpus, states: State | None) -> Standing:
    """Where the network stands after some texts, of which some may have no token."""
    there, before = np.flatnonzero(np.diff(corpus.offsets)), np.array(corpus.before)
    now = as_arrays(network.start(len(corpus)) if states is None else states)
    if len(there):
        some = corpus.some(there)
        given = None if states is None else map_state(lambda s: s[torch.from_numpy(there).to(s.device)], states)
        _, after = followed(network, some, given, lambda y, target: y[:, :0], (0,))
        before[there] = some.ids(some.offsets[1:] - 1)
        now = _put(after, there, now)
    return on_device(network, TextState(before, now))


def _put(part: Any, rows: NDArray[np.int64], whole: Any) -> Any:
    """States in numpy with some rows replaced."""
    if isinstance(whole, tuple):
        parts = [_put(p, rows, w) for p, w in zip(part, whole, strict=True)]
        return tuple(parts) if type(whole) is tuple else type(whole)(*parts)
    whole = np.array(whole)
    whole[rows] = part
    return whole
