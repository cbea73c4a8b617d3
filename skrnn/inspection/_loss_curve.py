"""The course of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ._axes import count_in_whole_numbers, new_or_given
from ._fitted import fitted


class LossCurveDisplay:
    """Training loss, and held-out loss if there is one, against epochs.

    Make it with :meth:`from_estimator` or :meth:`from_estimators`. The two parting is overfitting; both still falling at the end asks for more
    epochs; a training loss that jumps asks for a smaller learning rate.

    Parameters
    ----------
    losses : dict of str to array-like of shape (n_epochs,)
        Mean training loss of each epoch, for each name.
    validation_losses : dict of str to array-like of shape (n_epochs,), default=None
        Mean held-out loss after each epoch, for the names that have one.

    Attributes
    ----------
    losses, validation_losses : dict of str to ndarray of shape (n_epochs,)
        What is drawn.
    ax_ : matplotlib Axes
        Where it was drawn last.
    figure_ : matplotlib Figure
        The figure of ``ax_``.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.inspection import LossCurveDisplay
    >>> X = np.random.default_rng(0).normal(size=(40, 5, 1))
    >>> model = RNNRegressor(hidden_size=4, max_epochs=3, random_state=0).fit(
    ...     X, X.mean((1, 2))
    ... )
    >>> LossCurveDisplay.from_estimator(model).losses["RNNRegressor"].shape
    (3,)
    """

    def __init__(self, losses: Mapping[str, ArrayLike], validation_losses: Mapping[str, ArrayLike] | None = None) -> None:
        self.losses = {name: np.asarray(curve, dtype=float) for name, curve in losses.items()}
        self.validation_losses = {name: np.asarray(curve, dtype=float) for name, curve in (validation_losses or {}).items()}

    @classmethod
    def from_estimator(cls, estimator: Any, ax: Any = None, *, name: str | None = None) -> Self:
        """Draw the losses of an estimator.

        Parameters
        ----------
        estimator : estimator or Pipeline
            Fitted.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.
        name : str, default=None
            What the legend says; ``None`` is the estimator's class.

        Returns
        -------
        LossCurveDisplay
        """
        return cls.from_estimators({name or type(fitted(estimator)).__name__: estimator}, ax)

    @classmethod
    def from_estimators(cls, estimators: Mapping[str, Any], ax: Any = None) -> Self:
        """Draw the losses of several estimators, one colour each.

        Parameters
        ----------
        estimators : dict of str to estimator or Pipeline
            Fitted, with the names for the legend.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.

        Returns
        -------
        LossCurveDisplay
        """
        models = {name: fitted(estimator) for name, estimator in estimators.items()}
        losses = {name: model.loss_curve_ for name, model in models.items()}
        held_out = {name: -np.asarray(model.validation_scores_) for name, model in models.items() if model.validation_scores_}
        return cls(losses, held_out).plot(ax)

    def plot(self, ax: Any = None, *, yscale: str = "log") -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.
        yscale : str, default="log"
            Scale of the loss as matplotlib names it; "linear" for losses that are negative or 0.

        Returns
        -------
        self
        """
        ax = new_or_given(self, ax)
        for name, curve in self.losses.items():
            (line,) = ax.plot(np.arange(1, len(curve) + 1), curve, label=f"{name}, training")
            if name in self.validation_losses:
                held_out = self.validation_losses[name]
                ax.plot(np.arange(1, len(held_out) + 1), held_out, "--", color=line.get_color(), label=f"{name}, held out")
        ax.set(xlabel="epoch", ylabel="mean loss", yscale=yscale)
        count_in_whole_numbers(ax.xaxis)
        ax.legend()
        self.ax_, self.figure_ = ax, ax.figure
        return self
