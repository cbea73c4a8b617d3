"""What displays ask of estimators: the fitted model, and its data as the network sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from ..data import Sequences, check_sequences_and_layout
from ..estimators._base import BaseRecurrent
from ..estimators._decoding import BaseDecoding
from ..estimators._every_step import BaseEveryStep
from ..estimators._trained import BaseTrained
from ..training import Batches

Losses = Callable[[Tensor, Any], Tensor]  # of outputs, and of the sequences of a batch that they belong to


def fitted(estimator: Any, kind: type[BaseTrained] = BaseRecurrent) -> Any:
    """The fitted estimator with a recurrent network, which may be the last step of a pipeline."""
    model = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(model, kind):
        raise TypeError(f"estimator must be an estimator with a recurrent network, or a Pipeline that ends in one; got {type(model).__name__}")
    check_is_fitted(model)
    return model


def one_stack(estimator: Any) -> BaseRecurrent:
    """The fitted estimator, whose network must be one stack of layers."""
    model = fitted(estimator)
    if isinstance(model, BaseDecoding):
        raise TypeError(f"{type(model).__name__} has an encoder and a decoder; this display draws networks with one stack of recurrent layers")
    return model


class Seen(NamedTuple):
    """Batches in double precision, in which gradients that fade do not underflow so soon, and losses of outputs if there are targets."""

    batches: Batches
    losses: Losses | None = None


def seen(estimator: Any, X: Any, y: Any = None) -> Seen:
    """X, and y if it is given, as the network of an estimator sees them."""
    model: Any = one_stack(estimator)
    if isinstance(estimator, Pipeline) and len(estimator) > 1:
        X = estimator[:-1].transform(X)
    if y is None:
        by_rows = isinstance(model, BaseEveryStep)
        sequences, _ = check_sequences_and_layout(model, X, reset=False, compute_dtype=model.dtype, rows_are_steps=by_rows)
        return Seen(in_double(sequences, model.mean_, model.scale_))
    sequences, y, _ = model._check(X, y, None, reset=False)
    weight = model._weigh(y, None)
    encoded = model._encode(y, weight, reset=False)
    batches = in_double(sequences, model.mean_, model.scale_)
    target = torch.from_numpy(encoded.target)
    target = target.double() if target.is_floating_point() else target

    def losses(outputs: Tensor, index: Any) -> Tensor:
        rows = batches.rows(index) if isinstance(model, BaseEveryStep) else index
        each = encoded.objective.losses(outputs, target[rows])
        return each if weight is None else each * torch.from_numpy(weight[rows])

    return Seen(batches, losses)


def in_double(sequences: Sequences, mean: Any = 0.0, scale: Any = 1.0) -> Batches:
    """Batches of standardised sequences in double precision on the CPU."""
    mean, scale = (np.broadcast_to(np.asarray(a, dtype=float), sequences.n_features) for a in (mean, scale))
    return Batches(sequences, mean, scale, torch.float64, torch.device("cpu"))
