"""Layers that start from those of another estimator."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from ...networks import Autoencoder, Recurrent
from ._readers import Beside

_WANTED = "init_from must be an RNNAutoencoder, or a fitted one in a sklearn.frozen.FrozenEstimator"


def pretrained_of(model: Any, X: Any, n_channels: int) -> Any | None:
    """The estimator that ``init_from`` says, as it is if it is frozen, else a copy of it that is fitted to X; ``None`` if it says none."""
    source = vars(model).get("init_from")
    if source is None:
        return None
    if isinstance(source, FrozenEstimator):
        check_is_fitted(source)
        fitted = source.estimator
    elif get_tags(source).target_tags.required:
        raise ValueError(f"{_WANTED}: something that learns without targets; got {source!r}")
    else:
        fitted = clone(source).fit(X.sequences if isinstance(X, Beside) else X)
    if not isinstance(vars(fitted).get("network_"), Autoencoder):
        raise ValueError(f"{_WANTED}; got {source!r}")
    if len(fitted.mean_) != n_channels:
        raise ValueError(f"init_from has learned from {len(fitted.mean_)} channels, but X has {n_channels}, those of static= among them")
    return fitted


def start_from(network: Any, fitted: Any) -> None:
    """Give the recurrent layers of a network the weights of those that read in ``fitted``; where only one direction was learned, that one."""
    ours, theirs = network.recurrent, fitted.network_.encoder.recurrent
    if network.frontend is not None:
        raise ValueError(f"init_from needs layers that see the channels as they are: use frontend=None; got {network.frontend!r}")
    mine, others = _described(ours), _described(theirs)
    if mine != others or theirs.n_directions > ours.n_directions or (theirs.n_directions < ours.n_directions and len(ours.layers) > 1):
        asked = "cell, hidden_size, n_layers and bidirectional must be those of init_from (both directions may start from one if there is one layer)"
        raise ValueError(f"{asked}; got {_told(mine, ours)}, and {_told(others, theirs)} there")
    for layer, learned in zip(ours.layers, theirs.layers, strict=True):
        for cell, start in zip(layer, learned, strict=False):
            cell.load_state_dict(start.state_dict())


def _described(stack: Recurrent) -> tuple[str, int, int]:
    first = stack.layers[0][0]
    return repr(first), first.hidden_size, len(stack.layers)


def _told(described: tuple[str, int, int], stack: Recurrent) -> str:
    cell, hidden_size, n_layers = described
    return f"{cell}, {hidden_size}, {n_layers}, {stack.n_directions == 2}"
