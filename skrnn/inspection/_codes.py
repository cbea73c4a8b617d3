"""A map of sequences by their codes."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from ._axes import new_or_given

_MOST_CLASSES = 10  # colours that the usual cycle tells apart


class CodesDisplay:
    """Where sequences lie by their codes: a point for each, near each other for what looks alike to the network.

    It is recommended to use :meth:`from_estimator`, or :meth:`from_codes` for codes that are known.

    Parameters
    ----------
    points : array-like of shape (n_sequences, 2)
        Where the sequences lie.
    y : array-like of shape (n_sequences,), default=None
        What colours them: labels, each in a colour of its own, or real numbers, along a scale.
    axis_names : tuple of two str, default=("code 1", "code 2")
        What the axes say.

    Attributes
    ----------
    points : ndarray of shape (n_sequences, 2)
        What is drawn.
    y : ndarray of shape (n_sequences,) or None
        What colours it.
    axis_names : tuple of two str
        What the axes say.
    ax_ : matplotlib Axes
        Where it was drawn last.
    figure_ : matplotlib Figure
        The figure of ``ax_``.
    points_ : list of matplotlib PathCollection
        The points; those of each label in turn, if y holds labels.

    Examples
    --------
    >>> from skrnn import RNNAutoencoder
    >>> from skrnn.datasets import make_pulse_trains
    >>> X, factors = make_pulse_trains(40, random_state=0)
    >>> model = RNNAutoencoder(
    ...     hidden_size=8, max_epochs=3, random_state=0
    ... ).fit(X)
    >>> CodesDisplay.from_estimator(model, X, factors[:, 0]).points.shape
    (40, 2)
    """

    def __init__(self, points: ArrayLike, y: Any = None, *, axis_names: tuple[str, str] = ("code 1", "code 2")) -> None:
        self.points, self.axis_names = np.asarray(points, dtype=float), axis_names
        if self.points.ndim != 2 or self.points.shape[1] != 2:
            raise ValueError(f"points must have shape (n_sequences, 2); got {self.points.shape}")
        self.y = None if y is None else column_or_1d(y)
        if self.y is not None and len(self.y) != len(self.points):
            raise ValueError(f"y must have a value for each of the {len(self.points)} sequences; got {len(self.y)}")
        if self.y is not None and self.y.dtype.kind == "f" and not np.isfinite(self.y).all():
            raise ValueError("y must be finite; it holds NaN or infinity")

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any = None, *, projection: Any = None, ax: Any = None) -> Self:
        """Draw the codes that a fitted transformer gives to sequences.

        Parameters
        ----------
        estimator : transformer of sequences, or Pipeline that ends in one
            Fitted; its ``transform`` gives a row for each sequence.
        X : as in ``transform``
        y, projection, ax : as in :meth:`from_codes`

        Returns
        -------
        CodesDisplay

        Raises
        ------
        ValueError
            If ``transform`` does not give two or more numbers for each sequence, y is not as long, or the projection has not two columns.
        TypeError
            If the estimator does not transform.
        """
        if getattr(estimator, "transform", None) is None:
            raise TypeError(f"estimator must have transform, which gives a code for each sequence; got {type(estimator).__name__}")
        check_is_fitted(estimator)
        codes = estimator.transform(X)
        ragged = isinstance(codes, list) and np.ndim(codes[0]) != 1
        if ragged or (not isinstance(codes, list) and np.ndim(codes) != 2):
            name = type(estimator).__name__
            raise ValueError(f"estimator must give a row of numbers for each sequence; {name}.transform gives values for each step")
        return cls.from_codes(codes, y, projection=projection, ax=ax)

    @classmethod
    def from_codes(cls, codes: ArrayLike, y: Any = None, *, projection: Any = None, ax: Any = None) -> Self:
        """Draw codes.

        Parameters
        ----------
        codes : array-like of shape (n_sequences, n_outputs)
            A row of two or more numbers for each sequence.
        y : array-like of shape (n_sequences,), default=None
            What colours the points: labels, or real numbers.
        projection : transformer with two components, default=None
            What maps the codes to the plane; a clone of it is fitted to them. ``None`` draws codes of two numbers as they are, and the first two
            principal components of others.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.

        Returns
        -------
        CodesDisplay

        Raises
        ------
        ValueError
            If codes or y are not as described, or the projection has not two columns.
        """
        rows: NDArray[np.float64] = check_array(codes, dtype=float, input_name="codes")
        if y is not None:
            check_consistent_length(rows, y)
        if projection is None and rows.shape[1] < 2:
            raise ValueError("codes must hold two or more numbers for each sequence, to be drawn in a plane; got 1")
        if projection is None and rows.shape[1] == 2:
            return cls(rows, y).plot(ax)
        mapped = np.asarray((PCA(2) if projection is None else clone(projection)).fit_transform(rows))
        if mapped.shape != (len(rows), 2):
            raise ValueError(f"projection must have two components, and give shape ({len(rows)}, 2); got {mapped.shape}")
        return cls(mapped, y, axis_names=("component 1", "component 2")).plot(ax)

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
        horizontal, vertical = self.points.T
        if self.y is None:
            self.points_ = [ax.scatter(horizontal, vertical, s=12)]
        elif type_of_target(self.y) == "continuous":
            self.points_ = [ax.scatter(horizontal, vertical, s=12, c=self.y)]
            ax.figure.colorbar(self.points_[0], ax=ax, label="y")
        else:
            self.points_ = self._by_label(ax, self.y)
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _by_label(self, ax: Any, y: NDArray[Any]) -> list[Any]:
        from matplotlib import colormaps

        labels = np.unique(y)
        many = colormaps["turbo"](np.linspace(0.05, 0.95, len(labels)))
        colours = many if len(labels) > _MOST_CLASSES else [f"C{k}" for k in range(len(labels))]
        parts = [ax.scatter(*self.points[y == label].T, s=12, color=colour, label=str(label)) for label, colour in zip(labels, colours, strict=True)]
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        return parts
