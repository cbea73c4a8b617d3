"""Ids of the categories of one channel, from 0 in sorted order; what is unknown gets the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._sequences import Array

HANDLE_UNKNOWN = ("error", "use_encoded_value")
FROM_DTYPE = "from_dtype"  # channels whose type says that they hold categories, and tokens
_MOST = 2**24  # ids that float32 holds exactly
_EXACT = 2**53  # numbers that float64 holds exactly


class Ids(np.ndarray):
    """Ids of tokens: whole numbers that are no quantities, which a type says. What is computed from them is an array as others."""

    def __array_wrap__(self, array: Array, context: Any = None, return_scalar: bool = False) -> Any:
        return array[()] if return_scalar else np.asarray(array)


def categories_of_strings(cells: list[str], min_frequency: int, name: str) -> Array:
    """The strings of a channel that occur often enough, as objects; ``name`` of the channel is for errors."""
    counts = Counter(map(str, cells))
    kept = sorted(cell for cell, n in counts.items() if n >= min_frequency)
    _check_number(len(kept), min_frequency, name)
    categories = np.empty(len(kept), dtype=object)
    categories[:] = kept
    return categories


def categories_of_numbers(numbers: Array, min_frequency: int, name: str) -> Array:
    """The whole numbers of a channel that occur often enough."""
    if not (np.abs(numbers) < _EXACT).all():
        raise ValueError(f"{name} of X has categories of {_EXACT} and more, which float64 cannot tell apart: pass them as strings")
    if (broken := numbers[numbers != np.rint(numbers)]).size:
        raise ValueError(f"{name} of X holds {broken[0]:g}: categories are strings or whole numbers; tell by channels= which channels hold them")
    found, counts = np.unique(numbers, return_counts=True)
    kept = found[counts >= min_frequency]
    _check_number(len(kept), min_frequency, name)
    return kept.astype(np.int64)


def _check_number(n: int, min_frequency: int, name: str) -> None:
    if n == 0:
        raise ValueError(f"{name} of X has no category that occurs min_frequency={min_frequency} times")
    if n >= _MOST:
        raise ValueError(f"{name} of X has {n} categories, but ids are exact in float32 below {_MOST} only")


def ids_of_strings(cells: list[str], categories: Array) -> Array:
    """The id of each cell."""
    ids = dict(zip(categories.tolist(), range(len(categories)), strict=True))
    return np.array([ids.get(cell, len(ids)) for cell in cells], dtype=np.float64)


def ids_of_numbers(numbers: Array, categories: Array) -> Array:
    """The id of each number."""
    ids = np.minimum(np.searchsorted(categories, numbers), len(categories) - 1)
    return np.where(categories[ids] == numbers, ids, len(categories))


def named(channel: int, names: list[str] | None) -> str:
    """A channel as errors speak of it."""
    return f"channel {channel}" + ("" if names is None else f" ({names[channel]!r})")


def places_of(channels: Sequence[int | str] | None, n: int, names: list[str] | None) -> NDArray[np.intp]:
    """Places of the channels that are given by places or names, in order; all ``n`` of them for None."""
    return np.unique(np.array([_place(channel, n, names) for channel in (range(n) if channels is None else channels)], dtype=np.intp))


def _place(channel: int | str, n: int, names: list[str] | None) -> int:
    if isinstance(channel, str):
        if names is None:
            raise ValueError(f"channels names {channel!r}, but the channels of X have no names here: use their places, or pass frames of steps")
        if channel not in names:
            raise ValueError(f"channels names {channel!r}, which is no channel of X; X has {names}")
        return names.index(channel)
    if not -n <= channel < n:
        raise ValueError(f"channels has {channel}, but the channels of X are 0 to {n - 1}")
    return int(channel) % n


def check_channels(channels: Any, handle_unknown: Any, min_frequency: Any) -> None:
    """Refuse what cannot be, naming the parameter."""
    listed = isinstance(channels, Sequence | np.ndarray) and not isinstance(channels, str) and len(channels)
    named = channels is None or (isinstance(channels, str) and channels == FROM_DTYPE)
    if not named and not (listed and all(isinstance(c, str | Integral) and not isinstance(c, bool) for c in channels)):
        raise ValueError(f"The 'channels' parameter must be a list of channels, by place or by name, {FROM_DTYPE!r}, or None (all); got {channels!r}")
    if handle_unknown not in HANDLE_UNKNOWN:
        raise ValueError(f"The 'handle_unknown' parameter must be one of {list(HANDLE_UNKNOWN)}; got {handle_unknown!r}")
    if not isinstance(min_frequency, Integral) or isinstance(min_frequency, bool) or int(min_frequency) < 1:
        raise ValueError(f"The 'min_frequency' parameter must be a whole number of at least 1; got {min_frequency!r}")
    if int(min_frequency) > 1 and handle_unknown == "error":
        raise ValueError(f"min_frequency={min_frequency} makes rare categories unknown: it needs handle_unknown='use_encoded_value', not 'error'")
