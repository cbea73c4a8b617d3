"""Where a transcriber hears what it writes down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline

from ..data import read_tokens
from ..estimators import SequenceTranscriber
from ._axes import count_in_whole_numbers, new_or_given
from ._fitted import fitted

_SEEN = 0.05  # labels that are never as probable as this have no line, if they are not written down


class AlignmentDisplay:
    """How probable each label is in each frame, and where those stand that are written down (Graves et al., 2006, figure 1).

    Make it with :meth:`from_estimator`. The labels of a trained network are peaks among blanks (grey); two peaks at one place are a doubt, and a
    label without a peak is one that was not heard.

    Parameters
    ----------
    proba : array-like of shape (n_frames, 1 + n_classes)
        Probabilities of the blank and of each label.
    classes : sequence of n_classes labels
        In the order of the columns.
    said : sequence of labels, default=()
        What is written down.
    spans : array-like of shape (n_labels, 2), default=()
        Of each of them the first frame, and the one after its last, counted from 0.

    Attributes
    ----------
    proba : ndarray of shape (n_frames, 1 + n_classes)
        What is drawn.
    classes, said : list of str
        Labels.
    spans : ndarray of shape (n_labels, 2)
        Where what is written down stands.
    ax_ : matplotlib Axes
        Where it was drawn last.
    figure_ : matplotlib Figure
        The figure of ``ax_``.
    lines_ : dict of str to matplotlib Line2D
        The line of each label that has one; that of the blank is called "".

    Examples
    --------
    >>> from skrnn import SequenceTranscriber
    >>> from skrnn.datasets import make_phonemes
    >>> X, y = make_phonemes(50, n_phonemes=2, random_state=0)
    >>> model = SequenceTranscriber(
    ...     hidden_size=8, max_epochs=3, random_state=0
    ... ).fit(X, y)
    >>> AlignmentDisplay.from_estimator(model, X, y).spans.shape
    (7, 2)
    """

    def __init__(self, proba: ArrayLike, *, classes: Sequence[Any], said: Sequence[Any] = (), spans: ArrayLike = ()) -> None:
        self.proba, self.spans = np.asarray(proba, dtype=float), np.asarray(spans, dtype=int).reshape(-1, 2)
        self.classes, self.said = [str(label) for label in classes], [str(label) for label in said]
        if self.proba.ndim != 2 or self.proba.shape[1] != 1 + len(self.classes):
            raise ValueError(f"proba must have shape (n_frames, 1 + n_classes) = (n_frames, {1 + len(self.classes)}); got {self.proba.shape}")
        if len(self.spans) != len(self.said):
            raise ValueError(f"spans must have a row for each of the {len(self.said)} labels in said; got {len(self.spans)}")

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any = None, sequence: int = 0, *, ax: Any = None) -> Self:
        """Draw what a fitted transcriber hears.

        Parameters
        ----------
        estimator : SequenceTranscriber, or Pipeline that ends in one
            Fitted.
        X : as in ``predict``
        y : as in ``fit``, default=None
            What is said; ``None`` is what ``predict`` writes down.
        sequence : int, default=0
            Which row of X.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.

        Returns
        -------
        AlignmentDisplay

        Raises
        ------
        ValueError
            If there is no such row, or it has not enough frames for the labels.
        TypeError
            If it is no transcriber.
        """
        model: Any = fitted(estimator)
        if not isinstance(model, SequenceTranscriber):
            raise TypeError(f"{type(model).__name__} aligns no labels; the display needs a SequenceTranscriber")
        if isinstance(estimator, Pipeline) and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        if sequence not in range(len(X)):
            raise ValueError(f"sequence must be between 0 and {len(X) - 1} (the last of X); got {sequence!r}")
        row = X[sequence : sequence + 1]
        said = model.predict(row) if y is None else y[sequence : sequence + 1]
        (proba,), (spans,) = np.exp(model.predict_log_proba(row)), model.predict_alignment(row, said)
        return cls(proba, classes=model.classes_.tolist(), said=read_tokens(said, "y")[0], spans=spans).plot(ax)

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
        frames = np.arange(1, len(self.proba) + 1)
        self.lines_ = {"": ax.plot(frames, self.proba[:, 0], color="0.7", linestyle="--", label="blank")[0]}
        for label, p in zip(self.classes, self.proba[:, 1:].T, strict=True):
            if label in self.said or p.max() >= _SEEN:
                (self.lines_[label],) = ax.plot(frames, p, label=label)
        for label, (start, stop) in zip(self.said, self.spans.tolist(), strict=True):
            colour = self.lines_[label].get_color() if label in self.lines_ else "0.3"
            ax.axvspan(start + 0.5, stop + 0.5, color=colour, alpha=0.2, linewidth=0)
            ax.annotate(label, ((start + stop + 1) / 2, 1.02), ha="center", color=colour, xycoords=("data", "axes fraction"))
        count_in_whole_numbers(ax.xaxis)
        ax.set(xlabel="frame", ylabel="probability", ylim=(0, 1.02), xlim=(0.5, len(self.proba) + 0.5))
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        self.ax_, self.figure_ = ax, ax.figure
        return self
