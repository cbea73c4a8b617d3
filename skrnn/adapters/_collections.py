"""Collections of series in the layouts of other libraries, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import Sequences, as_sequences


def from_aeon(X: Any) -> Any:
    """Turn a collection with the channels first, as aeon and sktime have it, into sequences.

    Parameters
    ----------
    X : array of shape (n_sequences, n_channels, n_steps), list of arrays (n_channels, n_steps), or whatever else `as_sequences` reads
        "numpy3D", "np-list", "df-list" (whose frames have a row for each step), "nested_univ", "pd-multiindex". A 2-D array holds one univariate
        series per row.

    Returns
    -------
    sequences : ndarray of shape (n_sequences, n_steps, n_channels) or Sequences
        The channels last; an array is not copied.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.adapters import from_aeon
    >>> from_aeon([np.zeros((2, 5)), np.zeros((2, 7))])
    Sequences(n_sequences=2, n_features=2, lengths=5..7, dtype=float64)
    """
    if isinstance(X, np.ndarray) and X.ndim == 3:
        return X.swapaxes(1, 2)
    if isinstance(X, list | tuple) and all(isinstance(x, np.ndarray) and x.ndim == 2 for x in X):
        return as_sequences([x.T for x in X])
    return as_sequences(X)


def to_aeon(X: Any) -> NDArray[Any] | list[NDArray[Any]]:
    """Turn sequences into a collection with the channels first, as aeon and sktime have it.

    Parameters
    ----------
    X : object
        Whatever `as_sequences` reads.

    Returns
    -------
    collection : ndarray of shape (n_sequences, n_channels, n_steps), or list of ndarray (n_channels, n_steps)
        An array ("numpy3D") where all lengths are equal, else a list ("np-list").

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.adapters import to_aeon
    >>> to_aeon(np.zeros((10, 7, 2))).shape
    (10, 2, 7)
    """
    sequences = as_sequences(X)
    arrays = [np.ascontiguousarray(x.T) for x in sequences]
    return np.stack(arrays) if (sequences.lengths == sequences.lengths[0]).all() else arrays


def from_tslearn(X: Any) -> Sequences:
    """Turn a data set of tslearn, filled up with NaN, into sequences.

    Parameters
    ----------
    X : array of shape (n_sequences, n_steps, n_channels)
        Steps at the end in which all channels are NaN are no steps.

    Returns
    -------
    sequences : Sequences
        Each of its own length.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.adapters import from_tslearn
    >>> from_tslearn(np.array([[[1.0], [2.0]], [[3.0], [np.nan]]]))
    Sequences(n_sequences=2, n_features=1, lengths=1..2, dtype=float64)
    """
    return as_sequences(X, padding="nan")


def to_tslearn(X: Any) -> NDArray[Any]:
    """Turn sequences into a data set of tslearn.

    Parameters
    ----------
    X : object
        Whatever `as_sequences` reads.

    Returns
    -------
    dataset : ndarray of shape (n_sequences, n_steps, n_channels)
        Filled up with NaN to the length of the longest sequence.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.adapters import to_tslearn
    >>> to_tslearn([np.zeros((3, 1)), np.zeros((5, 1))]).shape
    (2, 5, 1)
    """
    return as_sequences(X).to_padded()
