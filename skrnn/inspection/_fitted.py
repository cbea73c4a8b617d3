"""What displays ask of estimators: the fitted model, and its data as the network sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from ..data import Sequences
from ..estimators.face import Trained, predictor_of
from ..frontends import Frontend
from ..networks import LanguageNetwork, Network
from ..training import Batches

Losses = Callable[[Tensor, Any], Tensor]  # of outputs, and of the sequences of a batch that they belong to


def fitted(estimator: Any) -> Any:
    """The fitted estimator with a recurrent network, which may be the last step of a pipeline."""
    model = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(model, Trained):
        raise TypeError(f"estimator must be an estimator with a recurrent network, or a Pipeline that ends in one; got {type(model).__name__}")
    check_is_fitted(model)
    return model


def one_stack(estimator: Any) -> Trained:
    """The fitted estimator, whose network must be one stack of layers."""
    model = fitted(estimator)
    if not isinstance(model.network_, Network):
        what = "tells the next token of a text" if isinstance(model.network_, LanguageNetwork) else "has an encoder and a decoder"
        raise TypeError(f"{type(model).__name__} {what}; this display draws networks with one stack of recurrent layers over sequences of numbers")
    return model


class NetworkView(NamedTuple):
    """Batches in double precision, in which gradients that fade do not underflow so soon, and losses of outputs if there are targets."""

    batches: Batches
    losses: Losses | None = None
    frontend: Frontend | None = None

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of each sequence as the recurrent layers see it."""
        lengths = self.batches.lengths
        return lengths if self.frontend is None else self.frontend.out_lengths(lengths)


def seen(estimator: Any, X: Any, y: Any = None) -> NetworkView:
    """X, and y if it is given, as the network of an estimator sees them."""
    model: Any = one_stack(estimator)
    if isinstance(estimator, Pipeline) and len(estimator) > 1:
        X = estimator[:-1].transform(X)
    predictor = predictor_of(model)
    if y is None:
        return NetworkView(in_double(predictor.read(X).sequences, model.mean_, model.scale_), None, model.network_.frontend)
    given, wanted, _ = predictor.compared(X, y)
    batches, weight = in_double(given.sequences, model.mean_, model.scale_), predictor.target.weigh(wanted, None)
    target = torch.from_numpy(predictor.target.encode(wanted))
    target = target.double() if target.is_floating_point() else target
    objective, per_step = predictor.target.objective, predictor.reader.per_step

    def losses(outputs: Tensor, index: Any) -> Tensor:
        rows = batches.rows(index) if per_step else index
        each = objective.losses(outputs, target[rows])
        return each if weight is None else each * torch.from_numpy(weight[rows])

    return NetworkView(batches, losses, model.network_.frontend)


def in_double(sequences: Sequences, mean: Any = 0.0, scale: Any = 1.0) -> Batches:
    """Batches of standardised sequences in double precision on the CPU."""
    mean, scale = (np.broadcast_to(np.asarray(a, dtype=float), sequences.n_features) for a in (mean, scale))
    return Batches(sequences, mean, scale, torch.float64, torch.device("cpu"))
