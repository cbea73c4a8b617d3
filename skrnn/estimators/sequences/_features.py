"""Hidden states of whole sequences as features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..face._guards import predicting
from ..face._predictor import Predictor


def pooled_states(predictor: Predictor[Any], X: Any) -> NDArray[np.floating]:
    """Pooled outputs of the recurrent layers (n_sequences, n_units)."""
    sequences, network = predictor.read(X).sequences, predictor.network
    source = predictor.source(sequences)
    states = np.empty((len(sequences), network.recurrent.output_size), str(source.dtype).removeprefix("torch."))
    with predicting(predictor.model):
        for index in source.chunks():
            states[index] = network.features(source.packed(index)).cpu().numpy()
    return states


def unit_names(model: Any) -> NDArray[np.object_]:
    """The cell's name and h0, h1, … for each unit."""
    check_is_fitted(model)
    stack = model.network_.recurrent
    name = type(stack.layers[0][0]).__name__.lower()
    return np.array([f"{name}_h{k}" for k in range(stack.output_size)], dtype=object)
