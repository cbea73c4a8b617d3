"""How near what is recalled is to what was meant."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array


def patterns_meant(X: NDArray[Any], y: Any) -> NDArray[Any]:
    """The patterns that queries stand for: ``y`` where it holds patterns, the queries themselves where it is None or holds labels."""
    if y is None or np.ndim(y) < 2:
        return X
    patterns: NDArray[Any] = check_array(y, input_name="y")
    if patterns.shape != X.shape:
        raise ValueError(f"y must hold a pattern for each row of X, of shape {X.shape}; got shape {patterns.shape}")
    return patterns


def cosines(recalled: NDArray[Any], meant: NDArray[Any]) -> NDArray[np.float64]:
    """The cosine of the angle between each two rows; 0 where one of them is 0."""
    lengths = np.linalg.norm(recalled, axis=1) * np.linalg.norm(meant, axis=1)
    products = (recalled * meant).sum(axis=1)
    return np.divide(products, lengths, out=np.zeros(len(products)), where=lengths > 0)
