"""SequencePadder: sequences of different lengths become one 3-D array."""

from __future__ import annotations

from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from ..data._checks import check_sequences_and_layout
from ..data._reading import ROWS
from ..data._sequences import Sequences

ENDS = ("post", "pre")


class SequencePadder(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
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
    Sequences longer than `length_` lose steps in ``transform`` without a warning. Of a 2-D `X` each row is one univariate
    sequence, and the output is 2-D as well: columns are added or cut.

    Examples
    --------
    >>> from skrnn.preprocessing import SequencePadder
    >>> SequencePadder(length=3, side="pre").fit_transform([[1.0, 2.0], [3.0, 4.0, 5.0, 6.0]])[:, :, 0]
    array([[0., 1., 2.],
           [3., 4., 5.]])
    """

    def __init__(self, length: int | None = None, fill_value: float = 0.0, side: str = "post", truncate: str = "post") -> None:
        self.length = length
        self.fill_value = fill_value
        self.side = side
        self.truncate = truncate

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the length of the longest sequence.

        Parameters
        ----------
        X : 3-D array, list of arrays, 2-D array-like or Sequences
            The sequences.
        y : None
            Not looked at.

        Returns
        -------
        self : SequencePadder
            The fitted transformer.
        """
        if self.length is not None and (not isinstance(self.length, Integral) or isinstance(self.length, bool) or self.length < 1):
            raise ValueError(f"length must be an integer >= 1 or None, got {self.length!r}")
        for parameter, value in (("side", self.side), ("truncate", self.truncate)):
            if value not in ENDS:
                raise ValueError(f"{parameter} must be 'post' or 'pre', got {value!r}")
        sequences, _ = check_sequences_and_layout(self, X, reset=True)
        self.length_ = int(sequences.lengths.max()) if self.length is None else int(self.length)
        return self

    def transform(self, X: Any) -> npt.NDArray[Any]:
        """Fill up and cut.

        Parameters
        ----------
        X : 3-D array, list of arrays, 2-D array-like or Sequences
            The sequences.

        Returns
        -------
        padded : ndarray of shape (n_sequences, length, n_features)
            The sequences in one array; of shape (n_sequences, length) for a 2-D `X`.
        """
        check_is_fitted(self)
        sequences, layout = check_sequences_and_layout(self, X, reset=False)
        padded = self._pad(sequences)
        return padded[:, :, 0] if layout == ROWS else padded

    def _pad(self, sequences: Sequences) -> npt.NDArray[Any]:
        """Copy each kept step to its place; both selections run through the steps in the same order."""
        lengths = sequences.lengths
        kept = np.minimum(lengths, self.length_)
        step = np.arange(sequences.n_steps_total) - np.repeat(sequences.offsets[:-1], lengths)
        first = np.zeros_like(lengths) if self.truncate == "post" else lengths - kept
        source = (step >= np.repeat(first, lengths)) & (step < np.repeat(first + kept, lengths))
        place = np.arange(self.length_)
        target = place < kept[:, None] if self.side == "post" else place >= self.length_ - kept[:, None]
        padded = np.full((len(sequences), self.length_, sequences.n_features), self.fill_value, dtype=sequences.dtype)
        padded[target] = sequences.values[source]
        return padded
