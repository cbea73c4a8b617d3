"""A reservoir at work."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils._optional_dependencies import check_matplotlib_support

from ..cells import Reservoir
from ..engine import limit_threads
from ..estimators.face import seed_of
from ._axes import count_in_whole_numbers
from ._reservoir import drive


class ReservoirDisplay:
    """A reservoir at work: its states over time, the eigenvalues that set its memory, and how many directions its states take.

    Make it with :meth:`from_estimator`. States near ±1 all the time ask for smaller scales, states near 0 for larger ones; eigenvalues of
    a R + (1 − a) I near the unit circle remember long, those outside may never forget; singular values that fall at once say that most units repeat
    what others tell.

    Parameters
    ----------
    states : array-like of shape (n_steps, n_units)
        States under some input.
    eigenvalues : array-like of complex of shape (n_units,)
        Of the recurrent weights R.
    effective_eigenvalues : array-like of complex of shape (n_units,)
        Of a R + (1 − a) I, with a the leak rates.

    Attributes
    ----------
    states, eigenvalues, effective_eigenvalues : ndarray
        What is drawn.
    singular_values : ndarray of shape (min(n_steps, n_units),)
        Of the states less their means over time, in descending order.
    axes_ : ndarray of matplotlib Axes, of shape (3,)
        Where it was drawn last: states, eigenvalues, singular values.
    figure_ : matplotlib Figure
        The figure of ``axes_``.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.cells import Reservoir
    >>> from skrnn.inspection import ReservoirDisplay
    >>> u = np.random.default_rng(0).uniform(-1, 1, (200, 1))
    >>> display = ReservoirDisplay.from_estimator(
    ...     Reservoir(spectral_radius=0.8), u, hidden_size=50, random_state=0
    ... )
    >>> display.states.shape, round(float(abs(display.eigenvalues).max()), 6)
    ((200, 50), 0.8)
    """

    def __init__(self, states: ArrayLike, eigenvalues: ArrayLike, effective_eigenvalues: ArrayLike) -> None:
        self.states = np.asarray(states, dtype=float)
        self.eigenvalues, self.effective_eigenvalues = (np.asarray(e, dtype=complex) for e in (eigenvalues, effective_eigenvalues))
        self.singular_values = np.linalg.svd(self.states - self.states.mean(axis=0), compute_uv=False)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, *, group: int = 0, layer: int = 0, hidden_size: int = 100, random_state: Any = None, ax: Any = None
    ) -> Self:
        """Draw a reservoir under an input.

        Parameters
        ----------
        estimator : fitted echo state estimator, Pipeline that ends in one, or Reservoir
            A Reservoir is built with ``hidden_size`` units and gets ``X`` as it is; an estimator standardises it.
        X : array-like of shape (n_steps, n_features)
            One series.
        group, layer : int, default=0
            Which of an estimator's reservoirs; layers from below.
        hidden_size : int, default=100
            Units of a Reservoir.
        random_state : int, RandomState instance or None, default=None
            Source of the weights of a Reservoir.
        ax : array-like of 3 matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.

        Returns
        -------
        ReservoirDisplay

        Raises
        ------
        TypeError
            If ``estimator`` is none of these, or its cell is no Reservoir.
        ValueError
            If there is no such group or layer, X is no series of the features of the estimator, or outputs are fed back.
        """
        with limit_threads(1), torch.inference_mode():
            driven = drive(estimator, X, hidden_size, check_random_state(seed_of(random_state)))
            groups = [list(layers) for layers in driven.network.groups]
            if group not in range(len(groups)) or layer not in range(len(groups[group])):
                raise ValueError(f"group and layer must be below {len(groups)} and {len(groups[0])}; got {group!r} and {layer!r}")
            cell = groups[group][layer]
            if not isinstance(cell, Reservoir):
                raise TypeError(f"the cell must be a Reservoir, whose recurrent weights tell its memory; got {type(cell).__name__}")
            first = (sum(map(len, groups[:group])) + layer) * cell.hidden_size
            R, states = cell.recurrent_matrix(), driven.states()[:, first : first + cell.hidden_size]
        R = R if isinstance(R, np.ndarray) else R.toarray()
        a = np.ones(len(R)) if cell.a is None else cell.a.numpy()
        return cls(states, np.linalg.eigvals(R), np.linalg.eigvals(a[:, None] * R + np.diag(1 - a))).plot(ax)

    def plot(self, ax: Any = None, *, cmap: str = "RdBu_r") -> Self:
        """Draw.

        Parameters
        ----------
        ax : array-like of 3 matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.
        cmap : str, default="RdBu_r"
            Colours of the states, from negative to positive.

        Returns
        -------
        self
        """
        axes = _three(self, ax)
        self._draw_states(axes[0], cmap)
        self._draw_eigenvalues(axes[1])
        values = self.singular_values / (self.singular_values[0] or 1.0)
        axes[2].semilogy(np.arange(1, len(values) + 1), np.maximum(values, np.finfo(float).eps), ".-")
        axes[2].set(xlabel="direction", ylabel="singular value / largest", title="directions of the states")
        self.axes_, self.figure_ = axes, axes[0].figure
        return self

    def _draw_states(self, ax: Any, cmap: str) -> None:
        n_steps, n_units = self.states.shape
        largest = float(np.abs(self.states).max()) or 1.0
        for axis in (ax.xaxis, ax.yaxis):
            count_in_whole_numbers(axis)
        extent = (0.5, n_steps + 0.5, n_units - 0.5, -0.5)
        image = ax.imshow(self.states.T, cmap=cmap, vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest", extent=extent)
        ax.set(xlabel="time step t", ylabel="unit", title="states h(t)")
        ax.figure.colorbar(image, ax=ax)

    def _draw_eigenvalues(self, ax: Any) -> None:
        circle = np.exp(2j * np.pi * np.linspace(0, 1, 200))
        ax.plot(circle.real, circle.imag, color="0.6", linewidth=1)
        leaky = not np.array_equal(self.eigenvalues, self.effective_eigenvalues)
        shown = {"R": self.eigenvalues} | ({"a R + (1 − a) I": self.effective_eigenvalues} if leaky else {})
        for (name, values), marker in zip(shown.items(), ("o", "x"), strict=False):
            ax.plot(values.real, values.imag, marker, markersize=3, alpha=0.7, label=f"{name}: radius {np.abs(values).max():.3g}")
        ax.set(xlabel="real part", ylabel="imaginary part", title="eigenvalues", aspect="equal")
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=1)


def _three(display: Any, ax: Any) -> Any:
    check_matplotlib_support(f"{type(display).__name__}.plot")
    from matplotlib import pyplot as plt

    if ax is None:
        return plt.subplots(1, 3, figsize=(13, 4), layout="constrained")[1]
    axes = np.ravel(ax)
    if len(axes) != 3:
        raise ValueError(f"ax must hold 3 axes, for states, eigenvalues and singular values; got {len(axes)}")
    return axes
