"""Texts that a fitted language model writes, and what it says of their next token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ...cells import State, map_state
from ...engine import rollout
from ...networks import LanguageNetwork, NextFrame
from ._following import Standing
from ._sampling import Endings, Sampling

Array = NDArray[np.float64]

_LOT = 2**12  # texts that are written side by side


def told_next(network: LanguageNetwork, standing: Standing) -> tuple[Tensor, State]:
    """What the last layer puts out after what came last, and the states then."""
    return network.outputs(PackedSequence(standing.before, torch.tensor([len(standing.before)])), standing.states)


def lots(standing: Standing) -> Iterator[Standing]:
    """Texts that are written side by side."""
    for low in range(0, len(standing.before), _LOT):
        yield Standing(standing.before[low : low + _LOT], map_state(lambda s, low=low: s[low : low + _LOT], standing.states))


def next_probabilities(network: LanguageNetwork, standing: Standing) -> Array:
    """Of each token, or of a one in each feature (n_texts, n_outputs)."""
    y, _ = told_next(network, standing)
    return np.exp(network.head.log_probabilities(y, network.weights).double().cpu().numpy())


def generated(network: LanguageNetwork, standing: Standing, draws: Tensor, sampling: Sampling, endings: Endings, never: int | None) -> NDArray[Any]:
    """What is written behind texts, ids (n_texts, n_steps, 1) or frames (n_texts, n_steps, n_features).

    ``draws`` (n_texts, n_most_steps, width) are numbers between 0 and 1 that decide, and ``never`` is a token that is not written.
    """
    head, of_each = network.head, iter(draws.to(standing.before.device).unbind(1))

    def advance(fed: Tensor, states: State) -> tuple[Tensor, State]:
        y, states = told_next(network, Standing(fed if isinstance(head, NextFrame) else fed[:, 0], states))
        if isinstance(head, NextFrame):
            return sampling.frame(head.logits(y, None), next(of_each)), states
        log_p = head.log_probabilities(y, network.weights)
        if never is not None:
            log_p[:, never] = -torch.inf
        return sampling.token(log_p, next(of_each)), states

    first = standing.before if standing.before.ndim == 2 else standing.before[:, None]
    steps, _ = rollout(advance, standing.states, draws.shape[1], first=first, ended=endings)
    return torch.stack(steps, 1).cpu().numpy()
