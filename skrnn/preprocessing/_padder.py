"""SequencePadder: sequences of different lengths become one 3-D array."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import StrOptions

from .._constraints import COUNT
from ..data._reading import ROWS
from ..data._sequences import Array, Sequences, places_in
from ._containers import read_sequences
from ._transformer import SequenceTransformer


class SequencePadder(SequenceTransformer):
    """Fill up and cut sequences to one length.

    Choose it in front of an estimator that wants rectangular data. The recurrent estimators of this library do not need it: they
    take ragged data as they are and never compute a padded step.

    Parameters
    ----------
    length : int or None, default=None
        Time steps of each sequence afterwards; None is the longest sequence seen by ``fit``. Growing it keeps more steps and costs
        memory in proportion.
    fill_value : float, default=0.0
        What stands in steps that were not there; NaN is possible, and ``as_sequences(…, padding="nan")`` takes it off again.
    side : {"post", "pre"}, default="post"
        The end at which short sequences are filled up: "post" behind the last step, "pre" before the first.
    truncate : {"post", "pre"}, default="post"
        The end at which long sequences are cut: "post" keeps the first `length` steps, "pre" the last ones.

    Attributes
    ----------
    length_ : int
        The number of time steps of the output.
    n_features_in_ : int
        Number of channels; of a 2-D `X` number of columns.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a 2-D frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        A parameter other than those above, and what `as_sequences` refuses (NaN among it).

    Notes
    -----
    What comes back is one array of shape ``(n_sequences, length_, n_features)``, whatever the container was. Sequences longer than ``length_``
    lose steps in ``transform`` without a warning. Of a 2-D `X` each row is one univariate sequence, and the output is 2-D as well: columns
    are added, called "padding0", "padding1" …, or cut.

    Examples
    --------
    >>> from skrnn.preprocessing import SequencePadder
    >>> SequencePadder(length=3, side="pre").fit_transform(
    ...     [[1.0, 2.0], [3.0, 4.0, 5.0, 6.0]]
    ... )[:, :, 0]
    array([[0., 1., 2.],
           [3., 4., 5.]])
    """

    _parameter_constraints = {
        "length": [COUNT, None],
        "fill_value": [Real],
        "side": [StrOptions({"post", "pre"})],
        "truncate": [StrOptions({"post", "pre"})],
    }

    def __init__(self, length: int | None = None, fill_value: float = 0.0, side: str = "post", truncate: str = "post") -> None:
        self.length = length
        self.fill_value = fill_value
        self.side = side
        self.truncate = truncate

    _read = read_sequences

    def _learn(self, sequences: Sequences, y: Any) -> None:
        self.length_ = int(sequences.lengths.max()) if self.length is None else int(self.length)

    def _change(self, sequences: Sequences, layout: str) -> Array:
        padded = self._pad(sequences)
        return padded[:, :, 0] if layout == ROWS else padded

    def _names(self, names: Array) -> Any:
        if self._n_columns is None:
            return names
        kept = list(names[: self.length_] if self.truncate == "post" else names[-self.length_ :])
        added = [f"padding{k}" for k in range(self.length_ - len(kept))]
        return kept + added if self.side == "post" else added + kept

    def _pad(self, sequences: Sequences) -> Array:
        """Copy each kept step to its place; both selections run through the steps in the same order."""
        lengths = sequences.lengths
        kept = np.minimum(lengths, self.length_)
        step = places_in(lengths)
        first = np.zeros_like(lengths) if self.truncate == "post" else lengths - kept
        source = (step >= np.repeat(first, lengths)) & (step < np.repeat(first + kept, lengths))
        place = np.arange(self.length_)
        target = place < kept[:, None] if self.side == "post" else place >= self.length_ - kept[:, None]
        padded = np.full((len(sequences), self.length_, sequences.n_features), self.fill_value, dtype=sequences.dtype)
        padded[target] = sequences.values[source]
        return padded
