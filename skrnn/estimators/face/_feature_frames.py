"""Features of sequences as frames, where ``set_output`` asks for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._set_output import _get_output_config

from ...data import has_instances, kind_of


def by_instance(transformer: Any, X: Any, features: NDArray[np.floating]) -> Any:
    """Features (n_sequences, n_features) of a long pandas frame with its instances as index, to which scikit-learn would give that of the steps."""
    kind = kind_of(X)
    if not kind.startswith("pandas") or _get_output_config("transform", transformer)["dense"] != "pandas" or not has_instances(X, kind, "X"):
        return features
    import pandas as pd

    return pd.DataFrame(features, X.index.get_level_values(0).unique())


def names_of_units(cell: Any, n: int) -> NDArray[np.object_]:
    """The cell's name and h0, h1, … for n units."""
    return np.array([f"{type(cell).__name__.lower()}_h{k}" for k in range(n)], dtype=object)
