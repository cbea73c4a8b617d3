"""What an autoencoder makes of sequences."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from ..estimators import RNNAutoencoder
from ..estimators.face import predictor_of
from ._axes import count_in_whole_numbers, new_or_given_rows
from ._fitted import fitted

_MOST_LINES = 4  # channels whose lines can be told apart; more are drawn as a picture


class ReconstructionDisplay:
    """Sequences, and what is written of their codes: below each other the sequences, up to four channels as lines, more as pictures side by side.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    original : list of array-like of shape (n_steps, n_features)
        The sequences.
    reconstructed : list of array-like of shape (n_steps, n_features)
        What is written of each.

    Attributes
    ----------
    original, reconstructed : list of ndarray of shape (n_steps, n_features)
        What is drawn.
    axes_ : ndarray of matplotlib Axes
        Where they were drawn last, one for each sequence.
    figure_ : matplotlib Figure
        The figure of ``axes_``.

    Examples
    --------
    >>> from skrnn import RNNAutoencoder
    >>> from skrnn.datasets import make_pulse_trains
    >>> X, _ = make_pulse_trains(40, random_state=0)
    >>> model = RNNAutoencoder(
    ...     hidden_size=8, max_epochs=3, random_state=0
    ... ).fit(X)
    >>> len(
    ...     ReconstructionDisplay.from_estimator(model, X, n_sequences=2).axes_
    ... )
    2
    """

    def __init__(self, original: Sequence[Any], reconstructed: Sequence[Any]) -> None:
        self.original, self.reconstructed = _of_steps(original, "original"), _of_steps(reconstructed, "reconstructed")
        shapes = [[part.shape for part in parts] for parts in (self.original, self.reconstructed)]
        if not shapes[0] or shapes[0] != shapes[1]:
            raise ValueError(f"original and reconstructed must hold sequences of the same shapes, at least one; got {shapes[0]} and {shapes[1]}")

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, n_sequences: int = 4, *, ax: Any = None) -> Self:
        """Draw what a fitted autoencoder writes of the first sequences.

        Parameters
        ----------
        estimator : RNNAutoencoder, or Pipeline that ends in one
            Fitted. Behind other steps the sequences are drawn as these give them.
        X : as in ``predict``
        n_sequences : int, default=4
            How many of X are drawn, or all if they are fewer.
        ax : sequence of matplotlib Axes, default=None
            Where to draw, one for each sequence; ``None`` makes a new figure.

        Returns
        -------
        ReconstructionDisplay

        Raises
        ------
        ValueError
            If X is not as described, or ``n_sequences`` is not positive.
        TypeError
            If it is no autoencoder.
        """
        if not isinstance(n_sequences, Integral) or n_sequences < 1:
            raise ValueError(f"n_sequences must be a whole number of at least 1; got {n_sequences!r}")
        model = fitted(estimator)
        if not isinstance(model, RNNAutoencoder):
            raise TypeError(f"{type(model).__name__} writes no sequences again; the display needs an RNNAutoencoder")
        if isinstance(estimator, Pipeline) and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        sequences = predictor_of(model).read(X).sequences
        original = [sequences[k] for k in range(min(n_sequences, len(sequences)))]
        again = model.predict(X)
        return cls(original, [np.reshape(again[k], part.shape) for k, part in enumerate(original)]).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : sequence of matplotlib Axes, default=None
            Where to draw, one for each sequence; ``None`` makes a new figure.

        Returns
        -------
        self
        """
        self.axes_ = new_or_given_rows(self, ax, len(self.original), "one for each sequence")
        self.figure_ = self.axes_[0].figure
        every = np.concatenate(self.original + self.reconstructed, axis=None)
        pictures = self.original[0].shape[1] > _MOST_LINES
        for axes, x, again in zip(self.axes_, self.original, self.reconstructed, strict=True):
            if pictures:
                gap = np.full((1, x.shape[1]), np.nan)
                axes.imshow(np.vstack([x, gap, again]).T, aspect="auto", vmin=every.min(), vmax=every.max(), interpolation="nearest")
                axes.set(ylabel="channel", xticks=[(len(x) - 1) / 2, 1.5 * len(x) + 0.5], xticklabels=["original", "reconstructed"])
                axes.tick_params(labelbottom=True)
                count_in_whole_numbers(axes.yaxis)
                continue
            steps = np.arange(1, len(x) + 1)
            for k in range(x.shape[1]):
                axes.plot(steps, x[:, k], color=f"C{k}", linewidth=1, label="original" if k == 0 else None)
                axes.plot(steps, again[:, k], color=f"C{k}", linestyle="--", linewidth=1, label="reconstructed" if k == 0 else None)
            count_in_whole_numbers(axes.xaxis)
        if not pictures:
            self.axes_[-1].set(xlabel="step")
            self.axes_[0].legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        return self


def _of_steps(parts: Sequence[Any], name: str) -> list[NDArray[np.float64]]:
    arrays = [np.asarray(part, dtype=float) for part in parts]
    if any(part.ndim != 2 for part in arrays):
        raise ValueError(f"{name} must hold arrays of shape (n_steps, n_features); got {[part.shape for part in arrays]}")
    return arrays
