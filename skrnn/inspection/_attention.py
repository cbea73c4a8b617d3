"""What a decoder looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline

from ..data import read_tokens
from ..estimators import RNNCaptioner, Seq2SeqRegressor, Seq2SeqTranslator
from ._axes import count_in_whole_numbers, new_or_given
from ._fitted import fitted


class AttentionDisplay:
    """How much each written step looks at each step of the source: an image of target × source (Bahdanau et al., 2015, figure 3).

    Make it with :meth:`from_estimator`. A bright diagonal is an alignment in order; a column that stays bright is a step to which the decoder
    flees when it needs nothing.

    Parameters
    ----------
    weights : array-like of shape (n_target_steps, n_source_steps)
        Shares: rows sum to 1.
    source, target : sequence of n_source_steps and n_target_steps labels, default=None
        What is written at the axes; ``None`` counts the steps from 1.

    Attributes
    ----------
    weights : ndarray of shape (n_target_steps, n_source_steps)
        What is drawn.
    source, target : list of str or None
        The labels.
    ax_ : matplotlib Axes
        Where it was drawn last.
    figure_ : matplotlib Figure
        The figure of ``ax_``.
    im_ : matplotlib AxesImage
        The image.

    Examples
    --------
    >>> from skrnn import Seq2SeqTranslator
    >>> from skrnn.inspection import AttentionDisplay
    >>> X = ["ab", "ba", "aab", "bba"] * 8
    >>> model = Seq2SeqTranslator(
    ...     hidden_size=8, max_epochs=3, random_state=0
    ... ).fit(X, X)
    >>> AttentionDisplay.from_estimator(model, X, X, sequence=2).weights.shape
    (3, 3)
    """

    def __init__(self, weights: ArrayLike, *, source: Sequence[Any] | None = None, target: Sequence[Any] | None = None) -> None:
        self.weights = np.asarray(weights, dtype=float)
        self.source, self.target = (None if labels is None else [str(label) for label in labels] for labels in (source, target))
        given = [len(self.weights) if self.target is None else len(self.target), self.weights.shape[-1] if self.source is None else len(self.source)]
        if self.weights.ndim != 2 or list(self.weights.shape) != given:
            raise ValueError(f"weights must have shape (n_target_steps, n_source_steps) = {tuple(given)}, as the labels; got {self.weights.shape}")

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any = None, sequence: int = 0, *, ax: Any = None) -> Self:
        """Draw what a fitted estimator looks at.

        Parameters
        ----------
        estimator : Seq2SeqTranslator, RNNCaptioner, Seq2SeqRegressor, or Pipeline that ends in one
            Fitted with attention.
        X : as in ``predict``
        y : as in ``fit``, default=None
            What is written, for tokens; ``None`` is what ``predict`` writes.
        sequence : int, default=0
            Which row of X.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.

        Returns
        -------
        AttentionDisplay

        Raises
        ------
        ValueError
            If the estimator has ``attention=None``, or there is no such row.
        TypeError
            If it is no estimator with an encoder and a decoder.
        """
        model: Any = fitted(estimator)
        if not isinstance(model, Seq2SeqRegressor | Seq2SeqTranslator | RNNCaptioner):
            raise TypeError(
                f"{type(model).__name__} looks at no steps of a source; the display needs a Seq2SeqTranslator, RNNCaptioner or Seq2SeqRegressor"
            )
        if isinstance(estimator, Pipeline) and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        if sequence not in range(len(X)):
            raise ValueError(f"sequence must be between 0 and {len(X) - 1} (the last of X); got {sequence!r}")
        row = X[sequence : sequence + 1]
        if isinstance(model, Seq2SeqRegressor):
            return cls(model.attention_weights(row)[0]).plot(ax)
        written = model.predict(row) if y is None else y[sequence : sequence + 1]
        source = read_tokens(row, "X")[0] if isinstance(model, Seq2SeqTranslator) else None  # regions are numbered
        target = read_tokens(written, "y")[0]
        return cls(model.attention_weights(row, written)[0], source=source, target=target).plot(ax)

    def plot(self, ax: Any = None, *, cmap: str = "viridis") -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.
        cmap : str, default="viridis"
            Colours, from no weight to all of it.

        Returns
        -------
        self
        """
        ax = new_or_given(self, ax)
        n_target, n_source = self.weights.shape
        extent = (0.5, n_source + 0.5, n_target + 0.5, 0.5)
        self.im_ = ax.imshow(self.weights, cmap=cmap, vmin=0, vmax=1, aspect="auto", interpolation="nearest", extent=extent)
        for axis, labels in ((ax.xaxis, self.source), (ax.yaxis, self.target)):
            if labels is None:
                count_in_whole_numbers(axis)
            else:
                axis.set_ticks(range(1, len(labels) + 1), labels)
        ax.set(xlabel="source", ylabel="target")
        ax.figure.colorbar(self.im_, ax=ax, label="attention weight")
        self.ax_, self.figure_ = ax, ax.figure
        return self
