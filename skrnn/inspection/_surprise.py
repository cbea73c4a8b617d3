"""How surprising each step of a sequence is, and what is left of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline

from ..estimators import HistoryCompressor
from ._axes import count_in_whole_numbers, new_or_given

_MOST_NAMED = 40  # steps whose symbols can be read side by side


class SurpriseDisplay:
    """What a history compressor did not expect: the surprise of each step along a sequence, and the steps that are left of it.

    It is recommended to use :meth:`from_estimator`.

    Parameters
    ----------
    surprise : array-like of shape (n_steps,)
        Minus the natural logarithms of the probabilities of the steps.
    kept : array-like of int
        The steps that are left, counted from 0.
    threshold : float or None, default=None
        The probability from which on a step is expected; ``None`` draws no line.
    labels : sequence of n_steps labels, default=()
        What the steps are, to be written where they are left; with up to 40 steps, at all.

    Attributes
    ----------
    surprise : ndarray of shape (n_steps,)
        What is drawn.
    kept : ndarray of int
        What is marked.
    threshold : float or None
        Where the line is.
    labels : list of str
        What the steps are.
    ax_ : matplotlib Axes
        Where it was drawn last.
    figure_ : matplotlib Figure
        The figure of ``ax_``.
    line_ : matplotlib Line2D
        The surprise.
    kept_ : matplotlib Line2D
        The steps that are left.

    Examples
    --------
    >>> from skrnn import HistoryCompressor
    >>> X = ["abcabc", "xbcxbc"] * 10
    >>> model = HistoryCompressor(
    ...     hidden_size=8, batch_size=4, max_epochs=30, random_state=0
    ... ).fit(X)
    >>> SurpriseDisplay.from_estimator(model, X).kept.tolist()
    [0, 3, 5]
    """

    def __init__(self, surprise: ArrayLike, *, kept: ArrayLike, threshold: float | None = None, labels: Sequence[Any] = ()) -> None:
        self.surprise, self.kept = np.asarray(surprise, dtype=float), np.asarray(kept, dtype=int)
        self.threshold, self.labels = threshold, [str(label) for label in labels]
        if self.surprise.ndim != 1:
            raise ValueError(f"surprise must have shape (n_steps,); got {self.surprise.shape}")
        if not np.isin(self.kept, np.arange(len(self.surprise))).all():
            raise ValueError(f"kept must hold steps of the sequence, 0 to {len(self.surprise) - 1}; got {self.kept.tolist()}")
        if self.labels and len(self.labels) != len(self.surprise):
            raise ValueError(f"labels must be one for each of the {len(self.surprise)} steps, or none; got {len(self.labels)}")

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, sequence: int = 0, *, ax: Any = None) -> Self:
        """Draw what a fitted compressor did not expect.

        Parameters
        ----------
        estimator : HistoryCompressor, or Pipeline that ends in one
            Fitted.
        X : as in ``transform``
        sequence : int, default=0
            Which row of X.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.

        Returns
        -------
        SurpriseDisplay

        Raises
        ------
        ValueError
            If there is no such row.
        TypeError
            If it is no compressor.
        """
        model = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
        if not isinstance(model, HistoryCompressor):
            raise TypeError(f"{type(model).__name__} expects no steps; the display needs a HistoryCompressor")
        if isinstance(estimator, Pipeline) and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        if sequence not in range(len(X)):
            raise ValueError(f"sequence must be between 0 and {len(X) - 1} (the last of X); got {sequence!r}")
        row = X[sequence : sequence + 1]
        (surprise,), (kept,) = model.surprise(row), model.kept_steps(row)
        labels = [] if model.symbols_ is None else np.ravel(list(row[0])).tolist()
        return cls(surprise, kept=kept, threshold=model.levels_[0].threshold, labels=labels).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.

        Returns
        -------
        self
        """
        ax = new_or_given(self, ax)
        steps = np.arange(1, len(self.surprise) + 1)
        (self.line_,) = ax.plot(steps, self.surprise, color="C0", linewidth=1, label="surprise")
        (self.kept_,) = ax.plot(steps[self.kept], self.surprise[self.kept], "o", color="C1", label="left")
        if self.threshold:
            ax.axhline(-np.log(self.threshold), color="0.7", linestyle="--", label=f"probability {self.threshold:g}")
        for k in range(len(self.labels)) if len(self.labels) <= _MOST_NAMED else self.kept.tolist():
            left = k in self.kept
            at = (steps[k], self.surprise[k])
            ax.annotate(self.labels[k], at, (0, 6), textcoords="offset points", ha="center", color="C1" if left else "0.5", annotation_clip=False)
        count_in_whole_numbers(ax.xaxis)
        ax.set(xlabel="step", ylabel="surprise in nats", xlim=(0.5, len(self.surprise) + 0.5))
        ax.margins(y=0.12)
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self
