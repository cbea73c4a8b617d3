"""Pictures at each step: their pixels side by side, and the shape that makes pictures of them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from numbers import Integral
from typing import Any

import numpy as np

from ._encoding import SEQUENCES, WINDOWS, Encoding, Moments
from ._frames import kind_of, tensor_to_array
from ._sequences import Array, Sequences

_WANTED = "arrays (n_steps, height, width) or (n_steps, height, width, channels)"


@dataclass(eq=False)
class Pictures(Encoding):
    """A picture at each step of each sequence.

    Parameters
    ----------
    shape : tuple of int or None, default=None
        (height, width) or (height, width, channels) of pictures whose pixels come side by side, as in
        Sequences; None is told by `X`.

    Attributes
    ----------
    shape_ : tuple of int
        Of a picture; empty before the fit.
    """

    shape: tuple[int, ...] | None = None
    shape_: tuple[int, ...] = field(default=(), init=False)

    def numbers(self, X: Any, *, reset: bool, rows: str = SEQUENCES) -> Any:
        """The pixels of a picture, side by side; X itself where they are that already."""
        if rows == WINDOWS:
            raise ValueError("X holds pictures, whose steps come first and in their order: that needs n_lags=None and layout='ntc'")
        arrays, lead = _opened(X)
        shapes = [array.shape[lead:] for array in arrays]
        for shape, array in zip(shapes, arrays, strict=True):
            if len(shape) not in (2, 3):
                raise ValueError(f"X must hold pictures, {_WANTED} for each sequence; got an array of shape {array.shape}")
        if reset:
            self.shape_ = self._shape_in_fit(shapes)
        for i, shape in enumerate(shapes):
            if shape != self.shape_:
                where = f" of sequence {i}" if lead == 1 else ""
                raise ValueError(f"the pictures{where} of X have the shape {shape}; expected {self.shape_}")
        flat = [array.reshape(*array.shape[:lead], prod(self.shape_)) for array in arrays]
        return X if not flat else flat[0] if lead == 2 else flat

    def codes(self, sequences: Sequences, *, reset: bool) -> Sequences:
        """The sequences as they are, if a step has the pixels of a picture."""
        if sequences.n_features != prod(self.shape_):
            raise ValueError(f"X has {sequences.n_features} numbers at each step, but a picture of shape {self.shape_} has {prod(self.shape_)}")
        return sequences

    def statistics(self, sequences: Sequences, of: Callable[[Sequences], Moments]) -> Moments:
        """Alike for all pixels of a colour: one that rarely changes is not blown up."""
        n_colours = self.shape_[2] if len(self.shape_) == 3 else 1
        n_pixels = sequences.n_features // n_colours
        mean, scale = of(Sequences(sequences.values.reshape(-1, n_colours), sequences.offsets * n_pixels))
        return np.tile(mean, n_pixels), np.tile(scale, n_pixels)

    def _shape_in_fit(self, shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
        given = None if self.shape is None else _checked(self.shape)
        if given is not None:
            return given
        if not shapes:
            raise ValueError(f"X must hold pictures, {_WANTED} for each sequence; for pixels side by side tell shape=(height, width[, channels])")
        return shapes[0]


def _checked(shape: Any) -> tuple[int, ...]:
    sizes = tuple(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else ()
    if len(sizes) not in (2, 3) or not all(isinstance(n, Integral) and int(n) > 0 for n in sizes):
        raise ValueError(f"The 'shape' parameter must be (height, width) or (height, width, channels), or None; got {shape!r}")
    return tuple(int(n) for n in sizes)


def _opened(X: Any) -> tuple[list[Array], int]:
    """Arrays with pictures, and the number of axes before these: X itself or one for each sequence; none of pixels."""
    if kind_of(X) == "torch.Tensor":
        X = tensor_to_array(X)
    if isinstance(X, np.ndarray) and X.dtype != object:
        return ([X], 2) if X.ndim > 3 else ([], 2)
    if isinstance(X, Sequences | str | bytes) or not isinstance(X, Sequence | np.ndarray):
        return [], 1
    arrays = [tensor_to_array(item) if kind_of(item) == "torch.Tensor" else np.asarray(item) for item in X]
    return (arrays, 1) if any(array.ndim > 2 for array in arrays) else ([], 1)
