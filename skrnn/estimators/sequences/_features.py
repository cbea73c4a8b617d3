"""Hidden states of whole sequences as features."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..face._feature_frames import names_of_units
from ..face._predictor import Predictor


def pooled_states(predictor: Predictor[Any], X: Any) -> NDArray[np.floating]:
    """Pooled outputs of the recurrent layers (n_sequences, n_units)."""
    sequences, network = predictor.read(X).sequences, predictor.network
    return predictor.gathered(sequences, network.features, network.recurrent.output_size, dtype=predictor.dtype)


def unit_names(model: Any) -> NDArray[np.object_]:
    """The cell's name and h0, h1, … for each unit."""
    check_is_fitted(model)
    stack = model.network_.recurrent
    return names_of_units(stack.layers[0][0], stack.output_size)
