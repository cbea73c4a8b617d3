"""Sequences: many sequences of different lengths, stored end to end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any, overload

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def read_only(array: Array) -> Array:
    """Give a view that cannot be written to, and leave the caller's own array (and its flags) alone."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view


def offsets_of(lengths: npt.ArrayLike) -> Array:
    """Turn lengths into the offsets at which sequences begin and end."""
    lengths = np.asarray(lengths, dtype=np.int64)
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def places_in(lengths: npt.ArrayLike) -> Array:
    """Of each row of sequences of these lengths, end to end, the step in its own."""
    offsets = offsets_of(lengths)
    return np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))


def rows_of(offsets: Array, index: Array) -> tuple[Array, Array]:
    """Rows of the sequences of an index array, end to end, and the offsets at which they then begin and end."""
    new = offsets_of(np.diff(offsets)[index])
    return np.arange(new[-1]) + np.repeat(offsets[:-1][index] - new[:-1], np.diff(new)), new


@dataclass(frozen=True, eq=False, repr=False)
class Sequences(Sequence[Array]):
    """Sequences of different lengths, stored end to end (the layout of an Arrow list array, 2016).

    Choose it over a list of arrays when the same data are used several times: it is checked and copied once, indexing is
    vectorised, and scikit-learn's splitters, searches and pipelines keep the type. `as_sequences` makes one from anything else.

    Parameters
    ----------
    values : ndarray of shape (n_steps_total, n_features), float32 or float64
        The time steps of all sequences, one after the other. Kept as a read-only view: never copied, never changed.
    offsets : array-like of int of shape (n_sequences + 1,)
        Where the sequences begin and end, in time steps: sequence ``i`` is ``values[offsets[i]:offsets[i + 1]]``. Starts with 0,
        ends with ``n_steps_total`` and increases: a sequence has at least one step.

    Attributes
    ----------
    values : ndarray of shape (n_steps_total, n_features)
        The time steps, read-only.
    offsets : ndarray of int64 of shape (n_sequences + 1,)
        The borders of the sequences, read-only.
    lengths : ndarray of int64 of shape (n_sequences,)
        The number of steps of each sequence.
    shape : tuple of one int
        ``(n_sequences,)``, which is what scikit-learn's splitters look at.

    Raises
    ------
    TypeError
        If `values` is not a float32 or float64 array.
    ValueError
        If `values` is not 2-D or has no feature, or `offsets` do not fit to it.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.data import Sequences
    >>> X = Sequences(np.arange(10.0).reshape(5, 2), offsets=[0, 2, 5])
    >>> X
    Sequences(n_sequences=2, n_features=2, lengths=2..3, dtype=float64)
    >>> X[[1, 0]].lengths
    array([3, 2])
    """

    values: Array
    offsets: Array

    def __post_init__(self) -> None:
        values = self.values
        if not isinstance(values, np.ndarray) or values.dtype not in (np.float32, np.float64):
            found = values.dtype if isinstance(values, np.ndarray) else type(values).__name__
            raise TypeError(f"values must be a float32 or float64 array, got {found}; as_sequences converts other data")
        if values.ndim != 2:
            raise ValueError(f"values must be 2-D (n_steps_total, n_features), got {values.ndim}-D")
        if values.shape[1] == 0:
            raise ValueError(f"Found array with 0 feature(s) (shape={values.shape}) while a minimum of 1 is required.")
        offsets = np.array(self.offsets)
        _check_offsets(offsets, len(values))
        object.__setattr__(self, "values", read_only(values))
        object.__setattr__(self, "offsets", read_only(offsets.astype(np.int64, copy=False)))

    @classmethod
    def concatenate(cls, parts: Iterable[Sequences]) -> Sequences:
        """Put the sequences of several containers into one.

        Parameters
        ----------
        parts : iterable of Sequences
            At least one, all with the same number of features.

        Returns
        -------
        sequences : Sequences
            The sequences of all parts in their order (a copy).

        Raises
        ------
        ValueError
            If there is no part, or the parts differ in their number of features.
        """
        parts = list(parts)
        if not parts:
            raise ValueError("concatenate needs at least one Sequences, got none")
        for i, part in enumerate(parts):
            if part.n_features != parts[0].n_features:
                raise ValueError(f"part {i} has {part.n_features} features, part 0 has {parts[0].n_features}; all parts need the same n_features")
        return cls(np.concatenate([part.values for part in parts]), offsets_of(np.concatenate([part.lengths for part in parts])))

    @property
    def lengths(self) -> Array:
        """The number of steps of each sequence, int64 of shape (n_sequences,)."""
        return np.diff(self.offsets)

    @property
    def shape(self) -> tuple[int]:
        """``(n_sequences,)``."""
        return (len(self),)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values, float32 or float64."""
        return self.values.dtype

    @property
    def n_features(self) -> int:
        """The number of channels of a step."""
        return self.values.shape[1]

    @property
    def n_steps_total(self) -> int:
        """The number of steps of all sequences together."""
        return self.values.shape[0]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[Array]:
        return (self.values[start:stop] for start, stop in pairwise(self.offsets.tolist()))

    def __repr__(self) -> str:
        lengths = f"{self.lengths.min()}..{self.lengths.max()}" if len(self) else "none"
        return f"Sequences(n_sequences={len(self)}, n_features={self.n_features}, lengths={lengths}, dtype={self.dtype})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor, because a pickled array forgets that it was read-only.
        return type(self), (self.values, self.offsets)

    @overload
    def __getitem__(self, key: int) -> Array: ...

    @overload
    def __getitem__(self, key: Any) -> Any: ...

    def __getitem__(self, key: Any) -> Any:
        key = key_of(key, "Sequences")
        if isinstance(key, Integral):
            return self._one(int(key))
        if isinstance(key, slice) and key.step in (None, 1):
            return self._range(key)
        return self._take(np.arange(len(self))[key])

    def _one(self, i: int) -> Array:
        """Sequence `i` as a view."""
        if not -len(self) <= i < len(self):
            raise IndexError(f"sequence {i} is out of range: there are {len(self)} sequences")
        i %= len(self)
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def _range(self, key: slice) -> Sequences:
        """Neighbouring sequences; the values are shared."""
        start, stop, _ = key.indices(len(self))
        borders = self.offsets[start : max(start, stop) + 1]
        return Sequences(self.values[borders[0] : borders[-1]], borders - borders[0])

    def _take(self, index: Array) -> Sequences:
        """Copy the sequences of an index array, in one gather."""
        rows, offsets = rows_of(self.offsets, index)
        return Sequences(self.values[rows], offsets)

    def with_values(self, new_values: Array) -> Sequences:
        """Give sequences of the same lengths with other values.

        Parameters
        ----------
        new_values : ndarray of shape (n_steps_total, n_features_new), float32 or float64
            One row for each time step; the number of features may be another one.

        Returns
        -------
        sequences : Sequences
            The new values with the old offsets.
        """
        return Sequences(new_values, self.offsets)

    def to_padded(self, length: int | None = None, fill_value: float = np.nan) -> Array:
        """Make a 3-D array, filled up behind the end of each sequence.

        Parameters
        ----------
        length : int or None, default=None
            The number of time steps of the array; None means that of the longest sequence.
        fill_value : float, default=nan
            What stands behind the end of a sequence. ``as_sequences(padded, padding="nan")`` takes NaN off again.

        Returns
        -------
        padded : ndarray of shape (n_sequences, length, n_features)
            A copy, of the type of the values.

        Raises
        ------
        ValueError
            If a sequence is longer than `length`.
        """
        longest = int(self.lengths.max(initial=0))
        length = longest if length is None else length
        if length < longest:
            raise ValueError(f"length={length} is shorter than the longest sequence ({longest} steps)")
        padded = np.full((len(self), length, self.n_features), fill_value, dtype=self.dtype)
        padded[np.arange(length) < self.lengths[:, None]] = self.values
        return padded


def key_of(key: Any, container: str) -> Any:
    """What a container of one axis is asked for: an integer, a slice, an index array or a mask; numpy refuses what is out of range or too long."""
    if isinstance(key, tuple):  # scikit-learn asks for X[key, ...]
        if len(key) != 2 or key[1] is not Ellipsis:
            raise IndexError(f"{container} have one axis; got the index {key!r}")
        key = key[0]
    if isinstance(key, bool | np.bool_):
        raise IndexError(f"a single boolean is no index of {container}; pass an integer, a slice, an index array or a boolean mask")
    if isinstance(key, Integral | slice):
        return key
    index = np.asarray(key)
    if index.ndim != 1:
        raise IndexError(f"the index of {container} must be an integer, a slice or 1-D, got {index.ndim}-D")
    return index.astype(np.intp) if index.size == 0 and index.dtype != bool else index


def _check_offsets(offsets: Array, n_steps_total: int) -> None:
    """Refuse offsets that are not the borders of sequences of at least one step."""
    if offsets.ndim != 1 or len(offsets) == 0 or offsets.dtype.kind not in "iu":
        raise ValueError(f"offsets must be 1-D integers of shape (n_sequences + 1,), got {offsets.dtype} of shape {offsets.shape}")
    if offsets[0] != 0:
        raise ValueError(f"offsets must start with 0, got {offsets[0]}")
    if offsets[-1] != n_steps_total:
        raise ValueError(f"offsets must end with the number of rows of values ({n_steps_total}), got {offsets[-1]}")
    lengths = np.diff(offsets.astype(np.int64))
    if (lengths < 0).any():
        first = int(np.argmax(lengths < 0))
        raise ValueError(f"offsets must increase, but offsets[{first + 1}] = {offsets[first + 1]} comes after {offsets[first]}")
    refuse_empty(lengths)


def refuse_empty(lengths: Array, reason: str = "") -> None:
    """Refuse a sequence of zero steps, naming the first one."""
    empty = np.asarray(lengths) == 0
    if empty.any():
        raise ValueError(f"sequence {int(np.argmax(empty))} is empty (length 0){reason}")
